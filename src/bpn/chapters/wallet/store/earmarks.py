"""SQL of earmarks and their addresses."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.wallet.model import Earmark, Transaction
from bpn.chapters.wallet.store.transactions import COLUMNS, transaction_of
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import texts
from bpn.kernel.encryption import Cipher


async def insert(
    tx: DatabaseTransaction,
    merchant_id: int,
    earmark: Earmark,
    *,
    wallet_id: int,
    address_index: int,
    sender_required: bool,
) -> None:
    """Add an earmark."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_earmarks (merchant_id, kind, subject_id, wallet_id, address_index, sender_required,
                                     created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (merchant_id, earmark.kind, earmark.subject_id, wallet_id, address_index, sender_required, tx.now),
    )


async def insert_addresses(
    tx: DatabaseTransaction, merchant_id: int, earmark: Earmark, networks: Sequence[str], address: str
) -> None:
    """Watch an address for an earmark on networks."""
    await tx.connection.execute(
        """
        INSERT INTO directory (kind, value, merchant_id)
        SELECT 'address:' || g.network, %s, %s FROM unnest(%s::text[]) g(network)
        """,
        (address, merchant_id, texts(networks)),
    )
    await tx.connection.execute(
        """
        INSERT INTO wallet_earmark_addresses (merchant_id, network, address, kind, subject_id)
        SELECT %s, g.network, %s, %s, %s FROM unnest(%s::text[]) g(network)
        """,
        (merchant_id, address, earmark.kind, earmark.subject_id, texts(networks)),
    )


async def set_sender(tx: DatabaseTransaction, cipher: Cipher, merchant_id: int, earmark: Earmark, details: str) -> None:
    """Keep the details of whoever pays to an earmark, sealed."""
    await tx.connection.execute(
        "UPDATE wallet_earmarks SET sealed_sender = %s WHERE merchant_id = %s AND kind = %s AND subject_id = %s",
        (cipher.seal(details.encode(), _sender_place(earmark)), merchant_id, earmark.kind, earmark.subject_id),
    )


async def find_sender(
    tx: DatabaseTransaction, cipher: Cipher, merchant_id: int, earmark: Earmark
) -> tuple[bool, str | None]:
    """Whether an earmark's deposits need their sender's details, and those known beforehand, as JSON."""
    cursor = await tx.connection.execute(
        """
        SELECT sender_required, sealed_sender FROM wallet_earmarks
        WHERE merchant_id = %s AND kind = %s AND subject_id = %s
        """,
        (merchant_id, earmark.kind, earmark.subject_id),
    )
    (row,) = await cursor.fetchall()
    return row[0], None if row[1] is None else cipher.open(row[1], _sender_place(earmark)).decode()


async def list_cleared(tx: DatabaseTransaction, kind: str, limit: int) -> list[Transaction]:
    """Deposits that wait for an owner of this kind, oldest first, held; those that another worker holds are left."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_deposits d JOIN wallet_transactions t USING (merchant_id, transaction_id)
        WHERE d.cleared_at IS NOT NULL AND t.earmark_kind = %s AND t.status = 'SCREENING'
        ORDER BY d.cleared_at LIMIT %s FOR UPDATE OF t SKIP LOCKED
        """,
        (kind, limit),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


def _sender_place(earmark: Earmark) -> str:
    return f"wallet_earmarks/{earmark.kind}/{earmark.subject_id}"
