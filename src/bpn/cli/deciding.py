"""What all commands of decisions share: who decides and why, a transaction to do it in, a table to show."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer

from bpn.audit.model import Decision
from bpn.cli.installation import configure_logging, in_house, load_settings
from bpn.cli.rows import show_rows
from bpn.cli.servers import Data
from bpn.database.pool import Transaction
from bpn.wiring.house import House

Actor = Annotated[str | None, typer.Option(help="Who decides; you, by the name of your login, when absent.")]
Why = Annotated[str | None, typer.Option("--reason", help="Why.")]
Result = TypeVar("Result")
Work = Callable[[House, Transaction], Awaitable[Result]]


def decision_of(actor: str | None, reason: str | None, *, approved: bool = True) -> Decision:
    """An operator's word, by the name of the login when no other is given."""
    return Decision(approved, actor or getpass.getuser(), reason)


def in_transaction(data: Data, work: Work[Result]) -> Result:
    """Run one piece of work in a transaction of the installation."""
    configure_logging()

    async def run(house: House) -> Result:
        async with house.database.transaction() as tx:
            return await work(house, tx)

    return in_house(load_settings(data), run)


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str = "Nothing waits.") -> None:
    """Print rows as a table, or as JSON."""
    show_rows(rows, as_json=as_json, empty=nothing)
