"""Lists over many rows: no sequential scan, first page and deep page, with every filter; and the jobs' queues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from bpn.chapters.accounts.model import OrderFilter, OrderType, PaymentState, Status
from bpn.chapters.accounts.store import accounts, exceptions, orders, payments
from bpn.database.pool import Transaction
from bpn.kernel.clock import Clock
from bpn.kernel.encryption import Cipher
from bpn.kernel.ids import Ids
from bpn.ports.readers import Handle, HandleKind

ROWS = 150_000
FIRST = 100000000000000000
START = datetime(2026, 1, 1, tzinfo=UTC)
CIPHER = Cipher(bytes(32))
FILL = """
INSERT INTO virtual_account_orders (merchant_id, order_id, order_type, direction, account_id, primary_account_id,
    merchant_order_id, currency, scale, amount, fee, status, invoice_status, rail, source, rail_reference, created_at,
    updated_at, completed_at)
SELECT 1 + n %% 3, %(first)s + n, CASE n %% 10 WHEN 0 THEN 'PAYOUT' ELSE 'PAYIN' END, 'IN', n %% 500, 7, 'ref-' || n,
    'BRL', 2, 100, 0, 'SUCCESS', 'NOT_REQUIRED', 'PIX', 'SIMULATED', 'rail-' || n,
    %(start)s + n * interval '1 second', %(start)s, CASE WHEN n %% 50000 = 0 THEN NULL ELSE %(start)s END
FROM generate_series(1, %(rows)s) n
"""
TABLES = ("virtual_account_orders", "virtual_accounts", "virtual_account_handles", "bank_payments", "bank_exceptions")
FILTERS = {
    "all": OrderFilter(),
    "account": OrderFilter(account_id=7),
    "reference": OrderFilter(merchant_order_id="ref-300"),
    "id": OrderFilter(order_id=FIRST + 300),
    "type": OrderFilter(order_type="PAYOUT"),
    "type and state": OrderFilter(order_type="PAYIN", status="SUCCESS", currency="BRL"),
    "time": OrderFilter(start=START, end=START + timedelta(seconds=1000)),
    "sub user": OrderFilter(sub_user_id="nobody"),
}


@pytest.fixture
def filled_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE virtual_account_orders SET (autovacuum_enabled = false)")
        connection.execute(FILL, {"start": START, "rows": ROWS, "first": FIRST})
        for table in TABLES:
            connection.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]
    return database_url


def sequential_scans(url: str, tables: tuple[str, ...] = ("virtual_account_orders",)) -> int:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(
            "SELECT coalesce(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE relname = ANY(%s)", (list(tables),)
        )
        (scans,) = cursor.fetchall()[0]
        return int(scans)


async def test_lists_and_queues_never_scan(filled_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(filled_url, autocommit=True) as connection:
        tx = Transaction(connection, Clock(), datetime.now(UTC), Ids(lambda: 1))
        before = sequential_scans(filled_url)
        for name, filters in FILTERS.items():
            for cursor in (None, FIRST + 90_000):
                total, rows = await orders.page(tx, CIPHER, 1, filters, before=cursor, offset=0, limit=20)
                assert total >= (0 if name == "sub user" else 1), name
                numbers = [row.order_id for row in rows]
                assert numbers == sorted(set(numbers), reverse=True)
        await orders.lock_open(tx, CIPHER, [OrderType.PAYIN], Status.SUCCESS)
        await orders.lock_releasable(tx, CIPHER, 100)
        await orders.lock_overdue(tx, CIPHER, START, 100)
        await orders.has_open(tx, 1, 7)
        await orders.lock_by_reference(tx, CIPHER, "SIMULATED", [(1, "rail-300")])
        await payments.due(tx, CIPHER, "SIMULATED", PaymentState.READY, 100)
        await payments.of_batch(tx, CIPHER, "SIMULATED", 1)
        await accounts.find_by_handles(tx, CIPHER, [Handle(HandleKind.IBAN, "DE1")])
        await exceptions.lock_of_references(tx, CIPHER, "SIMULATED", "REVERSAL_WAITS", ["x"])
        await flush(connection)
        assert sequential_scans(filled_url) == before
        await connection.execute("SELECT sum(amount) FROM virtual_account_orders")
        await flush(connection)
        assert sequential_scans(filled_url) > before, "the measure itself does not see a scan"


async def flush(connection: psycopg.AsyncConnection[object]) -> None:
    """Have this connection's statistics written at once."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT 1")
