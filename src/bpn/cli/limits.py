"""How much may move at once, and in a day."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.rows import Json
from bpn.cli.scoping import (
    Currency,
    From,
    Merchant,
    Network,
    Remove,
    Which,
    amount_of,
    say_outcome,
    scope_of,
    time_of,
    version_row,
)
from bpn.cli.servers import Data
from bpn.controls import operations as controls
from bpn.controls.model import Kind, Limit, Version
from bpn.database.pool import Transaction
from bpn.wiring.house import House

limit_commands = typer.Typer(help="Set and show how much may move.", no_args_is_help=True)


@limit_commands.command("list")
def list_limits(as_json: Json = False, data: Data = None) -> None:
    """The limits in force. Each counts for every merchant on its own, and for each currency on its own."""
    found = in_transaction(data, lambda _, tx: controls.list_in_force(tx, Kind.LIMIT))
    show([version_row(version) for version in found], as_json=as_json, nothing="No limit is set.")


@limit_commands.command("set")
def set_limit(
    operation: Which,
    per_transaction: Annotated[str | None, typer.Option(help="The most at once, in whole units.")] = None,
    per_day: Annotated[str | None, typer.Option(help="The most in a day (UTC), in whole units.")] = None,
    remove: Remove = False,
    merchant: Merchant = None,
    currency: Currency = None,
    network: Network = None,
    valid_from: From = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set a limit. The most specific one holds, whole: of the merchant before all, of the asset before its currency."""
    limit = Limit(amount_of("per-transaction", per_transaction), amount_of("per-day", per_day))

    async def change(house: House, tx: Transaction) -> Version:
        return await controls.set_limit(
            tx,
            decision_of(actor, reason),
            operation,
            None if remove else limit,
            scope=scope_of(merchant, currency, network),
            valid_from=time_of(valid_from),
            second_person_above=house.settings.second_person_above,
        )

    say_outcome(in_transaction(data, change))


@limit_commands.command("used")
def show_used(
    merchant: Annotated[int, typer.Argument(help="By which merchant.")],
    operation: Which,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """What a merchant has used today: of each currency, and of it on each network."""
    found = in_transaction(data, lambda _, tx: controls.list_uses(tx, merchant, operation))
    rows = [
        {"currency": scope.currency or "", "network": scope.network or "all", "used": f"{used:f}"}
        for scope, used in found
    ]
    show(rows, as_json=as_json, nothing="Nothing is used today.")
