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
) -> dict[tuple[int, str, int], Deposit]:
    """Known deposits by merchant, hash and position, held; `logs` are those."""
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
    return {(d.transaction.merchant_id, d.transaction.hash or "", d.position): d for d in deposits}


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


async def lock_in_blocks(tx: DatabaseTransaction, network: str, first: int, last: int | None) -> list[Deposit]:
    """Deposits of a network on record in blocks from a number on, up to another if one is named, held."""
    cursor = await tx.connection.execute(
        f"""
        {_DEPOSIT} WHERE t.transaction_type = 'DEPOSIT' AND t.network = %s AND t.block_number >= %s
          AND t.block_number <= coalesce(%s, 9223372036854775807) AND t.status <> %s
        ORDER BY t.transaction_id FOR UPDATE OF t
        """,
        (network, first, last, Status.ORPHANED),
    )
    return [_deposit(row) for row in await cursor.fetchall()]


async def list_final(tx: DatabaseTransaction, network: str, final_number: int, limit: int) -> list[Deposit]:
    """Deposits that confirm, in blocks up to a number, oldest first; held, those that another worker holds are left."""
    cursor = await tx.connection.execute(
        f"""
        {_DEPOSIT} WHERE t.transaction_type = 'DEPOSIT' AND t.network = %s AND t.status = %s
          AND t.completed_at IS NULL AND t.block_number <= %s
        ORDER BY t.transaction_id LIMIT %s FOR UPDATE OF t SKIP LOCKED
        """,
        (network, Status.CONFIRMING, final_number, limit),
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


async def count_by_hash(
    tx: DatabaseTransaction, network: str, hashes: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """How many deposits that are not orphaned there are, by merchant and hash."""
    cursor = await tx.connection.execute(
        """
        SELECT d.merchant_id, d.hash, count(*) FROM unnest(%s::bigint[], %s::text[]) g(merchant_id, hash)
        JOIN wallet_deposits d ON d.merchant_id = g.merchant_id AND d.network = %s AND d.hash = g.hash
        JOIN wallet_transactions t ON t.merchant_id = d.merchant_id AND t.transaction_id = d.transaction_id
        WHERE t.status <> %s GROUP BY d.merchant_id, d.hash
        """,
        (integers([one[0] for one in hashes]), texts([one[1] for one in hashes]), network, Status.ORPHANED),
    )
    return {(merchant_id, hash_): count for merchant_id, hash_, count in await cursor.fetchall()}


async def save_place(tx: DatabaseTransaction, deposit: Deposit) -> None:
    """Write where, and as what, a deposit was included again; the caller holds its row."""
    transaction = deposit.transaction
    key = (transaction.merchant_id, transaction.transaction_id)
    await tx.connection.execute(
        "UPDATE wallet_deposits SET block_hash = %s, contract = %s WHERE merchant_id = %s AND transaction_id = %s",
        (deposit.block_hash, deposit.contract, *key),
    )
    await tx.connection.execute(
        """
        UPDATE wallet_transactions
        SET wallet_id = %s, merchant_user_id = %s, currency = %s, scale = %s, amount = %s, status = %s,
            from_address = %s, to_address = %s, block_number = %s, fail_reason = %s, updated_at = %s,
            earmark_kind = %s, earmark_id = %s, block_time = %s
        WHERE merchant_id = %s AND transaction_id = %s
        """,
        (
            transaction.wallet_id,
            transaction.merchant_user_id,
            transaction.amount.asset.currency,
            transaction.amount.asset.scale,
            transaction.amount.minor,
            transaction.status,
            transaction.from_address,
            transaction.to_address,
            transaction.block_number,
            transaction.fail_reason,
            transaction.updated_at,
            transaction.earmark.kind if transaction.earmark else None,
            transaction.earmark.subject_id if transaction.earmark else None,
            transaction.block_time,
            *key,
        ),
    )


async def set_received(tx: DatabaseTransaction, transaction: Transaction) -> None:
    """Write what really arrived, where the token kept a part; the caller holds the row."""
    await tx.connection.execute(
        "UPDATE wallet_transactions SET amount = %s, remark = %s WHERE merchant_id = %s AND transaction_id = %s",
        (transaction.amount.minor, transaction.remark, transaction.merchant_id, transaction.transaction_id),
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
