"""SQL of payouts in dollars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.provider.model import PayoutFilter, UsdPayout
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money

_COLUMNS = """
    p.merchant_id, p.payout_id, p.merchant_order_id, p.bank_account_id, p.amount::text, p.fee::text, p.status, p.reason,
    p.created_at, p.updated_at, p.completed_at
"""


def _payout(dollar: Asset, row: Sequence[Any]) -> UsdPayout:
    return UsdPayout(
        merchant_id=row[0],
        payout_id=row[1],
        merchant_order_id=row[2],
        bank_account_id=row[3],
        amount=Money(int(row[4]), dollar),
        fee=Money(int(row[5]), dollar),
        status=row[6],
        reason=row[7],
        created_at=row[8],
        updated_at=row[9],
        completed_at=row[10],
    )


async def insert(tx: Transaction, payout: UsdPayout) -> None:
    """Add a payout."""
    await tx.connection.execute(
        """
        INSERT INTO usd_payouts (
            merchant_id, payout_id, merchant_order_id, bank_account_id, amount, fee, status, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            payout.merchant_id,
            payout.payout_id,
            payout.merchant_order_id,
            payout.bank_account_id,
            payout.amount.minor,
            payout.fee.minor,
            payout.status,
            payout.created_at,
            payout.updated_at,
        ),
    )


async def save(tx: Transaction, payout: UsdPayout) -> None:
    """Write what may change of a payout; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE usd_payouts SET status = %s, reason = %s, updated_at = %s, completed_at = %s
        WHERE merchant_id = %s AND payout_id = %s
        """,
        (
            payout.status,
            payout.reason,
            payout.updated_at,
            payout.completed_at,
            payout.merchant_id,
            payout.payout_id,
        ),
    )


async def lock(tx: Transaction, dollar: Asset, merchant_id: int, payout_id: int) -> UsdPayout | None:
    """A payout, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM usd_payouts p WHERE merchant_id = %s AND payout_id = %s FOR UPDATE",
        (merchant_id, payout_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _payout(dollar, row)


async def find(
    tx: Transaction, dollar: Asset, merchant_id: int, *, payout_id: int | None, merchant_order_id: str | None
) -> UsdPayout | None:
    """A payout by our id or by the merchant's."""
    condition = "p.payout_id = %s" if payout_id is not None else "p.merchant_order_id = %s"
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM usd_payouts p WHERE p.merchant_id = %s AND {condition}",
        (merchant_id, merchant_order_id if payout_id is None else payout_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _payout(dollar, row)


async def page(
    tx: Transaction,
    dollar: Asset,
    merchant_id: int,
    filters: PayoutFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[UsdPayout]]:
    """How many payouts match, and a page of them, newest first."""
    where = "p.merchant_id = %(merchant_id)s"
    if filters.status is not None:
        where += " AND p.status = %(status)s"
    parameters = {
        "merchant_id": merchant_id,
        "status": filters.status,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM usd_payouts p WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND p.payout_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM usd_payouts p WHERE {where}{keyset}
        ORDER BY p.payout_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_payout(dollar, row) for row in await cursor.fetchall()]
