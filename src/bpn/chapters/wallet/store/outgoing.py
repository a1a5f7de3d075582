"""SQL of what addresses of ours send: their nonces, the transfers that own them, the transactions signed for those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.wallet.model.outgoing import Attempt, Fees, Outgoing, OutgoingState, Purpose, Sender
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, texts

UNMINED = (OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST)


async def lock_sender(tx: DatabaseTransaction, network: str, key_index: int) -> Sender:
    """The nonces of an address, held: one worker at a time gives them."""
    await tx.connection.execute(
        "INSERT INTO wallet_senders (network, key_index) VALUES (%s, %s) ON CONFLICT DO NOTHING", (network, key_index)
    )
    cursor = await tx.connection.execute(
        "SELECT next_nonce, native::text FROM wallet_senders WHERE network = %s AND key_index = %s FOR UPDATE",
        (network, key_index),
    )
    (row,) = await cursor.fetchall()
    return Sender(network, key_index, row[0], int(row[1]))


async def save_sender(tx: DatabaseTransaction, sender: Sender) -> None:
    """Move an address's nonces on, and what lies there; the caller holds its row."""
    await tx.connection.execute(
        "UPDATE wallet_senders SET next_nonce = %s, native = %s WHERE network = %s AND key_index = %s",
        (sender.next_nonce, sender.native, sender.network, sender.key_index),
    )


async def sender_indexes(tx: DatabaseTransaction, network: str) -> list[int]:
    """The derivation indexes of all addresses that send, or were given coins to."""
    cursor = await tx.connection.execute(
        "SELECT key_index FROM wallet_senders WHERE network = %s ORDER BY key_index", (network,)
    )
    return [index for (index,) in await cursor.fetchall()]


async def senders(tx: DatabaseTransaction, network: str, key_indexes: Sequence[int]) -> list[Sender]:
    """The nonces of addresses, of those that have sent."""
    cursor = await tx.connection.execute(
        """
        SELECT s.network, s.key_index, s.next_nonce, s.native::text FROM unnest(%s::integer[]) g(key_index)
        JOIN wallet_senders s ON s.network = %s AND s.key_index = g.key_index
        """,
        (integers(key_indexes), network),
    )
    return [Sender(row[0], row[1], row[2], int(row[3])) for row in await cursor.fetchall()]


_COLUMNS = """
    o.network, o.key_index, o.nonce, o.purpose, o.merchant_id, o.reference_id, o.contract, o.recipient,
    o.amount::text, o.gas_limit, o.state, o.hash, o.block_number, o.taken_at_block, o.gas_cost::text,
    o.succeeded
"""


async def insert(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """Give a nonce to a transfer, with its first attempt."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_outgoing (network, key_index, nonce, purpose, merchant_id, reference_id, contract, recipient,
                                     amount, gas_limit, state)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            outgoing.network,
            outgoing.key_index,
            outgoing.nonce,
            outgoing.purpose,
            outgoing.merchant_id,
            outgoing.reference_id,
            outgoing.contract,
            outgoing.recipient,
            outgoing.amount,
            outgoing.gas_limit,
            outgoing.state,
        ),
    )
    for attempt in outgoing.attempts:
        await insert_attempt(tx, outgoing, attempt)


async def insert_attempt(tx: DatabaseTransaction, outgoing: Outgoing, attempt: Attempt) -> None:
    """Add a transaction for a nonce; the caller holds the nonce's row."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_outgoing_attempts (network, key_index, nonce, number, max_fee, priority_fee, raw, hash,
                                              planned_at, sent_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            outgoing.network,
            outgoing.key_index,
            outgoing.nonce,
            attempt.number,
            attempt.fees.max_fee,
            attempt.fees.priority_fee,
            attempt.raw,
            attempt.hash,
            attempt.planned_at,
            attempt.sent_at,
        ),
    )


async def save_attempt(tx: DatabaseTransaction, outgoing: Outgoing, attempt: Attempt) -> None:
    """Write what became of a transaction for a nonce; the caller holds the nonce's row."""
    await tx.connection.execute(
        """
        UPDATE wallet_outgoing_attempts SET raw = %s, hash = %s, sent_at = %s
        WHERE network = %s AND key_index = %s AND nonce = %s AND number = %s
        """,
        (
            attempt.raw,
            attempt.hash,
            attempt.sent_at,
            outgoing.network,
            outgoing.key_index,
            outgoing.nonce,
            attempt.number,
        ),
    )


