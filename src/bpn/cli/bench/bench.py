"""The command: pgbench, every figure, pgbench again, one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bpn.cli.bench import accounts, catchup, history, ledger, orders, payment_links, statements, wallet, webhooks
from bpn.cli.bench.figure import Course, Figure
from bpn.cli.bench.postgres import CLIENTS, SCALE, prepare, tpc_b
from bpn.cli.installation import configure_logging, run_async, say
from bpn.cli.sandbox import fresh_sandbox
from bpn.wiring.house import embedded_postgres

SECONDS = 10.0
FIGURES = {
    "ledger batches": ledger.measure,
    "the wallet over HTTP": wallet.measure,
    "orders over HTTP": orders.measure,
    "pay-ins": accounts.measure,
    "bank statements": statements.measure,
    "payment links": payment_links.measure,
    "webhooks under load": webhooks.measure,
    "history of a million rows": history.measure,
    "catching up with a chain": catchup.measure,
}
"""What is measured, in order."""


def bench(
    seconds: Annotated[float, typer.Option(help="How long each figure is measured.")] = SECONDS,
    only: Annotated[str | None, typer.Option(help="Measure only what has this in its name.")] = None,
) -> None:
    """Measure everything against pgbench TPC-B on the same server."""
    configure_logging()
    with fresh_sandbox() as sandbox:
        url = embedded_postgres(sandbox.settings, say).url("postgres")
        prepare(url)
        say("Measuring pgbench.")
        base = tpc_b(url, seconds)
        figures = _measure(Course(sandbox, seconds), only or "")
        say("Measuring pgbench again.")
        base = (base + tpc_b(url, seconds)) / 2
    _show(base, figures)
    if any(figure.errors for figure in figures):
        raise typer.Exit(1)


def _measure(course: Course, only: str) -> list[Figure]:
    figures = []
    for name, measure in FIGURES.items():
        if only in name:
            say(f"Measuring {name}.")
            figures += run_async(lambda: measure(course))  # noqa: B023 - run before the next turn of the loop
    return figures


def _show(base: float, figures: Sequence[Figure]) -> None:
    table = Table("What", "per second", "to TPC-B", "bar", "")
    table.add_row(f"pgbench TPC-B, scale {SCALE}, {CLIENTS} clients, prepared", f"{base:,.0f}", "1.00", "", "")
    for row in figures:
        bar = "" if row.bar is None else f"{row.bar:.2f} {'reached' if row.rate >= row.bar * base else 'MISSED'}"
        table.add_row(row.what, f"{row.rate:,.0f}", f"{row.rate / base:.2f}", bar, row.note)
    Console(width=140).print(table)
