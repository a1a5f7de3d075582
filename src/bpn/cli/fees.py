"""What operations cost."""

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
from bpn.controls.model import FeeTerms, Kind, Operation, Version
from bpn.database.pool import Transaction
from bpn.wiring.house import House

fee_commands = typer.Typer(help="Set and show what operations cost.", no_args_is_help=True)


@fee_commands.command("list")
def list_fees(as_json: Json = False, data: Data = None) -> None:
    """The fees in force; where none is, a withdrawal costs what the settings of its token say."""
    found = in_transaction(data, lambda _, tx: controls.list_in_force(tx, Kind.FEE))
    show([version_row(version) for version in found], as_json=as_json, nothing="No fee is set.")


@fee_commands.command("set")
def set_fee(
    operation: Which,
    flat: Annotated[str, typer.Option(help="In whole units.")] = "0",
    bps: Annotated[str, typer.Option(help="Hundredths of a percent of the amount.")] = "0",
    minimum: Annotated[str | None, typer.Option(help="At least this, in whole units.")] = None,
    maximum: Annotated[str | None, typer.Option(help="At most this, in whole units.")] = None,
    remove: Remove = False,
    merchant: Merchant = None,
    currency: Currency = None,
    network: Network = None,
    valid_from: From = None,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set a fee. The most specific one holds: of the merchant before all, of the asset before its currency."""
    terms = FeeTerms(
        amount_of("flat", flat) or FeeTerms().flat,
        amount_of("bps", bps) or 0,
        amount_of("minimum", minimum),
        amount_of("maximum", maximum),
    )

    async def change(house: House, tx: Transaction) -> Version:
        return await controls.set_fee(
            tx,
            decision_of(actor, reason),
            operation,
            None if remove else terms,
            scope=scope_of(merchant, currency, network),
            valid_from=time_of(valid_from),
            second_person_above=house.settings.second_person_above,
        )

    say_outcome(in_transaction(data, change))


@fee_commands.command("history")
def show_history(
    operation: Annotated[Operation | None, typer.Argument(help="Of which operation.", case_sensitive=False)] = None,
    merchant: Merchant = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Every version of the fees, newest first: from when, who, why."""
    found = in_transaction(
        data, lambda _, tx: controls.history(tx, Kind.FEE, name=operation, merchant_id=merchant)
    )  # fmt: skip
    show([version_row(version) for version in found], as_json=as_json, nothing="No fee was ever set.")
