"""Word between processes: what one has committed, the others hear at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from bpn.kernel.ids import NODES

_NODE_LOCK_CLASS = 0x62706E
_RECONNECT_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Notices:
    """One listening connection per process; while it lives it also holds this process's node number.

    `connected` is false between a loss and the next connection: whoever caches on the strength of notices
    must not trust its cache then. After every connection all handlers are called with an empty payload, so that
    what was missed is read anew.
    """

    def __init__(self, url: str, handlers: Mapping[str, Callable[[str], Awaitable[None]]]) -> None:
        self._url = url
        self._handlers = dict(handlers)
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.node = 0

    @property
    def connected(self) -> bool:
        """Whether every notice committed from now on will be heard."""
        return self._ready.is_set()

    async def open(self) -> None:
        """Connect and wait until listening."""
        self._task = asyncio.create_task(self._listen(), name="notices")
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Stop listening and give the node number back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        first = True
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError as error:
                if first and not self._ready.is_set():
                    raise
                log.warning("notices.lost", error=str(error))
            first = False
            self._ready.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
            for channel in self._handlers:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.node = await _take_node_number(connection)
            for handle in self._handlers.values():
                await handle("")
            self._ready.set()
            async for notice in connection.notifies():
                await self._handlers[notice.channel](notice.payload)


async def _take_node_number(connection: AsyncConnection[tuple[object, ...]]) -> int:
    """The lowest number that no living process holds; held until this connection ends."""
    for node in range(NODES):
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_NODE_LOCK_CLASS, node))
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return node
    raise RuntimeError(f"all {NODES} node numbers are taken")
