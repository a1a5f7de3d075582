"""SQL of payments that the bank has to make, in batches that never change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bpn.chapters.accounts.model import Order, PaymentState
from bpn.chapters.accounts.store.orders import COLUMNS, order_of
from bpn.database.pool import Transaction
from bpn.database.rows import integers, texts
from bpn.kernel.encryption import Cipher

DIRECTORY_KIND = "bank_payment"


async def insert(tx: Transaction, orders: Sequence[Order], state: PaymentState) -> None:
    """Add the intents of orders, and let what the bank says of them be found."""
    merchants = integers([order.merchant_id for order in orders])
    numbers = [order.order_id for order in orders]
    await tx.connection.execute(
        """
        INSERT INTO directory (kind, value, merchant_id) SELECT %s, * FROM unnest(%s::text[], %s::bigint[])
        """,
        (DIRECTORY_KIND, texts([str(number) for number in numbers]), merchants),
    )
    await tx.connection.execute(
        """
        INSERT INTO bank_payments (state, merchant_id, order_id, source)
        SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::text[])
        """,
        (state, merchants, integers(numbers), texts([order.source for order in orders])),
    )


async def find_merchants(tx: Transaction, order_ids: Sequence[int]) -> dict[int, int]:
    """Whose payments these are, by order id."""
    cursor = await tx.connection.execute(
        "SELECT d.value, d.merchant_id FROM unnest(%s::text[]) g(value) JOIN directory d ON d.kind = %s"
        " AND d.value = g.value",
        (texts([str(order_id) for order_id in order_ids]), DIRECTORY_KIND),
    )
    return {int(value): merchant_id for value, merchant_id in await cursor.fetchall()}


async def set_state(
    tx: Transaction, merchant_id: int, order_id: int, state: PaymentState, *, screened: bool = False
) -> None:
    """Move a payment on; the caller holds its order. `screened`: its payee has been looked up."""
    await tx.connection.execute(
        """
        UPDATE bank_payments SET state = %s, screened = screened OR %s WHERE merchant_id = %s AND order_id = %s
        """,
        (state, screened, merchant_id, order_id),
    )


async def standing(tx: Transaction, merchant_id: int, order_id: int) -> tuple[PaymentState, bool]:
    """How far a payment is, and whether its payee has been looked up."""
    cursor = await tx.connection.execute(
        "SELECT state, screened FROM bank_payments WHERE merchant_id = %s AND order_id = %s", (merchant_id, order_id)
    )
    (row,) = await cursor.fetchall()
    return PaymentState(row[0]), row[1]


async def due(tx: Transaction, cipher: Cipher, source: str, state: PaymentState, limit: int) -> list[Order]:
    """Orders whose payment is in a state, oldest first, held; those that another worker holds are left to it."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM bank_payments p
        JOIN virtual_account_orders o ON o.merchant_id = p.merchant_id AND o.order_id = p.order_id
        WHERE p.source = %s AND p.state = %s ORDER BY p.order_id LIMIT %s FOR UPDATE OF p, o SKIP LOCKED
        """,
        (source, state, limit),
    )
    return [order_of(cipher, row) for row in await cursor.fetchall()]


async def insert_batch(tx: Transaction, source: str, batch_id: int, orders: Sequence[Order]) -> None:
    """Decide for ever that these payments leave together; the caller holds them."""
    await tx.connection.execute(
        "INSERT INTO bank_batches (source, batch_id, created_at) VALUES (%s, %s, %s)", (source, batch_id, tx.now)
    )
    await tx.connection.execute(
        """
        UPDATE bank_payments p SET state = 'given', batch_id = %s
        FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, order_id)
        WHERE p.merchant_id = g.merchant_id AND p.order_id = g.order_id
        """,
        (batch_id, integers([o.merchant_id for o in orders]), integers([o.order_id for o in orders])),
    )


async def unsent_batches(tx: Transaction, source: str) -> list[tuple[int, datetime]]:
    """Batches that the bank may not have, oldest first: id and time."""
    cursor = await tx.connection.execute(
        "SELECT batch_id, created_at FROM bank_batches WHERE source = %s AND sent_at IS NULL ORDER BY batch_id",
        (source,),
    )
    return [(batch_id, created_at) for batch_id, created_at in await cursor.fetchall()]


async def of_batch(tx: Transaction, cipher: Cipher, source: str, batch_id: int) -> list[tuple[Order, str | None]]:
    """The orders of a batch, in order, each with the rail's reference of the pay-in that it gives back."""
    cursor = await tx.connection.execute(
        f"""
        SELECT c.rail_reference, {COLUMNS} FROM bank_payments p
        JOIN virtual_account_orders o ON o.merchant_id = p.merchant_id AND o.order_id = p.order_id
        LEFT JOIN virtual_account_orders c ON c.merchant_id = o.merchant_id AND c.order_id = o.counter_order_id
        WHERE p.source = %s AND p.batch_id = %s ORDER BY p.order_id
        """,
        (source, batch_id),
    )
    return [(order_of(cipher, row[1:]), row[0]) for row in await cursor.fetchall()]


async def mark_sent(tx: Transaction, source: str, batch_id: int) -> None:
    """Note that the bank has a batch."""
    await tx.connection.execute(
        "UPDATE bank_batches SET sent_at = %s WHERE source = %s AND batch_id = %s AND sent_at IS NULL",
        (tx.clock.wall(), source, batch_id),
    )
