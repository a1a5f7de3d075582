"""Switch things off, and on again."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.rows import Json
from bpn.cli.scoping import Currency, Merchant, Network, say_outcome, scope_of, version_row
from bpn.cli.servers import Data
from bpn.controls import operations as controls
from bpn.controls.model import Kind, Operation, Version
from bpn.database.pool import Transaction
from bpn.wiring.house import House

pause_commands = typer.Typer(help="Switch operations off, and on again.", no_args_is_help=True)
Paused = Annotated[Operation | None, typer.Option(help="Which; every operation when absent.", case_sensitive=False)]


@pause_commands.command("on")
def pause(
    operation: Paused = None,
    merchant: Merchant = None,
    currency: Currency = None,
    network: Network = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Switch off, at once and in every process: nothing new begins; what is in flight goes on or waits."""
    _switch(operation, merchant, currency, network, actor, reason, data, paused=True)


@pause_commands.command("off")
def resume(
    operation: Paused = None,
    merchant: Merchant = None,
    currency: Currency = None,
    network: Network = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Switch on again what was switched off with the same options."""
    _switch(operation, merchant, currency, network, actor, reason, data, paused=False)


def _switch(
    operation: Operation | None,
    merchant: int | None,
    currency: str | None,
    network: str | None,
    actor: str | None,
    reason: str | None,
    data: Data,
    *,
    paused: bool,
) -> None:
    async def change(house: House, tx: Transaction) -> Version:
        return await controls.set_pause(
            tx,
            decision_of(actor, reason, approved=paused),
            operation,
            scope=scope_of(merchant, currency, network),
            second_person_above=house.settings.second_person_above,
        )

    say_outcome(in_transaction(data, change))


@pause_commands.command("list")
def list_pauses(as_json: Json = False, data: Data = None) -> None:
    """What is switched off."""
    found = in_transaction(data, lambda _, tx: controls.list_in_force(tx, Kind.PAUSE))
    show([version_row(version) for version in found], as_json=as_json, nothing="Everything runs.")
