"""Prove the books: `bpn ledger verify`, and against the chains: `bpn reconcile chain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from bpn.cli.installation import configure_logging, in_house, load_settings
from bpn.cli.servers import Data
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Verification
from bpn.wiring.house import House

if TYPE_CHECKING:
    from bpn.wiring.chains import ChainComparison

ledger_commands = typer.Typer(help="Look at the ledger.", no_args_is_help=True)
reconcile_commands = typer.Typer(help="Compare the ledger with the world.", no_args_is_help=True)


@ledger_commands.command("verify")
def verify(data: Data = None) -> None:
    """Check sums, recompute every balance, follow the hash chain; exit 1 and name the first bad row if any."""
    configure_logging()
    found = in_house(load_settings(data), verify_ledger)
    show_verification(found)
    if found.findings:
        raise typer.Exit(1)


async def verify_ledger(house: House) -> Verification:
    """Verify the ledger as of one moment."""
    async with house.database.transaction(snapshot=True) as tx:
        return await ledger.verify(tx)


def show_verification(found: Verification) -> None:
    """Print what was verified."""
    print(
        f"{found.accounts} accounts, {found.transfers} transfers, {found.entries} entries, {found.seals} seals"
        f" ({found.unsealed_batches} batches not sealed yet)."
    )
    for finding in found.findings:
        print(f"FAULT: {finding.what}: {finding.where}")
    print("The ledger is sound." if not found.findings else f"{len(found.findings)} faults.")


@reconcile_commands.command("chain")
def chain(data: Data = None) -> None:
    """Compare what the ledger says lies on chain with what lies there; exit 1 on a difference."""
    from bpn.wiring.chains import compare_with_chains  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()
    comparisons = in_house(load_settings(data), compare_with_chains)
    if not show_comparisons(comparisons):
        raise typer.Exit(1)


def show_comparisons(comparisons: Sequence[ChainComparison]) -> bool:
    """Print ledger beside chain; whether all agree."""
    table = Table("Asset", "Ledger", "Under way", "Chain", "Difference")
    for comparison in comparisons:
        shown = (comparison.ledger, comparison.under_way, comparison.chain, comparison.difference)
        table.add_row(comparison.asset.code, *(str(Money(minor, comparison.asset)) for minor in shown))
    Console(width=130).print(table)
    return all(comparison.difference == 0 for comparison in comparisons)
