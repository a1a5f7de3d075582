"""The history of a merchant with a million rows: first page, and deep pages by cursor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import quantiles

import psycopg

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import HistoryFilter
from bpn.cli.bench.figure import Course, Figure
from bpn.cli.installation import open_installation
from bpn.wiring.house import House

ROWS = 1_000_000
_FIRST_ID = 100_000_000_000_000_000
_MERCHANT = 77
_BAR_MILLISECONDS = 50.0
_FILL = """
    INSERT INTO wallet_transactions (merchant_id, transaction_id, transaction_type, merchant_transaction_id, wallet_id,
        counter_wallet_id, currency, network, scale, amount, fee, status, created_at, updated_at, completed_at)
    SELECT %(merchant)s, %(first)s + n, 'INTERNAL_TRANSFER', 'bench-' || n, n %% 10, 100 + n %% 10, 'USDT', 'BSC', 18,
        1, 0, 'SUCCESS', now(), now(), now()
    FROM generate_series(1, %(rows)s) n
"""


async def measure(course: Course) -> list[Figure]:
    """Pages of twenty, as the API reads them."""
    async with open_installation(course.sandbox.settings) as house:
        await asyncio.to_thread(_fill, house.database_url)
        first = await _pages(house, course.seconds / 2, lambda _: None)
        deep = await _pages(house, course.seconds / 2, lambda n: _FIRST_ID + ROWS - n * 7_919 % ROWS)
    return [
        Figure(f"history of {ROWS:,} rows, first page", len(first) / (course.seconds / 2), None, _latency(first)),
        Figure(
            f"history of {ROWS:,} rows, deep pages by cursor", len(deep) / (course.seconds / 2), None, _latency(deep)
        ),
    ]


def _fill(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILL, {"merchant": _MERCHANT, "first": _FIRST_ID, "rows": ROWS})
        connection.execute("VACUUM ANALYZE wallet_transactions")


async def _pages(house: House, seconds: float, before: Callable[[int], int | None]) -> list[float]:
    """Seconds that each page took, one after another."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        await _page(house, before(len(times)))
        times.append(time.perf_counter() - began)
    return times


async def _page(house: House, before: int | None) -> None:
    async with house.database.reading() as tx:
        page: Awaitable[object] = wallet.list_transactions(
            house.wallet_terms, tx, _MERCHANT, HistoryFilter(), before=before, offset=0, limit=20
        )
        await page


def _latency(times: list[float]) -> str:
    cuts = quantiles(times, n=100)
    reached = "reached" if cuts[94] * 1000 < _BAR_MILLISECONDS else "MISSED"
    return f"p50 {cuts[49] * 1000:.1f} ms, p95 {cuts[94] * 1000:.1f} ms (bar {_BAR_MILLISECONDS:.0f} ms: {reached})"