async def list_open(
    tx: DatabaseTransaction, network: str, states: Sequence[OutgoingState], key_index: int | None = None
) -> list[Outgoing]:
    """Transfers not settled yet that are in one of these states, of one address or all, in order of nonces."""
    condition = "" if key_index is None else " AND o.key_index = %(key_index)s"
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_outgoing o
        WHERE o.network = %(network)s AND o.state <> 'settled' AND o.state = ANY(%(states)s){condition}
        ORDER BY o.key_index, o.nonce
        """,
        {"network": network, "states": list(states), "key_index": key_index},
    )
    return await _with_attempts(tx, await cursor.fetchall())


async def list_newest(tx: DatabaseTransaction, network: str, key_index: int, limit: int) -> list[Outgoing]:
    """The newest transfers of an address, whatever their state."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_outgoing o
        WHERE o.network = %s AND o.key_index = %s ORDER BY o.nonce DESC LIMIT %s
        """,
        (network, key_index, limit),
    )
    return await _with_attempts(tx, await cursor.fetchall())


async def list_settled_since(tx: DatabaseTransaction, network: str, block_number: int) -> list[Outgoing]:
    """The transfers that were mined in blocks from a number on, succeeded and are settled."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_outgoing o
        WHERE o.network = %s AND o.block_number >= %s AND o.state = 'settled' AND o.succeeded
        ORDER BY o.key_index, o.nonce
        """,
        (network, block_number),
    )
    return await _with_attempts(tx, await cursor.fetchall())


async def known_hashes(tx: DatabaseTransaction, network: str, hashes: Sequence[str]) -> set[str]:
    """Which of these transactions we signed."""
    cursor = await tx.connection.execute(
        """
        SELECT DISTINCT a.hash FROM unnest(%s::text[]) g(hash)
        JOIN wallet_outgoing_attempts a ON a.network = %s AND a.hash = g.hash
        """,
        (texts(hashes), network),
    )
    return {hash_ for (hash_,) in await cursor.fetchall()}


async def lock(tx: DatabaseTransaction, network: str, key_index: int, nonce: int) -> Outgoing | None:
    """One transfer, held."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_COLUMNS} FROM wallet_outgoing o
        WHERE o.network = %s AND o.key_index = %s AND o.nonce = %s FOR UPDATE
        """,
        (network, key_index, nonce),
    )
    found = await _with_attempts(tx, await cursor.fetchall())
    return found[0] if found else None


async def save(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """Write how far a transfer has come; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE wallet_outgoing SET hash = %s, state = %s, block_number = %s, taken_at_block = %s, gas_cost = %s,
                                   succeeded = %s
        WHERE network = %s AND key_index = %s AND nonce = %s
        """,
        (
            outgoing.hash,
            outgoing.state,
            outgoing.block_number,
            outgoing.taken_at_block,
            outgoing.gas_cost,
            outgoing.succeeded,
            outgoing.network,
            outgoing.key_index,
            outgoing.nonce,
        ),
    )


async def _with_attempts(tx: DatabaseTransaction, rows: Sequence[Sequence[Any]]) -> list[Outgoing]:
    if not rows:
        return []
    cursor = await tx.connection.execute(
        """
        SELECT a.key_index, a.nonce, a.number, a.max_fee::text, a.priority_fee::text, a.raw, a.hash, a.planned_at,
               a.sent_at
        FROM unnest(%s::integer[], %s::bigint[]) g(key_index, nonce)
        JOIN wallet_outgoing_attempts a ON a.network = %s AND a.key_index = g.key_index AND a.nonce = g.nonce
        ORDER BY a.number
        """,
        (integers([row[1] for row in rows]), integers([row[2] for row in rows]), rows[0][0]),
    )
    attempts: dict[tuple[int, int], list[Attempt]] = {}
    for key_index, nonce, number, max_fee, priority_fee, *rest in await cursor.fetchall():
        fees = Fees(int(max_fee), None if priority_fee is None else int(priority_fee))
        attempts.setdefault((key_index, nonce), []).append(Attempt(number, fees, *rest))
    return [_outgoing(row, tuple(attempts[row[1], row[2]])) for row in rows]


def _outgoing(row: Sequence[Any], attempts: tuple[Attempt, ...]) -> Outgoing:
    return Outgoing(
        network=row[0],
        key_index=row[1],
        nonce=row[2],
        purpose=Purpose(row[3]),
        merchant_id=row[4],
        reference_id=row[5],
        contract=row[6],
        recipient=row[7],
        amount=int(row[8]),
        gas_limit=row[9],
        attempts=attempts,
        state=OutgoingState(row[10]),
        hash=row[11],
        block_number=row[12],
        taken_at_block=row[13],
        gas_cost=None if row[14] is None else int(row[14]),
        succeeded=row[15],
    )
