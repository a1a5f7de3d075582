"""The connection pool and the transaction that is handed to every operation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, IsolationLevel, OperationalError
from psycopg_pool import AsyncConnectionPool

from bpn.kernel.clock import Clock
from bpn.kernel.ids import Ids

APPLICATION_ROLE = "bpn_application"
"""The role requests run as: it may add to the journal, never change or delete what stands there."""

Connection = AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One database transaction, with the time it happens at and the ids it may draw.

    Attributes:
        connection: READ COMMITTED unless opened otherwise; commits when the opener's block ends well.
        clock: asked where the moment of locking matters.
        now: business time at the opening, the same for all that one request does.
        ids: for whatever the transaction creates.
        pipelined: whether statements are sent without waiting for the answers to those before.
    """

    connection: Connection
    clock: Clock
    now: datetime
    ids: Ids
    pipelined: bool = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Statements of this block share a round trip; errors of those not read come at its end, at the latest.

        A pipeline within a pipeline would wait twice more, so a pipelined transaction just goes on.
        """
        async with nullcontext() if self.pipelined else self.connection.pipeline():
            yield


class Database:
    """Opens transactions. Holds the pool of one process."""

    def __init__(self, url: str, clock: Clock, ids: Ids, *, connections: int, lock_timeout_seconds: float) -> None:
        self._clock = clock
        self._ids = ids
        self._lock_timeout = f"{int(lock_timeout_seconds * 1000)}ms"
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            open=False,
            kwargs={"autocommit": True, "prepare_threshold": 2},
            configure=self._configure,
            name="bpn",
        )

    async def open(self) -> None:
        """Connect; raises psycopg_pool.PoolTimeout when the server does not answer within 30 s."""
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close()

    async def _configure(self, connection: Connection) -> None:
        await connection.execute(
            "SELECT set_config('role', %s, false), set_config('lock_timeout', %s, false),"
            " set_config('TimeZone', 'UTC', false)",
            (APPLICATION_ROLE, self._lock_timeout),
        )

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False, pipelined: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction; it commits when the block ends, rolls back when the block raises.

        Args:
            snapshot: read everything as of one moment and change nothing (REPEATABLE READ READ ONLY).
            pipelined: send statements whose result nobody reads along with the next that is read. Their errors come
                then, at the latest at the end of the block; row counts are not known before.
        """
        async with self._pool.connection() as connection:
            if snapshot:
                await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
                await connection.set_read_only(True)
            try:
                async with _pipelined(connection) if pipelined else connection.transaction():
                    yield Transaction(connection, self._clock, self._clock.now(), self._ids, pipelined)
            finally:
                if snapshot and not connection.closed:
                    await connection.set_isolation_level(None)
                    await connection.set_read_only(None)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """For a single look-up: every statement sees its own moment, nothing is held between them."""
        async with self._pool.connection() as connection:
            yield Transaction(connection, self._clock, self._clock.now(), self._ids)


@asynccontextmanager
async def _pipelined(connection: Connection) -> AsyncIterator[None]:
    """A transaction whose BEGIN and COMMIT travel with its statements; the connection's owner rolls back."""
    async with connection.pipeline():
        await connection.execute("BEGIN")
        # The statements of a batch are the same each time, and all go by an index: planning them anew costs more than
        # it saves, and a plan made while tables were small must not scan.
        await connection.execute(
            "SELECT set_config('plan_cache_mode', 'force_generic_plan', true),"
            " set_config('enable_seqscan', 'off', true)"
        )
        yield
        committed = await connection.execute("COMMIT")
    if committed.statusmessage != "COMMIT":
        raise OperationalError(f"the commit ended as {committed.statusmessage}")
