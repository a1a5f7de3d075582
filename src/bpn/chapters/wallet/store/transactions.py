"""SQL of transactions, the merchant's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bpn.chapters.wallet.model import Earmark, HistoryFilter, Status, Transaction, TransactionType
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, optional_integers, optional_texts, optional_times, texts
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money

COLUMNS = """
    t.merchant_id, t.transaction_id, t.transaction_type, t.merchant_transaction_id, t.wallet_id, t.counter_wallet_id,
    t.merchant_user_id, t.currency, t.network, t.scale, t.amount::text, t.fee::text, t.status, t.from_address,
    t.to_address, t.hash, t.block_number, t.required_confirmations, t.remark, t.fail_reason, t.created_at,
    t.updated_at, t.completed_at, t.earmark_kind, t.earmark_id, t.counter_currency, t.incoming,
    t.block_time,
    CASE WHEN t.block_number IS NULL THEN 0 ELSE greatest(0, least(
        t.required_confirmations,
        (SELECT c.head_number FROM wallet_chains c WHERE c.network = t.network) - t.block_number + 1)) END
"""
"""What `transaction_of` reads, of `wallet_transactions t`."""


def transaction_of(row: Sequence[Any]) -> Transaction:
    """A row of `COLUMNS`."""
    asset = Asset(row[7], row[8], row[9])
    return Transaction(
        merchant_id=row[0],
        transaction_id=row[1],
        transaction_type=TransactionType(row[2]),
        merchant_transaction_id=row[3],
        wallet_id=row[4],
        counter_wallet_id=row[5],
        merchant_user_id=row[6],
        amount=Money(int(row[10]), asset),
        fee=Money(int(row[11]), asset),
        status=Status(row[12]),
        from_address=row[13],
        to_address=row[14],
        hash=row[15],
        block_number=row[16],
        confirmations=row[28] or 0,
        required_confirmations=row[17],
        remark=row[18],
        fail_reason=row[19],
        created_at=row[20],
        updated_at=row[21],
        completed_at=row[22],
        earmark=None if row[24] is None else Earmark(row[23], row[24]),
        counter_currency=row[25],
        incoming=row[26],
        block_time=row[27],
    )


async def insert(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> None:
    """Add transactions."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_transactions (
            created_at, updated_at, merchant_id, transaction_id, transaction_type, merchant_transaction_id, wallet_id,
            counter_wallet_id, merchant_user_id, currency, network, scale, amount, fee, status, from_address,
            to_address, hash, block_number, required_confirmations, remark, fail_reason, completed_at,
            earmark_kind, earmark_id, counter_currency, incoming, block_time)
        SELECT %s, %s, * FROM unnest(
            %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
            %s::text[], %s::smallint[], %s::numeric[], %s::numeric[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::bigint[], %s::integer[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
            %s::bigint[], %s::text[], %s::boolean[], %s::timestamptz[])
        """,
        (
            tx.now,
            tx.now,
            integers([t.merchant_id for t in transactions]),
            integers([t.transaction_id for t in transactions]),
            texts([t.transaction_type.value for t in transactions]),
            optional_texts([t.merchant_transaction_id for t in transactions]),
            integers([t.wallet_id for t in transactions]),
            optional_integers([t.counter_wallet_id for t in transactions]),
            optional_texts([t.merchant_user_id for t in transactions]),
            texts([t.amount.asset.currency for t in transactions]),
            texts([t.amount.asset.network or "" for t in transactions]),
            integers([t.amount.asset.scale for t in transactions]),
            integers([t.amount.minor for t in transactions]),
            integers([t.fee.minor for t in transactions]),
            texts([t.status.value for t in transactions]),
            optional_texts([t.from_address for t in transactions]),
            optional_texts([t.to_address for t in transactions]),
            optional_texts([t.hash for t in transactions]),
            optional_integers([t.block_number for t in transactions]),
            integers([t.required_confirmations for t in transactions]),
            optional_texts([t.remark for t in transactions]),
            optional_texts([t.fail_reason for t in transactions]),
            optional_times([t.completed_at for t in transactions]),
            optional_texts([t.earmark.kind if t.earmark else None for t in transactions]),
            optional_integers([t.earmark.subject_id if t.earmark else None for t in transactions]),
            optional_texts([t.counter_currency for t in transactions]),
            texts(["t" if t.incoming else "f" for t in transactions]),
            optional_times([t.block_time for t in transactions]),
        ),
    )


async def save(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """Write what may change of a transaction; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE wallet_transactions
        SET status = %s, hash = %s, block_number = %s, fail_reason = %s, from_address = %s, updated_at = %s,
            completed_at = %s, block_time = %s
        WHERE merchant_id = %s AND transaction_id = %s
        """,
        (
            transaction.status,
            transaction.hash,
            transaction.block_number,
            transaction.fail_reason,
            transaction.from_address,
            transaction.updated_at,
            transaction.completed_at,
            transaction.block_time,
            transaction.merchant_id,
            transaction.transaction_id,
        ),
    )


async def lock(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Transaction | None:
    """A transaction, held until this database transaction ends."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_transactions t WHERE t.merchant_id = %s AND t.transaction_id = %s FOR UPDATE OF t
        """,
        (merchant_id, transaction_id),
    )
    row = await cursor.fetchone()
    return None if row is None else transaction_of(row)


async def find(
    tx: DatabaseTransaction,
    merchant_id: int,
    kind: TransactionType,
    *,
    transaction_id: int | None = None,
    merchant_transaction_id: str | None = None,
) -> Transaction | None:
    """A transaction of one type, by our id or by the merchant's."""
    condition = "t.transaction_id = %s" if transaction_id is not None else "t.merchant_transaction_id = %s"
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_transactions t
        WHERE t.merchant_id = %s AND t.transaction_type = %s AND {condition}
        """,
        (merchant_id, kind, merchant_transaction_id if transaction_id is None else transaction_id),
    )
    row = await cursor.fetchone()
    return None if row is None else transaction_of(row)


async def confirmations(tx: DatabaseTransaction, keys: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """How many confirmations transactions have at the head known: merchant, transaction, count."""
    cursor = await tx.connection.execute(
        """
        SELECT t.merchant_id, t.transaction_id, CASE WHEN t.block_number IS NULL THEN 0 ELSE greatest(0, least(
            t.required_confirmations, c.head_number - t.block_number + 1))::integer END
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, transaction_id)
        JOIN wallet_transactions t USING (merchant_id, transaction_id) JOIN wallet_chains c ON c.network = t.network
        """,
        (integers([key[0] for key in keys]), integers([key[1] for key in keys])),
    )
    return [(merchant, transaction, count) for merchant, transaction, count in await cursor.fetchall()]


async def of_earmark(tx: DatabaseTransaction, merchant_id: int, earmark: Earmark) -> list[Transaction]:
    """The deposits of an earmark, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_transactions t
        WHERE t.merchant_id = %s AND t.earmark_kind = %s AND t.earmark_id = %s ORDER BY t.transaction_id
        """,
        (merchant_id, earmark.kind, earmark.subject_id),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


COUNTED_EXACTLY = 10_000
"""So many matches of a list are counted; of more the number is an estimate."""
_BOUND = str(COUNTED_EXACTLY + 1)


async def page(
    tx: DatabaseTransaction,
    merchant_id: int,
    filters: HistoryFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[Transaction]]:
    """How many transactions match, and a page of them, newest first.

    A wallet's history is read from two indexes (sent from it, received by it) and merged. Up to COUNTED_EXACTLY matches
    are counted, beyond that the planner's estimate is told: counting a million rows would take longer than the page.
    """
    conditions = [sql for sql, value in _conditions(filters) if value]
    where = " AND ".join(["t.merchant_id = %(merchant_id)s", *conditions])
    parameters = {
        "merchant_id": merchant_id,
        "wallet_id": filters.wallet_id,
        "reference": filters.merchant_transaction_id,
        "currency": filters.currency,
        "network": filters.network,
        "type": filters.transaction_type,
        "status": filters.status,
        "start": filters.start,
        "end": filters.end,
        "transaction_id": filters.transaction_id,
        "hash": filters.hash,
        "before": before,
        "offset": offset,
        "reach": offset + limit,
        "limit": limit,
    }
    sides = (
        ["TRUE"]
        if filters.wallet_id is None
        else ["t.wallet_id = %(wallet_id)s", "t.counter_wallet_id = %(wallet_id)s"]
    )
    total = await _count(tx, [f"{where} AND {side}" for side in sides], parameters)
    keyset = " AND t.transaction_id < %(before)s" if before is not None else ""
    rows = " UNION ALL ".join(
        f"(SELECT t.* FROM wallet_transactions t WHERE {where}{keyset} AND {side}"
        " ORDER BY t.transaction_id DESC LIMIT %(reach)s)"
        for side in sides
    )
    cursor = await tx.connection.execute(
        f"SELECT {COLUMNS} FROM ({rows}) t ORDER BY t.transaction_id DESC OFFSET %(offset)s LIMIT %(limit)s",
        parameters,
    )
    return total, [transaction_of(row) for row in await cursor.fetchall()]


async def _count(tx: DatabaseTransaction, conditions: Sequence[str], parameters: Mapping[str, Any]) -> int:
    limited = " UNION ALL ".join(
        f"(SELECT 1 FROM wallet_transactions t WHERE {condition} LIMIT {_BOUND})" for condition in conditions
    )
    cursor = await tx.connection.execute(f"SELECT count(*) FROM ({limited}) t", parameters)
    ((counted,),) = await cursor.fetchall()
    if counted <= COUNTED_EXACTLY:
        return int(counted)
    estimated = 0
    for condition in conditions:
        query = f"EXPLAIN (FORMAT JSON) SELECT FROM wallet_transactions t WHERE {condition}"
        cursor = await tx.connection.execute(query, parameters)
        ((plan,),) = await cursor.fetchall()
        estimated += int(plan[0]["Plan"]["Plan Rows"])
    return max(int(counted), estimated)


def _conditions(filters: HistoryFilter) -> list[tuple[str, bool]]:
    return [
        ("t.merchant_transaction_id = %(reference)s", filters.merchant_transaction_id is not None),
        ("t.currency = %(currency)s", filters.currency is not None),
        ("t.network = %(network)s", filters.network is not None),
        ("t.transaction_type = %(type)s", filters.transaction_type is not None),
        ("t.status = %(status)s", filters.status is not None),
        ("t.created_at >= %(start)s", filters.start is not None),
        ("t.created_at < %(end)s", filters.end is not None),
        ("t.transaction_id = %(transaction_id)s", filters.transaction_id is not None),
        ("t.hash = %(hash)s", filters.hash is not None),
    ]


async def pending_amounts(
    tx: DatabaseTransaction, wallets: Sequence[tuple[int, int]]
) -> dict[tuple[int, str, str], int]:
    """Sums of deposits still confirming, by wallet id, currency and network."""
    cursor = await tx.connection.execute(
        """
        SELECT t.wallet_id, t.currency, t.network, sum(t.amount)::text
        FROM (SELECT DISTINCT * FROM unnest(%s::bigint[], %s::bigint[])) g(merchant_id, wallet_id)
        JOIN wallet_transactions t USING (merchant_id, wallet_id)
        WHERE t.status = 'CONFIRMING' AND t.transaction_type = 'DEPOSIT'
        GROUP BY t.wallet_id, t.currency, t.network
        """,
        (integers([wallet[0] for wallet in wallets]), integers([wallet[1] for wallet in wallets])),
    )
    return {(wallet, currency, network): int(amount) for wallet, currency, network, amount in await cursor.fetchall()}


async def confirming_amounts(tx: DatabaseTransaction, network: str) -> dict[str, int]:
    """Sums of all merchants' deposits still confirming on a network, by currency."""
    cursor = await tx.connection.execute(
        """
        SELECT t.currency, sum(t.amount)::text FROM wallet_transactions t
        WHERE t.transaction_type = 'DEPOSIT' AND t.network = %s AND t.status = 'CONFIRMING' AND t.completed_at IS NULL
        GROUP BY t.currency
        """,
        (network,),
    )
    return {currency: int(amount) for currency, amount in await cursor.fetchall()}


async def lock_open(
    tx: DatabaseTransaction,
    kind: TransactionType,
    network: str,
    status: Status,
    *,
    up_to_block: int | None = None,
    updated_before: datetime | None = None,
    after: int = 0,
    limit: int = 500,
) -> list[Transaction]:
    """Unfinished transactions in a state, oldest first, after an id; what another worker holds is left to it."""
    condition = ""
    if up_to_block is not None:
        condition += " AND t.block_number <= %(block)s"
    if updated_before is not None:
        condition += " AND t.updated_at < %(updated_before)s"
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_transactions t
        WHERE t.transaction_type = %(kind)s AND t.network = %(network)s AND t.status = %(status)s
          AND t.completed_at IS NULL AND t.transaction_id > %(after)s{condition}
        ORDER BY t.transaction_id LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED
        """,
        {
            "kind": kind,
            "network": network,
            "status": status,
            "block": up_to_block,
            "updated_before": updated_before,
            "after": after,
            "limit": limit,
        },
    )
    return [transaction_of(row) for row in await cursor.fetchall()]
