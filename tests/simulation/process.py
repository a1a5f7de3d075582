"""A process that dies between two commits: what it had not committed is gone, what it was about to do never happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bpn.database.pool import Database, Transaction
from bpn.kernel.clock import Clock


class Killed(BaseException):
    """The process is dead. Nothing that catches errors catches this."""


@dataclass
class Process:
    """A worker's or an API server's way to the database, until its fuse burns down.

    `fuse` commits are left to it; then it dies at a commit, before it takes effect or after, as `before` says.
    """

    database: Database
    fuse: int | None = None
    before: bool = False
    dead: bool = False

    def check(self) -> None:
        """To be called wherever the process goes on."""
        if self.dead:
            raise Killed

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Transaction]:
        self.check()
        async with self.database.transaction(**options) as tx:
            yield tx
            self.check()
            if self.fuse == 0 and self.before:
                self.die()
        self.check()
        if self.fuse == 0:
            self.die()
        if self.fuse is not None:
            self.fuse -= 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        self.check()
        async with self.database.reading() as tx:
            yield tx

    def die(self) -> None:
        self.dead = True
        raise Killed


@dataclass
class SimulatedClock(Clock):
    """Time stands still until the simulation moves it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
