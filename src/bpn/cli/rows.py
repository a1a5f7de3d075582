"""Rows on the terminal: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bpn.cli.installation import say

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows of the same columns; `empty` is said when there are none."""
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        say(empty)
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)
