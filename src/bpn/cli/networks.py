"""How each network is read, resuming one that stopped, and what arrived and is not credited."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model.reading import ChainPosition, Uncredited
from bpn.cli.deciding import Actor, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.review import deposit_commands
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

network_commands = typer.Typer(help="See how networks are read; resume one that stopped.", no_args_is_help=True)
_SHOWN = 100


@network_commands.command("list")
def list_networks(as_json: Json = False, data: Data = None) -> None:
    """How far each network is read, and what stands against it."""

    async def read(_house: House, tx: Transaction) -> list[ChainPosition]:
        return await wallet.list_positions(tx)

    rows = [
        {
            "network": position.network,
            "head": str(position.head_number),
            "next block": str(position.next_block),
            "final": str(position.final_number),
            "read": position.read_at.isoformat(timespec="seconds"),
            "stopped": position.stopped or "",
            "doubt": position.doubt or "",
        }
        for position in in_transaction(data, read)
    ]
    show(rows, as_json=as_json)


@network_commands.command("resume")
def resume_network(
    network: Annotated[str, typer.Argument(help="Which network.")],
    block: Annotated[int, typer.Option(help="The first block to read again: before the reorg.")],
    reason: Annotated[str, typer.Option(help="Why; it is written into the audit log.")],
    actor: Actor = None,
    data: Data = None,
) -> None:
    """Read a stopped network again from a block on. Deposits that are not there any more are taken back."""

    async def resume(_house: House, tx: Transaction) -> ChainPosition:
        decision: Decision = decision_of(actor, reason, approved=True)
        return await wallet.resume_reading(tx, network, block, decision)

    say(f"{network} is read again from block {in_transaction(data, resume).next_block} on.")


@deposit_commands.command("uncredited")
def list_uncredited(as_json: Json = False, data: Data = None) -> None:
    """The newest arrivals that are not credited: native coin, foreign tokens, transfers of 0, failed ones."""

    async def read(_house: House, tx: Transaction) -> list[Uncredited]:
        return await wallet.list_uncredited(tx, before=None, limit=_SHOWN)

    rows = [
        {
            "id": str(one.uncredited_id),
            "merchant": str(one.merchant_id),
            "wallet": str(one.wallet_id),
            "kind": one.arrival.kind.value,
            "network": one.network,
            "contract": one.arrival.contract or "",
            "amount": str(one.arrival.amount),
            "from": one.arrival.sender,
            "hash": one.arrival.hash,
        }
        for one in in_transaction(data, read)
    ]
    show(rows, as_json=as_json)
