"""What a figure is, and what it is measured with."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.cli.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `bar` is the ratio to TPC-B that it must reach, None where there is none."""

    what: str
    rate: float
    bar: float | None
    note: str = ""
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """A running sandbox, and how long each figure is measured."""

    sandbox: Sandbox
    seconds: float
