"""Lists over many rows: no sequential scan, first page and deep page, with every filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from bpn.chapters.wallet.model import HistoryFilter
from bpn.chapters.wallet.store import transactions
from bpn.database.pool import Transaction
from bpn.kernel.clock import Clock
from bpn.kernel.ids import Ids

ROWS = 100_000
START = datetime(2026, 1, 1, tzinfo=UTC)
FILL = """
INSERT INTO wallet_transactions (merchant_id, transaction_id, transaction_type, merchant_transaction_id, wallet_id,
    counter_wallet_id, currency, network, scale, amount, fee, status, hash, created_at, updated_at, completed_at)
SELECT 1 + n %% 3, 100000000000000000 + n, 'INTERNAL_TRANSFER', 'ref-' || n, n %% 50, n %% 49 + 100, 'USDT', 'BSC',
    18, 1, 0, 'SUCCESS', '0x' || lpad(to_hex(n), 64, '0'), %(start)s + n * interval '1 second', %(start)s, %(start)s
FROM generate_series(1, %(rows)s) n
"""
FILTERS = {
    "all": HistoryFilter(),
    "wallet": HistoryFilter(wallet_id=7),
    "reference": HistoryFilter(merchant_transaction_id="ref-300"),
    "id": HistoryFilter(transaction_id=100000000000000300),
    "hash": HistoryFilter(hash="0x" + f"{300:x}".zfill(64)),
    "type and status": HistoryFilter(transaction_type="INTERNAL_TRANSFER", status="SUCCESS"),
    "time": HistoryFilter(start=START, end=START + timedelta(seconds=1000)),
}


@pytest.fixture
def filled_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILL, {"start": START, "rows": ROWS})
        connection.execute("VACUUM ANALYZE wallet_transactions")
    return database_url


def sequential_scans(url: str) -> int:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(
            "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE relname = 'wallet_transactions'"
        )
        (scans,) = cursor.fetchall()[0]
        return int(scans)


async def test_history_never_scans(filled_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(filled_url, autocommit=True) as connection:
        tx = Transaction(connection, Clock(), datetime.now(UTC), Ids(lambda: 1))
        before = sequential_scans(filled_url)
        for name, filters in FILTERS.items():
            for deep in ({"before": None, "offset": 0}, {"before": 100000000000000600, "offset": 0}):
                total, rows = await transactions.page(tx, 1, filters, limit=20, **deep)  # type: ignore[arg-type]
                assert total >= 1, name
                assert len(rows) <= 20
                assert [row.transaction_id for row in rows] == sorted(
                    {row.transaction_id for row in rows}, reverse=True
                )
        await flush(connection)
        assert sequential_scans(filled_url) == before
        await connection.execute("SELECT sum(amount) FROM wallet_transactions")
        await flush(connection)
        assert sequential_scans(filled_url) > before, "the measure itself does not see a scan"


async def flush(connection: psycopg.AsyncConnection[object]) -> None:
    """Have this connection's statistics written at once."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT 1")


async def test_totals_are_exact_up_to_a_bound_and_near_beyond_it(filled_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(filled_url, autocommit=True) as connection:
        tx = Transaction(connection, Clock(), datetime.now(UTC), Ids(lambda: 1))

        async def total(filters: HistoryFilter) -> int:
            return (await transactions.page(tx, 1, filters, before=None, offset=0, limit=1))[0]

        of_time = HistoryFilter(start=START, end=START + timedelta(seconds=3_000))
        cursor = await connection.execute(
            "SELECT count(*) FROM wallet_transactions WHERE merchant_id = 1 AND created_at < %s", (of_time.end,)
        )
        assert [(await total(of_time),)] == await cursor.fetchall()
        assert abs(await total(HistoryFilter()) - ROWS / 3) < ROWS / 30
