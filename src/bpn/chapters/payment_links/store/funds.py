"""SQL of abnormal funds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.payment_links.model import AbnormalFund, FundAction, FundFilter, FundStatus, Label, PaymentLink
from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money

_COLUMNS = """
    f.merchant_id, f.abnormal_fund_id, f.transaction_id, f.part, f.payment_id, f.linked_payment_id, f.wallet_id,
    f.currency, f.network, f.scale, f.amount::text, f.hash, f.from_address, f.labels, f.status, f.action,
    f.refund_address, f.reason, f.fee::text, f.refund_transaction_id, f.refund_hash, f.created_at, f.updated_at
"""


def _fund(row: Sequence[Any]) -> AbnormalFund:
    asset = Asset(row[7], row[8], row[9])
    return AbnormalFund(
        merchant_id=row[0],
        abnormal_fund_id=row[1],
        transaction_id=row[2],
        part=row[3],
        payment_id=row[4],
        linked_payment_id=row[5],
        wallet_id=row[6],
        amount=Money(int(row[10]), asset),
        hash=row[11],
        from_address=row[12],
        labels=tuple(Label(label) for label in row[13]),
        status=FundStatus(row[14]),
        action=None if row[15] is None else FundAction(row[15]),
        refund_address=row[16],
        reason=row[17],
        fee=None if row[18] is None else Money(int(row[18]), asset),
        refund_transaction_id=row[19],
        refund_hash=row[20],
        created_at=row[21],
        updated_at=row[22],
    )


async def put(tx: Transaction, fund: AbnormalFund) -> None:
    """Write a fund as it is now; an existing one is held by the caller."""
    asset = fund.amount.asset
    await tx.connection.execute(
        """
        INSERT INTO payment_link_funds (
            merchant_id, abnormal_fund_id, transaction_id, part, payment_id, linked_payment_id, wallet_id, currency,
            network, scale, amount, hash, from_address, labels, status, action, refund_address, reason, fee,
            refund_transaction_id, refund_hash, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (merchant_id, abnormal_fund_id) DO UPDATE
            SET linked_payment_id = excluded.linked_payment_id, amount = excluded.amount, labels = excluded.labels,
                status = excluded.status, action = excluded.action, refund_address = excluded.refund_address,
                reason = excluded.reason, fee = excluded.fee, refund_transaction_id = excluded.refund_transaction_id,
                refund_hash = excluded.refund_hash, updated_at = excluded.updated_at
        """,
        (
            fund.merchant_id,
            fund.abnormal_fund_id,
            fund.transaction_id,
            fund.part,
            fund.payment_id,
            fund.linked_payment_id,
            fund.wallet_id,
            asset.currency,
            asset.network,
            asset.scale,
            fund.amount.minor,
            fund.hash,
            fund.from_address,
            [label.value for label in fund.labels],
            fund.status,
            fund.action,
            fund.refund_address,
            fund.reason,
            None if fund.fee is None else fund.fee.minor,
            fund.refund_transaction_id,
            fund.refund_hash,
            fund.created_at,
            fund.updated_at,
        ),
    )


async def find(tx: Transaction, merchant_id: int, abnormal_fund_id: int) -> AbnormalFund | None:
    """A fund of a merchant."""
    return await _one(tx, "f.merchant_id = %s AND f.abnormal_fund_id = %s", (merchant_id, abnormal_fund_id))


async def lock(tx: Transaction, merchant_id: int, abnormal_fund_id: int) -> AbnormalFund | None:
    """A fund, held until this transaction ends."""
    return await _one(tx, "f.merchant_id = %s AND f.abnormal_fund_id = %s FOR UPDATE", (merchant_id, abnormal_fund_id))


async def lock_by_refund(tx: Transaction, merchant_id: int, transaction_id: int) -> AbnormalFund | None:
    """The fund that a withdrawal refunds, held."""
    return await _one(
        tx, "f.merchant_id = %s AND f.refund_transaction_id = %s FOR UPDATE", (merchant_id, transaction_id)
    )


async def _one(tx: Transaction, condition: Any, parameters: tuple[object, ...]) -> AbnormalFund | None:
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM payment_link_funds f WHERE " + condition, parameters)
    row = await cursor.fetchone()
    return None if row is None else _fund(row)


async def lock_of_deposit(tx: Transaction, merchant_id: int, transaction_id: int) -> list[AbnormalFund]:
    """The funds that a deposit left, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_link_funds f WHERE f.merchant_id = %s AND f.transaction_id = %s
        ORDER BY f.part FOR UPDATE
        """,
        (merchant_id, transaction_id),
    )
    return [_fund(row) for row in await cursor.fetchall()]


async def lock_linked(tx: Transaction, link: PaymentLink) -> list[AbnormalFund]:
    """The funds linked to a link, oldest first, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_link_funds f WHERE f.merchant_id = %s AND f.linked_payment_id = %s
          AND f.status = 'LINKED' ORDER BY f.abnormal_fund_id FOR UPDATE
        """,
        (link.merchant_id, link.payment_id),
    )
    return [_fund(row) for row in await cursor.fetchall()]


async def linked_to(tx: Transaction, links: Sequence[PaymentLink]) -> dict[int, list[AbnormalFund]]:
    """The funds linked to these links, by payment id, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, linked_payment_id)
        JOIN payment_link_funds f USING (merchant_id, linked_payment_id)
        WHERE f.status = 'LINKED' ORDER BY f.abnormal_fund_id
        """,
        (integers([link.merchant_id for link in links]), integers([link.payment_id for link in links])),
    )
    found: dict[int, list[AbnormalFund]] = {link.payment_id: [] for link in links}
    for fund in map(_fund, await cursor.fetchall()):
        found[fund.linked_payment_id or 0].append(fund)
    return found


async def page(
    tx: Transaction, merchant_id: int, filters: FundFilter, *, before: int | None, offset: int, limit: int
) -> tuple[int, list[AbnormalFund]]:
    """How many funds match, and a page of them, newest first."""
    conditions = ["f.merchant_id = %(merchant_id)s"]
    conditions += [
        sql
        for sql, value in (
            ("f.status = %(status)s", filters.status),
            ("f.payment_id = %(payment_id)s", filters.payment_id),
            ("f.currency = %(currency)s", filters.currency),
            ("f.network = %(network)s", filters.network),
            ("f.created_at >= %(start)s", filters.start),
            ("f.created_at < %(end)s", filters.end),
        )
        if value is not None
    ]
    where = " AND ".join(conditions)
    parameters = {
        "merchant_id": merchant_id,
        "status": filters.status,
        "payment_id": filters.payment_id,
        "currency": filters.currency,
        "network": filters.network,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM payment_link_funds f WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND f.abnormal_fund_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_link_funds f WHERE {where}{keyset}
        ORDER BY f.abnormal_fund_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_fund(row) for row in await cursor.fetchall()]


async def waiting(tx: Transaction, limit: int) -> list[AbnormalFund]:
    """Funds of all merchants that wait for the operator, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_link_funds f WHERE f.status IN ('SUBMITTED', 'FROZEN', 'REFUND_FAILED')
        ORDER BY f.abnormal_fund_id LIMIT %s
        """,
        (limit,),
    )
    return [_fund(row) for row in await cursor.fetchall()]
