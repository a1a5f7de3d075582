"""What a job is: "when X is recorded, or every N seconds, do Y"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from bpn.database.pool import Transaction
from bpn.outbox.model import Fact

__all__ = ["Fact", "Job", "Listener", "Transaction", "TransactionOpener", "collect_jobs", "job"]

TransactionOpener = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction: `async with open_transaction() as tx`. A job opens one before and one after it acts."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that finds by itself what is due; running it once too often does no harm.

    Attributes:
        name: `chapter.what_it_does`, with `:network` where there is one per network.
        run: does all that is due, or a bounded part of it, and returns whether more is due at once.
        every_seconds: the sweep that finds what a lost nudge left behind.
        after: the facts that nudge it.
    """

    name: str
    run: Callable[[], Awaitable[bool]]
    every_seconds: int
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears facts in the transaction that marks them relayed: what it does happens once, exactly."""

    facts: frozenset[str]
    hear: Callable[[Transaction, Sequence[Fact]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Mark:
    every_seconds: int
    after: frozenset[str]


Function = TypeVar("Function", bound=Callable[..., Awaitable[bool]])


def job(*, every_seconds: int, after: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Mark a method `(self) -> bool` as a job."""

    def marking(function: Function) -> Function:
        function.__job__ = _Mark(every_seconds, frozenset(after))  # type: ignore[attr-defined]  # functions carry attributes
        return function

    return marking


def collect_jobs(jobs: object, chapter: str, network: str | None = None) -> list[Job]:
    """The jobs among an object's methods, in the order they are written."""
    suffix = f":{network}" if network else ""
    members: list[Any] = [getattr(jobs, name) for name in vars(type(jobs))]
    return [
        Job(f"{chapter}.{member.__name__}{suffix}", member, member.__job__.every_seconds, member.__job__.after)
        for member in members
        if hasattr(member, "__job__")
    ]
