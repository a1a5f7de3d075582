"""SQL of what only deposits have: their place on the chain, their sender."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bpn.chapters.wallet.model import Deposit, Status, Transaction
from bpn.chapters.wallet.store.transactions import COLUMNS, transaction_of
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, texts
from bpn.kernel.encryption import Cipher


async def insert(tx: DatabaseTransaction, network: str, deposits: Sequence[Deposit]) -> None:
    """Add what the chain said of deposits whose transactions are added already."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_deposits (network, merchant_id, transaction_id, hash, position, block_hash, contract)
        SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::integer[], %s::text[], %s::text[])
        """,
        (
            network,
            integers([d.transaction.merchant_id for d in deposits]),
            integers([d.transaction.transaction_id for d in deposits]),
            [d.transaction.hash for d in deposits],
            integers([d.position for d in deposits]),
            texts([d.block_hash for d in deposits]),
            texts([d.contract for d in deposits]),
        ),
    )


_DEPOSIT = f"""
    SELECT d.position, d.block_hash, d.contract, d.sender_deadline, d.sender_digest, {COLUMNS}
    FROM wallet_deposits d JOIN wallet_transactions t USING (merchant_id, transaction_id)
"""


async def lock_by_log(
    tx: DatabaseTransaction, network: str, logs: Sequence[tuple[int, str, int]]
) -> dict[tuple[str, int], Deposit]:
    """Known deposits by hash and log index, held; `logs` are merchant, hash and log index."""
    cursor = await tx.connection.execute(
        f"""
        {_DEPOSIT} JOIN unnest(%s::bigint[], %s::text[], %s::integer[]) g(merchant_id, hash, position)
            ON d.merchant_id = g.merchant_id AND d.network = %s AND d.hash = g.hash AND d.position = g.position
        FOR UPDATE OF t
        """,
        (
            integers([log[0] for log in logs]),
            texts([log[1] for log in logs]),
            integers([log[2] for log in logs]),
            network,
        ),
    )
    deposits = [_deposit(row) for row in await cursor.fetchall()]
    return {(deposit.transaction.hash or "", deposit.position): deposit for deposit in deposits}


async def lock_for_sender(
    tx: DatabaseTransaction, merchant_id: int, *, transaction_id: int | None, hash_: str | None
) -> list[Deposit]:
    """A merchant's deposits of an id or of a hash, held."""
    condition = "t.transaction_id = %s" if transaction_id is not None else "t.hash = %s"
    cursor = await tx.connection.execute(
        f"""
        {_DEPOSIT} WHERE d.merchant_id = %s AND t.transaction_type = 'DEPOSIT' AND {condition}
        ORDER BY t.transaction_id LIMIT 2 FOR UPDATE OF t
        """,
        (merchant_id, hash_ if transaction_id is None else transaction_id),
    )
    return [_deposit(row) for row in await cursor.fetchall()]


async def lock_from_block(tx: DatabaseTransaction, network: str, number: int) -> list[Deposit]:
    """Deposits of a network in blocks from a number on that a reorg may have removed, held."""
    cursor = await tx.connection.execute(
        f"""
        {_DEPOSIT} WHERE t.transaction_type = 'DEPOSIT' AND t.network = %s AND t.block_number >= %s
          AND t.status <> %s
        ORDER BY t.transaction_id FOR UPDATE OF t
        """,
        (network, number, Status.ORPHANED),
    )
    return [_deposit(row) for row in await cursor.fetchall()]


def _deposit(row: Sequence[Any]) -> Deposit:
    position, block_hash, contract, deadline, digest, *rest = row
    return Deposit(
        transaction_of(rest),
        position,
        block_hash,
        contract,
        deadline,
        None if digest is None else bytes(digest),
    )


async def set_block(tx: DatabaseTransaction, deposit: Deposit, block_hash: str) -> None:
    """Note the block in which a deposit was included again."""
    await tx.connection.execute(
        "UPDATE wallet_deposits SET block_hash = %s WHERE merchant_id = %s AND transaction_id = %s",
        (block_hash, deposit.transaction.merchant_id, deposit.transaction.transaction_id),
    )


