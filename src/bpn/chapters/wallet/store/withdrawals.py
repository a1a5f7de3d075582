"""SQL of withdrawals and of the hot wallet's queue of nonces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bpn.chapters.wallet.model import Outgoing, OutgoingState, Transaction
from bpn.chapters.wallet.store.transactions import COLUMNS, transaction_of
from bpn.database.pool import Transaction as DatabaseTransaction


@dataclass(frozen=True, slots=True)
class Holds:
    """The ledger's holds of a withdrawal; no fee, no hold of it."""

    amount_hold_id: int
    fee_hold_id: int | None


async def insert(tx: DatabaseTransaction, transaction: Transaction, holds: Holds, *, unsent: bool) -> None:
    """Add what only a withdrawal has; `unsent` puts it before the hot wallet."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_withdrawals (merchant_id, transaction_id, network, amount_hold_id, fee_hold_id, unsent)
        VALUES (%s, %s, %s, %s, %s, %s)
        """,
        (
            transaction.merchant_id,
            transaction.transaction_id,
            transaction.amount.asset.network,
            holds.amount_hold_id,
            holds.fee_hold_id,
            unsent,
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


async def set_unsent(tx: DatabaseTransaction, transaction: Transaction, *, unsent: bool) -> None:
    """Put a withdrawal before the hot wallet, or take it away."""
    await tx.connection.execute(
        "UPDATE wallet_withdrawals SET unsent = %s WHERE merchant_id = %s AND transaction_id = %s",
        (unsent, transaction.merchant_id, transaction.transaction_id),
    )


async def lock_unsent(tx: DatabaseTransaction, network: str, limit: int) -> list[Transaction]:
    """Withdrawals that wait for a nonce, oldest first, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_withdrawals w
        JOIN wallet_transactions t ON t.merchant_id = w.merchant_id AND t.transaction_id = w.transaction_id
        WHERE w.network = %s AND w.unsent ORDER BY w.transaction_id LIMIT %s FOR UPDATE OF w, t SKIP LOCKED
        """,
        (network, limit),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


_OUTGOING = """
    network, nonce, merchant_id, transaction_id, contract, recipient, amount::text, gas_limit, max_fee::text,
    priority_fee::text, raw, hash, state, block_number, broadcast_at, taken_at_block
"""


async def insert_outgoing(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """Give a nonce to a transfer."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_outgoing (network, nonce, merchant_id, transaction_id, contract, recipient, amount,
                                     gas_limit, max_fee, priority_fee, state)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            outgoing.network,
            outgoing.nonce,
            outgoing.merchant_id,
            outgoing.transaction_id,
            outgoing.contract,
            outgoing.recipient,
            outgoing.amount,
            outgoing.gas_limit,
            outgoing.max_fee,
            outgoing.priority_fee,
            outgoing.state,
        ),
    )


async def open_outgoing(tx: DatabaseTransaction, network: str, states: Sequence[OutgoingState]) -> list[Outgoing]:
    """Nonces not settled yet that are in one of these states, in order."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_OUTGOING} FROM wallet_outgoing
        WHERE network = %s AND state <> 'settled' AND state = ANY(%s) ORDER BY nonce
        """,
        (network, list(states)),
    )
    return [_outgoing(row) for row in await cursor.fetchall()]


async def lock_outgoing(tx: DatabaseTransaction, network: str, nonce: int) -> Outgoing:
    """One nonce, held."""
    cursor = await tx.connection.execute(
        f"SELECT {_OUTGOING} FROM wallet_outgoing WHERE network = %s AND nonce = %s FOR UPDATE", (network, nonce)
    )
    (row,) = await cursor.fetchall()
    return _outgoing(row)


async def save_outgoing(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """Write how far a nonce has come; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE wallet_outgoing SET raw = %s, hash = %s, state = %s, block_number = %s, broadcast_at = %s,
                                   taken_at_block = %s
        WHERE network = %s AND nonce = %s
        """,
        (
            outgoing.raw,
            outgoing.hash,
            outgoing.state,
            outgoing.block_number,
            outgoing.broadcast_at,
            outgoing.taken_at_block,
            outgoing.network,
            outgoing.nonce,
        ),
    )


def _outgoing(row: Sequence[Any]) -> Outgoing:
    return Outgoing(
        network=row[0],
        nonce=row[1],
        merchant_id=row[2],
        transaction_id=row[3],
        contract=row[4],
        recipient=row[5],
        amount=int(row[6]),
        gas_limit=row[7],
        max_fee=int(row[8]),
        priority_fee=int(row[9]),
        raw=row[10],
        hash=row[11],
        state=OutgoingState(row[12]),
        block_number=row[13],
        broadcast_at=row[14],
        taken_at_block=row[15],
    )
