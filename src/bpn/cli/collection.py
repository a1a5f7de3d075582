"""`bpn collection`: customers of providers that wait for the operator, deciding on them, freezing their wallets."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.chapters.provider import operations
from bpn.chapters.provider.model import SubWallet
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

collection_commands = typer.Typer(help="Decide on the customers of providers.", no_args_is_help=True)
MerchantId = Annotated[int, typer.Argument(help="The provider's merchant id.")]
WalletId = Annotated[int, typer.Argument(help="The sub wallet's id.")]


@collection_commands.command("list")
def list_pending(as_json: Json = False, data: Data = None) -> None:
    """Sub wallets that wait for the operator, oldest first."""

    async def waiting(_house: House, tx: Transaction) -> list[SubWallet]:
        return await operations.list_pending_sub_wallets(tx)

    rows = [
        {
            "wallet": str(one.wallet_id),
            "merchant": str(one.merchant_id),
            "partner id": one.partner_user_id,
            "name": one.account_name,
            "confirmed": "" if one.confirmed_at is None else one.confirmed_at.isoformat(timespec="seconds"),
        }
        for one in in_transaction(data, waiting)
    ]
    show(rows, as_json=as_json)


@collection_commands.command("approve")
def approve(
    merchant_id: MerchantId, wallet_id: WalletId, actor: Actor = None, reason: Why = None, data: Data = None
) -> None:
    """Give a customer its address."""
    _decide(merchant_id, wallet_id, actor, reason, data, approved=True)


@collection_commands.command("reject")
def reject(
    merchant_id: MerchantId, wallet_id: WalletId, actor: Actor = None, reason: Why = None, data: Data = None
) -> None:
    """Refuse a customer; its wallet is closed."""
    _decide(merchant_id, wallet_id, actor, reason, data, approved=False)


def _decide(
    merchant_id: int, wallet_id: int, actor: str | None, reason: str | None, data: Data, *, approved: bool
) -> None:
    decision = decision_of(actor, reason, approved=approved)

    async def decide(house: House, tx: Transaction) -> SubWallet:
        return await operations.decide_sub_wallet(house.provider_terms, tx, merchant_id, wallet_id, decision)

    say(f"{wallet_id} is {in_transaction(data, decide).status}.")


@collection_commands.command("freeze")
def freeze(
    merchant_id: MerchantId,
    wallet_id: WalletId,
    lift: Annotated[bool, typer.Option("--lift", help="Lift what was frozen before.")] = False,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Freeze a sub wallet: its orders cannot be accepted, and the provider cannot lift it."""
    decision = decision_of(actor, reason, approved=not lift)

    async def change(_house: House, tx: Transaction) -> SubWallet:
        return await operations.freeze_sub_wallet(tx, merchant_id, wallet_id, decision)

    say(f"{wallet_id} is {in_transaction(data, change).status}.")
