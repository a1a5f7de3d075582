"""SQL of collection orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bpn.chapters.provider.model import (
    AcceptStatus,
    AmlStatus,
    CollectionFilter,
    CollectionOrder,
    CollectionQuote,
    OrderStatus,
    RefundStatus,
    RiskLevel,
)
from bpn.database.pool import Transaction
from bpn.kernel.assets import Assets
from bpn.kernel.money import Money

_COLUMNS = """
    o.merchant_id, o.order_id, o.wallet_id, o.account_name, o.transaction_id, o.asset, o.amount::text, o.address,
    o.payer_address, o.hash, o.status, o.accept_status, o.aml_status, o.risk_level, o.quote_id, o.quote_price,
    o.quote_fee::text, o.quote_received::text, o.quote_expires_at, o.accept_deadline, o.accepted_at, o.reason,
    o.refund_address, o.refund_transaction_id, o.refund_status, o.refund_hash, o.created_at, o.updated_at,
    o.completed_at
"""


def _order(assets: Assets, row: Sequence[Any]) -> CollectionOrder:
    dollar = assets.by_code("USD")
    quote = None
    if row[14] is not None:
        quote = CollectionQuote(row[14], row[15], Money(int(row[16]), dollar), Money(int(row[17]), dollar), row[18])
    return CollectionOrder(
        merchant_id=row[0],
        order_id=row[1],
        wallet_id=row[2],
        account_name=row[3],
        transaction_id=row[4],
        amount=Money(int(row[6]), assets.by_code(row[5])),
        address=row[7],
        payer_address=row[8],
        hash=row[9],
        status=OrderStatus(row[10]),
        accept_status=AcceptStatus(row[11]),
        aml_status=AmlStatus(row[12]),
        risk_level=RiskLevel(row[13]),
        quote=quote,
        accept_deadline=row[19],
        accepted_at=row[20],
        reason=row[21],
        refund_address=row[22],
        refund_transaction_id=row[23],
        refund_status=None if row[24] is None else RefundStatus(row[24]),
        refund_hash=row[25],
        created_at=row[26],
        updated_at=row[27],
        completed_at=row[28],
    )


async def insert(tx: Transaction, order: CollectionOrder) -> bool:
    """Add an order; false if its deposit has one."""
    cursor = await tx.connection.execute(
        """
        INSERT INTO collection_orders (
            merchant_id, order_id, wallet_id, account_name, transaction_id, asset, amount, address, payer_address, hash,
            status, accept_status, aml_status, risk_level, accept_deadline, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (merchant_id, transaction_id) DO NOTHING
        """,
        (
            order.merchant_id,
            order.order_id,
            order.wallet_id,
            order.account_name,
            order.transaction_id,
            order.amount.asset.code,
            order.amount.minor,
            order.address,
            order.payer_address,
            order.hash,
            order.status,
            order.accept_status,
            order.aml_status,
            order.risk_level,
            order.accept_deadline,
            order.created_at,
            order.updated_at,
        ),
    )
    return bool(cursor.rowcount)


async def save(tx: Transaction, order: CollectionOrder) -> None:
    """Write what may change of an order; the caller holds its row."""
    quote = order.quote
    await tx.connection.execute(
        """
        UPDATE collection_orders
        SET status = %s, accept_status = %s, aml_status = %s, risk_level = %s, quote_id = %s, quote_price = %s,
            quote_fee = %s, quote_received = %s, quote_expires_at = %s, accept_deadline = %s, accepted_at = %s,
            reason = %s, refund_address = %s, refund_transaction_id = %s, refund_status = %s, refund_hash = %s,
            updated_at = %s, completed_at = %s
        WHERE merchant_id = %s AND order_id = %s
        """,
        (
            order.status,
            order.accept_status,
            order.aml_status,
            order.risk_level,
            None if quote is None else quote.quote_id,
            None if quote is None else quote.price,
            None if quote is None else quote.fee.minor,
            None if quote is None else quote.received.minor,
            None if quote is None else quote.expires_at,
            order.accept_deadline,
            order.accepted_at,
            order.reason,
            order.refund_address,
            order.refund_transaction_id,
            order.refund_status,
            order.refund_hash,
            order.updated_at,
            order.completed_at,
            order.merchant_id,
            order.order_id,
        ),
    )


async def find(tx: Transaction, assets: Assets, merchant_id: int, order_id: int) -> CollectionOrder | None:
    """An order."""
    return await _one(tx, assets, "o.merchant_id = %s AND o.order_id = %s", (merchant_id, order_id))


async def lock(tx: Transaction, assets: Assets, merchant_id: int, order_id: int) -> CollectionOrder | None:
    """An order, held until this transaction ends."""
    return await _one(tx, assets, "o.merchant_id = %s AND o.order_id = %s FOR UPDATE", (merchant_id, order_id))


async def lock_by_deposit(
    tx: Transaction, assets: Assets, merchant_id: int, transaction_id: int
) -> CollectionOrder | None:
    """The order of a deposit, held until this transaction ends."""
    condition = "o.merchant_id = %s AND o.transaction_id = %s FOR UPDATE"
    return await _one(tx, assets, condition, (merchant_id, transaction_id))


async def lock_by_refund(
    tx: Transaction, assets: Assets, merchant_id: int, transaction_id: int
) -> CollectionOrder | None:
    """The order that a refund is of, held until this transaction ends."""
    condition = "o.merchant_id = %s AND o.refund_transaction_id = %s FOR UPDATE"
    return await _one(tx, assets, condition, (merchant_id, transaction_id))


async def _one(
    tx: Transaction, assets: Assets, condition: Any, parameters: tuple[object, ...]
) -> CollectionOrder | None:
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM collection_orders o WHERE " + condition, parameters)
    row = await cursor.fetchone()
    return None if row is None else _order(assets, row)


async def lock_overdue(tx: Transaction, assets: Assets, now: datetime, limit: int) -> list[CollectionOrder]:
    """Orders whose deadline is over, held; those that another worker holds are left to it."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM collection_orders o
        WHERE o.accept_status = 'ACCEPTING' AND o.accept_deadline <= %s
        ORDER BY o.accept_deadline LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        (now, limit),
    )
    return [_order(assets, row) for row in await cursor.fetchall()]


async def page(
    tx: Transaction,
    assets: Assets,
    merchant_id: int,
    filters: CollectionFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[CollectionOrder]]:
    """How many orders match, and a page of them, newest first."""
    conditions = ["o.merchant_id = %(merchant_id)s"]
    conditions += [
        sql
        for sql, value in (
            ("o.wallet_id = %(wallet_id)s", filters.wallet_id),
            ("o.status = %(status)s", filters.status),
            ("o.accept_status = %(accept_status)s", filters.accept_status),
            ("o.created_at >= %(start)s", filters.start),
            ("o.created_at < %(end)s", filters.end),
        )
        if value is not None
    ]
    where = " AND ".join(conditions)
    parameters = {
        "merchant_id": merchant_id,
        "wallet_id": filters.wallet_id,
        "status": filters.status,
        "accept_status": filters.accept_status,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM collection_orders o WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND o.order_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM collection_orders o WHERE {where}{keyset}
        ORDER BY o.order_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_order(assets, row) for row in await cursor.fetchall()]