async def with_sender(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> set[int]:
    """Which of these deposits have their sender's details already, by id."""
    cursor = await tx.connection.execute(
        """
        SELECT d.transaction_id FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, transaction_id)
        JOIN wallet_deposits d USING (merchant_id, transaction_id) WHERE d.sender_digest IS NOT NULL
        """,
        (integers([t.merchant_id for t in transactions]), integers([t.transaction_id for t in transactions])),
    )
    return {int(transaction_id) for (transaction_id,) in await cursor.fetchall()}


async def set_cleared(tx: DatabaseTransaction, transaction: Transaction, cleared_at: datetime | None) -> None:
    """Note since when a deposit waits for its earmark's owner; None: it does not."""
    await tx.connection.execute(
        "UPDATE wallet_deposits SET cleared_at = %s WHERE merchant_id = %s AND transaction_id = %s",
        (cleared_at, transaction.merchant_id, transaction.transaction_id),
    )


async def cleared(tx: DatabaseTransaction, transactions: Sequence[Transaction]) -> set[int]:
    """Which of these deposits wait for their earmark's owner, by id."""
    cursor = await tx.connection.execute(
        """
        SELECT d.transaction_id FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, transaction_id)
        JOIN wallet_deposits d USING (merchant_id, transaction_id) WHERE d.cleared_at IS NOT NULL
        """,
        (integers([t.merchant_id for t in transactions]), integers([t.transaction_id for t in transactions])),
    )
    return {int(transaction_id) for (transaction_id,) in await cursor.fetchall()}


async def set_deadline(tx: DatabaseTransaction, merchant_id: int, transaction_id: int, deadline: datetime) -> None:
    """Note until when the sender's details are awaited."""
    await tx.connection.execute(
        "UPDATE wallet_deposits SET sender_deadline = %s WHERE merchant_id = %s AND transaction_id = %s",
        (deadline, merchant_id, transaction_id),
    )


async def lock_overdue(tx: DatabaseTransaction, network: str, now: datetime, limit: int) -> list[Transaction]:
    """Deposits whose sender's details have not come by their deadline, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {COLUMNS} FROM wallet_deposits d JOIN wallet_transactions t USING (merchant_id, transaction_id)
        WHERE d.network = %s AND d.sender_deadline < %s AND d.sender_digest IS NULL AND t.status = %s
        ORDER BY d.sender_deadline LIMIT %s FOR UPDATE OF t SKIP LOCKED
        """,
        (network, now, Status.SENDER_REQUIRED, limit),
    )
    return [transaction_of(row) for row in await cursor.fetchall()]


async def set_sender(
    tx: DatabaseTransaction, cipher: Cipher, transaction: Transaction, details: str, digest: bytes
) -> None:
    """Keep the sender's details, sealed, and the digest that tells a repetition."""
    await tx.connection.execute(
        """
        UPDATE wallet_deposits SET sender_digest = %s, sealed_sender = %s
        WHERE merchant_id = %s AND transaction_id = %s
        """,
        (
            digest,
            cipher.seal(details.encode(), _sender_place(transaction)),
            transaction.merchant_id,
            transaction.transaction_id,
        ),
    )


async def sender_details(tx: DatabaseTransaction, cipher: Cipher, transaction: Transaction) -> str | None:
    """The sender's details as JSON, opened; None where none were asked for."""
    cursor = await tx.connection.execute(
        "SELECT sealed_sender FROM wallet_deposits WHERE merchant_id = %s AND transaction_id = %s",
        (transaction.merchant_id, transaction.transaction_id),
    )
    (row,) = await cursor.fetchall()
    return None if row[0] is None else cipher.open(row[0], _sender_place(transaction)).decode()


def _sender_place(transaction: Transaction) -> str:
    return f"wallet_deposits/{transaction.transaction_id}"
