"""SQL of payments: the deposits that came to links' addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.payment_links.model import Label, Payment, PaymentLink, PaymentStatus
from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money

_COLUMNS = """
    p.merchant_id, p.payment_id, p.transaction_id, p.currency, p.network, p.scale, p.amount::text, p.counted::text,
    p.status, p.labels, p.hash, p.from_address, p.to_address, p.block_time, p.confirmations, p.required_confirmations,
    p.created_at, p.updated_at
"""


def _payment(row: Sequence[Any]) -> Payment:
    asset = Asset(row[3], row[4], row[5])
    return Payment(
        merchant_id=row[0],
        payment_id=row[1],
        transaction_id=row[2],
        amount=Money(int(row[6]), asset),
        counted=Money(int(row[7]), asset),
        status=PaymentStatus(row[8]),
        labels=tuple(Label(label) for label in row[9]),
        hash=row[10],
        from_address=row[11],
        to_address=row[12],
        block_time=row[13],
        confirmations=row[14],
        required_confirmations=row[15],
        created_at=row[16],
        updated_at=row[17],
    )


async def put(tx: Transaction, payment: Payment) -> None:
    """Write a payment as it is now; the caller holds its link's row."""
    await tx.connection.execute(
        """
        INSERT INTO payment_link_payments (
            merchant_id, payment_id, transaction_id, currency, network, scale, amount, counted, status, labels, hash,
            from_address, to_address, block_time, confirmations, required_confirmations, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (merchant_id, transaction_id) DO UPDATE
            SET counted = excluded.counted, status = excluded.status, labels = excluded.labels,
                block_time = excluded.block_time, confirmations = excluded.confirmations,
                updated_at = excluded.updated_at
        """,
        (
            payment.merchant_id,
            payment.payment_id,
            payment.transaction_id,
            payment.amount.asset.currency,
            payment.amount.asset.network,
            payment.amount.asset.scale,
            payment.amount.minor,
            payment.counted.minor,
            payment.status,
            [label.value for label in payment.labels],
            payment.hash,
            payment.from_address,
            payment.to_address,
            payment.block_time,
            payment.confirmations,
            payment.required_confirmations,
            payment.created_at,
            payment.updated_at,
        ),
    )


async def of_links(tx: Transaction, links: Sequence[PaymentLink]) -> dict[int, list[Payment]]:
    """What came for these links, by payment id, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, payment_id)
        JOIN payment_link_payments p USING (merchant_id, payment_id) ORDER BY p.transaction_id
        """,
        (integers([link.merchant_id for link in links]), integers([link.payment_id for link in links])),
    )
    found: dict[int, list[Payment]] = {link.payment_id: [] for link in links}
    for payment in map(_payment, await cursor.fetchall()):
        found[payment.payment_id].append(payment)
    return found


async def find(tx: Transaction, merchant_id: int, transaction_id: int) -> Payment | None:
    """A payment by the deposit that it is."""
    cursor = await tx.connection.execute(
        f"SELECT {_COLUMNS} FROM payment_link_payments p WHERE p.merchant_id = %s AND p.transaction_id = %s",
        (merchant_id, transaction_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _payment(row)


async def confirming(tx: Transaction, network: str, limit: int) -> list[Payment]:
    """Payments of a network that are being confirmed, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM payment_link_payments p WHERE p.network = %s AND p.status = 'CONFIRMING'
        ORDER BY p.transaction_id LIMIT %s
        """,
        (network, limit),
    )
    return [_payment(row) for row in await cursor.fetchall()]


async def set_confirmations(tx: Transaction, counts: Sequence[tuple[int, int, int]]) -> list[int]:
    """Note how many confirmations payments have (merchant, transaction, count); the links of those that changed."""
    cursor = await tx.connection.execute(
        """
        UPDATE payment_link_payments p SET confirmations = g.confirmations
        FROM unnest(%s::bigint[], %s::bigint[], %s::integer[]) g(merchant_id, transaction_id, confirmations)
        WHERE p.merchant_id = g.merchant_id AND p.transaction_id = g.transaction_id AND p.status = 'CONFIRMING'
          AND p.confirmations <> g.confirmations
        RETURNING p.payment_id
        """,
        (
            integers([count[0] for count in counts]),
            integers([count[1] for count in counts]),
            integers([count[2] for count in counts]),
        ),
    )
    return [payment_id for (payment_id,) in await cursor.fetchall()]
