"""Links and funds over many rows: matching a fund and every list go by an index, never through the table."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from bpn.chapters.payment_links.model import LinkFilter
from bpn.chapters.payment_links.store import links
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.clock import Clock
from bpn.kernel.ids import Ids
from bpn.kernel.money import Money

ROWS = 100_000
USDT = Asset("USDT", "BSC", 18)
USD = Asset("USD", None, 2)
FILL = """
INSERT INTO payment_links (merchant_id, payment_id, token, link_type, status, user_order_no, recipient_name, wallet_id,
    fiat_currency, fiat_scale, fiat_amount, currencies, networks, valid_minutes, currency, network, scale, amount,
    units, price, price_expires_at, effective_at, expires_at, created_at, updated_at)
SELECT 1 + n % 2, 100000000000000000 + n, 'token-' || n, 'one_time',
    CASE WHEN n % 4 < 2 THEN 'active' ELSE 'init' END, 'order-' || n, 'Café', 1, 'USD', 2, n, '{USDT}', '{BSC}', 60,
    CASE WHEN n % 4 < 2 THEN 'USDT' END, CASE WHEN n % 4 < 2 THEN 'BSC' END, CASE WHEN n % 4 < 2 THEN 18 END,
    CASE WHEN n % 4 < 2 THEN n * 10::numeric ^ 16 END, CASE WHEN n % 4 < 2 THEN n * 0.01 END,
    CASE WHEN n % 4 < 2 THEN 1 END, now(), now(), now() + n * interval '1 second', now(), now()
FROM generate_series(1, 100000) n
"""


@pytest.fixture
def filled_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("VACUUM ANALYZE payment_links")
    return database_url


def scans(url: str) -> int:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(
            "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE relname = 'payment_links'"
        )
        return int(cursor.fetchall()[0][0])


async def flush(connection: psycopg.AsyncConnection[object]) -> None:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT 1")


async def test_nothing_scans_a_hundred_thousand_open_links(filled_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(filled_url, autocommit=True) as connection:
        tx = Transaction(connection, Clock(), datetime.now(UTC), Ids(lambda: 1))
        before = scans(filled_url)
        assert await links.fiat_currencies(tx, 1) == ["USD"]
        found = await links.near(tx, 1, Money.parse("500", USDT), [Money.parse("500", USD)], 10)
        nearest = min(found, key=lambda link: abs((link.fiat.minor if link.fiat else 0) - 50_000))
        assert nearest.fiat == Money(50_000, USD)
        assert len(found) == 40
        for filters in (
            LinkFilter(),
            LinkFilter(user_order_no="order-300"),
            LinkFilter(link_type="one_time", status="active"),
        ):
            total, rows = await links.page(tx, 1, filters, before=None, offset=0, limit=20)
            assert total >= len(rows) >= 1
        assert len(await links.lock_over(tx, datetime(2100, 1, 1, tzinfo=UTC), {}, 100)) == 100
        await flush(connection)
        assert scans(filled_url) == before
        await connection.execute("SELECT sum(valid_minutes) FROM payment_links")
        await flush(connection)
        assert scans(filled_url) > before, "the measure itself does not see a scan"
