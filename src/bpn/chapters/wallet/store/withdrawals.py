"""SQL of what only withdrawals and refunds have: their holds, and whether they wait for a nonce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bpn.chapters.wallet.model import Transaction
from bpn.chapters.wallet.model.outgoing import Purpose
from bpn.chapters.wallet.store.transactions import COLUMNS, transaction_of
from bpn.database.pool import Transaction as DatabaseTransaction


@dataclass(frozen=True, slots=True)
class Holds:
    """The ledger's holds of a withdrawal; no fee, no hold of it."""

    amount_hold_id: int
    fee_hold_id: int | None


async def insert(
    tx: DatabaseTransaction,
    transaction: Transaction,
    holds: Holds,
    purpose: Purpose,
    *,
    unsent: bool,
    deposit_id: int | None = None,
) -> None:
    """Add what only a withdrawal or refund has; `unsent` puts it before the hot wallet."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_withdrawals (merchant_id, transaction_id, network, amount_hold_id, fee_hold_id, unsent,
                                        purpose, deposit_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            transaction.merchant_id,
            transaction.transaction_id,
            transaction.amount.asset.network,
            holds.amount_hold_id,
            holds.fee_hold_id,
            unsent,
            purpose,
            deposit_id,
        ),
    )


async def holds_of(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> Holds:
    """The holds of a withdrawal."""
    cursor = await tx.connection.execute(
        "SELECT amount_hold_id, fee_hold_id FROM wallet_withdrawals WHERE merchant_id = %s AND transaction_id = %s",
        (merchant_id, transaction_id),
    )
    (row,) = await cursor.fetchall()
    return Holds(*row)


async def set_unsent(tx: DatabaseTransaction, merchant_id: int, transaction_id: int, *, unsent: bool) -> None:
    """Put a withdrawal before the hot wallet, or take it away."""
    await tx.connection.execute(
        "UPDATE wallet_withdrawals SET unsent = %s WHERE merchant_id = %s AND transaction_id = %s",
        (unsent, merchant_id, transaction_id),
    )


async def deposit_of(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> int:
    """The deposit that a refund returns."""
    cursor = await tx.connection.execute(
        "SELECT deposit_id FROM wallet_withdrawals WHERE merchant_id = %s AND transaction_id = %s",
        (merchant_id, transaction_id),
    )
    (row,) = await cursor.fetchall()
    return int(row[0])


async def lock_unsent(
    tx: DatabaseTransaction, network: str, purpose: Purpose, screened_since: datetime, after: int, limit: int
) -> list[Transaction]:
    """What waits for a nonce for a purpose, of ids after one, oldest first, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_withdrawals w
        JOIN wallet_transactions t ON t.merchant_id = w.merchant_id AND t.transaction_id = w.transaction_id
        WHERE w.network = %s AND w.purpose = %s AND w.unsent AND w.transaction_id > %s
          AND (w.purpose <> %s OR w.screened_at >= %s)
        ORDER BY w.transaction_id LIMIT %s FOR UPDATE OF w, t SKIP LOCKED
        """,
        (network, purpose, after, Purpose.WITHDRAWAL, screened_since, limit),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


async def unscreened(tx: DatabaseTransaction, network: str, before: datetime, limit: int) -> list[Transaction]:
    """Withdrawals that wait for a nonce and were not looked up, or not since a time; oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_withdrawals w
        JOIN wallet_transactions t ON t.merchant_id = w.merchant_id AND t.transaction_id = w.transaction_id
        WHERE w.network = %s AND w.unsent AND w.purpose = %s AND (w.screened_at IS NULL OR w.screened_at < %s)
        ORDER BY w.transaction_id LIMIT %s
        """,
        (network, Purpose.WITHDRAWAL, before, limit),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


async def lock_if_unsent(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> bool:
    """Whether it still waits for a nonce; held if so."""
    cursor = await tx.connection.execute(
        "SELECT 1 FROM wallet_withdrawals WHERE merchant_id = %s AND transaction_id = %s AND unsent FOR UPDATE",
        (merchant_id, transaction_id),
    )
    return await cursor.fetchone() is not None


async def set_screened(tx: DatabaseTransaction, merchant_id: int, transaction_id: int) -> None:
    """Note that the recipient was looked up now, without a hit."""
    await tx.connection.execute(
        "UPDATE wallet_withdrawals SET screened_at = %s WHERE merchant_id = %s AND transaction_id = %s",
        (tx.now, merchant_id, transaction_id),
    )
