"""All SQL of the tables `fx_*`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bpn.chapters.fx.model import Spread, StoredRate
from bpn.database.pool import Transaction
from bpn.database.rows import integers

_COLUMNS = "base, quote, source, rate, rate_time, held_rate"


async def find_all(tx: Transaction) -> list[StoredRate]:
    """The newest rate of every pair by every source."""
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM fx_rates")
    return [StoredRate(*row) for row in await cursor.fetchall()]


async def lock_source(tx: Transaction, source: str) -> list[StoredRate]:
    """The newest rates of a source, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM fx_rates WHERE source = %s ORDER BY base, quote FOR UPDATE", (source,)
    )
    return [StoredRate(*row) for row in await cursor.fetchall()]


async def save(tx: Transaction, rates: Sequence[StoredRate]) -> None:
    """Write the newest rates; an older one never replaces a newer."""
    await tx.connection.execute(
        f"""
        INSERT INTO fx_rates ({_COLUMNS})
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::numeric[], %s::timestamptz[], %s::numeric[])
        ON CONFLICT (base, quote, source) DO UPDATE
            SET rate = excluded.rate, rate_time = excluded.rate_time, held_rate = excluded.held_rate
            WHERE fx_rates.rate_time <= excluded.rate_time
        """,
        (
            [rate.base for rate in rates],
            [rate.quote for rate in rates],
            [rate.source for rate in rates],
            [rate.rate for rate in rates],
            [rate.time for rate in rates],
            [rate.held for rate in rates],
        ),
    )


async def delete(tx: Transaction, base: str, quote: str, source: str) -> bool:
    """Forget a rate; false when there is none."""
    cursor = await tx.connection.execute(
        "DELETE FROM fx_rates WHERE base = %s AND quote = %s AND source = %s", (base, quote, source)
    )
    return cursor.rowcount == 1


async def append_history(
    tx: Transaction, rates: Sequence[tuple[str, str, str, Decimal, datetime, bool]], recorded_at: datetime
) -> None:
    """Keep what sources said: base, quote, source, rate, its time, whether it was believed. A repetition is nothing."""
    await tx.connection.execute(
        """
        INSERT INTO fx_rate_history (recorded_at, base, quote, source, rate, rate_time, accepted)
        SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::numeric[], %s::timestamptz[], %s::boolean[])
        ON CONFLICT DO NOTHING
        """,
        (recorded_at, *([rate[place] for rate in rates] for place in range(6))),
    )


async def delete_history(tx: Transaction, before: datetime, limit: int) -> int:
    """Forget what was recorded before a time, some at a time; how many."""
    cursor = await tx.connection.execute(
        """
        DELETE FROM fx_rate_history WHERE (base, quote, source, rate_time, accepted) IN (
            SELECT base, quote, source, rate_time, accepted FROM fx_rate_history WHERE recorded_at < %s LIMIT %s)
        """,
        (before, limit),
    )
    return cursor.rowcount


async def spreads(tx: Transaction, merchant_ids: Sequence[int]) -> list[Spread]:
    """The spreads of merchants, and those of all (merchant 0)."""
    cursor = await tx.connection.execute(
        "SELECT merchant_id, base, quote, bps FROM fx_spreads WHERE merchant_id = ANY (%s::bigint[])",
        (integers(sorted({0, *merchant_ids})),),
    )
    return [Spread(*row) for row in await cursor.fetchall()]


async def all_spreads(tx: Transaction) -> list[Spread]:
    """Every spread that is set."""
    cursor = await tx.connection.execute(
        "SELECT merchant_id, base, quote, bps FROM fx_spreads ORDER BY merchant_id, base, quote"
    )
    return [Spread(*row) for row in await cursor.fetchall()]


async def save_spread(tx: Transaction, spread: Spread) -> None:
    """Set a spread."""
    await tx.connection.execute(
        """
        INSERT INTO fx_spreads (merchant_id, base, quote, bps) VALUES (%s, %s, %s, %s)
        ON CONFLICT (merchant_id, base, quote) DO UPDATE SET bps = excluded.bps
        """,
        (spread.merchant_id, spread.base, spread.quote, spread.bps),
    )
