"""How often a key may ask: so many requests in a window, over all processes together."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

import psycopg

from bpn.api.errors import RateLimited, Unavailable
from bpn.database.pool import Database, Transaction
from bpn.merchants.model import Credential

_SHARE = 8
"""A process takes an eighth of what a window still has, so that the others find some too."""
_LARGEST_KNOWN = 100_000


@dataclass(slots=True)
class _Share:
    """What this process may still let through of a key's window. `until` by the monotonic clock."""

    left: int = 0
    until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class RateLimit:
    """Lets a key's requests through while its window has any left.

    A key's window begins with its first request and lasts a second. The count is the database's; a process takes
    shares of it, smaller the less is left, and gives up what it has not used when the window ends. So never more than
    the limit pass in a window, however many processes there are; a process may refuse a little early while another
    holds the last shares.

    Args of the constructor:
        database: keeps the count.
        limit: requests in a window; None for as many as they like.
        window_seconds: how long a window lasts.
    """

    def __init__(self, database: Database, limit: int | None, window_seconds: float = 1.0) -> None:
        self._database = database
        self._limit = limit
        self._window_seconds = window_seconds
        self._shares: dict[int, _Share] = {}

    async def check(self, credential: Credential) -> None:
        """Count a request.

        Raises:
            RateLimited: the key has none left in this window.
            Unavailable: the count cannot be read.
        """
        if self._limit is None:
            return
        if len(self._shares) > _LARGEST_KNOWN:
            self._shares.clear()
        share = self._shares.setdefault(credential.key_id, _Share())
        async with share.lock:
            if share.left <= 0 or time.monotonic() >= share.until:
                await self._take(credential, share, self._limit)
            share.left -= 1

    async def _take(self, credential: Credential, share: _Share, limit: int) -> None:
        if share.left < 0 and time.monotonic() < share.until:
            raise _refusal(limit, share.until - time.monotonic())
        asked_at = time.monotonic()
        try:
            async with self._database.transaction() as tx:
                granted, seconds_left = await _grant(tx, credential, limit, self._window_seconds)
        except psycopg.OperationalError as error:
            raise Unavailable("The service is busy; nothing happened. Try again with the same id.") from error
        share.left, share.until = granted, asked_at + seconds_left
        if granted == 0:
            # Known to be empty: until the window ends nobody need ask the database.
            share.left = -1
            raise _refusal(limit, seconds_left)


def _refusal(limit: int, seconds_left: float) -> RateLimited:
    wait = max(1, math.ceil(seconds_left))
    return RateLimited(f"This API key may make {limit} requests a second; try again in {wait} s.", wait)


async def _grant(tx: Transaction, credential: Credential, limit: int, window_seconds: float) -> tuple[int, float]:
    """A share of the key's window, and how many seconds it lasts; a window that is over begins anew."""
    key = (credential.merchant.merchant_id, credential.key_id)
    counted = await _count(tx, key)
    if counted is None:
        await tx.connection.execute(
            """
            INSERT INTO api_rates (merchant_id, key_id, window_start, taken) VALUES (%s, %s, clock_timestamp(), 0)
            ON CONFLICT DO NOTHING
            """,
            key,
        )
        counted = await _count(tx, key)
    taken, age = counted or (0, 0.0)
    # Before its beginning: the database's clock was set back.
    is_over = not 0 <= age < window_seconds
    if is_over:
        taken, age = 0, 0.0
    granted = min(limit - taken, max(1, (limit - taken) // _SHARE))
    if granted > 0:
        await tx.connection.execute(
            """
            UPDATE api_rates SET taken = %s, window_start = CASE WHEN %s THEN clock_timestamp() ELSE window_start END
            WHERE merchant_id = %s AND key_id = %s
            """,
            (taken + granted, is_over, *key),
        )
    return max(0, granted), window_seconds - age


async def _count(tx: Transaction, key: tuple[int, int]) -> tuple[int, float] | None:
    """How many were taken of the key's window, and the window's age in seconds; held until the transaction ends."""
    cursor = await tx.connection.execute(
        """
        SELECT taken, extract(epoch FROM clock_timestamp() - window_start)::float8 FROM api_rates
        WHERE merchant_id = %s AND key_id = %s FOR UPDATE
        """,
        key,
    )
    return await cursor.fetchone()
