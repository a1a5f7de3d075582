"""SQL of what we know of each network: how far it is read, its newest blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.rows import class_row

from bpn.chapters.wallet.model.reading import ChainPosition
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, texts

_COLUMNS = """
    network, first_block, next_block, head_number, head_time, read_at, final_number, survey_block, stopped,
    doubt
"""


async def find_position(tx: DatabaseTransaction, network: str) -> ChainPosition | None:
    """How far a network has been read."""
    return await _position(tx, "WHERE network = %s", network)


async def lock_position(tx: DatabaseTransaction, network: str) -> ChainPosition | None:
    """The same, held: one worker at a time moves it."""
    return await _position(tx, "WHERE network = %s FOR UPDATE", network)


async def _position(tx: DatabaseTransaction, condition: Any, network: str) -> ChainPosition | None:
    async with tx.connection.cursor(row_factory=class_row(ChainPosition)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM wallet_chains " + condition,
            (network,),
        )
        return await cursor.fetchone()


async def positions(tx: DatabaseTransaction) -> list[ChainPosition]:
    """Of every network that has been read."""
    async with tx.connection.cursor(row_factory=class_row(ChainPosition)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM wallet_chains")
        return await cursor.fetchall()


async def insert_position(tx: DatabaseTransaction, position: ChainPosition) -> None:
    """Begin to read a network; nothing when it has begun."""
    await tx.connection.execute(
        """
        INSERT INTO wallet_chains (network, first_block, next_block, head_number, head_time, read_at, final_number,
                                   survey_block)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        (
            position.network,
            position.first_block,
            position.next_block,
            position.head_number,
            position.head_time,
            position.read_at,
            position.final_number,
            position.survey_block,
        ),
    )


async def save_position(tx: DatabaseTransaction, position: ChainPosition) -> None:
    """Move the reading on (or back, after a reorg); the caller holds the row."""
    await tx.connection.execute(
        """
        UPDATE wallet_chains SET next_block = %s, head_number = %s, head_time = %s, read_at = %s,
                                 final_number = %s, survey_block = %s, stopped = %s, doubt = %s
        WHERE network = %s
        """,
        (
            position.next_block,
            position.head_number,
            position.head_time,
            position.read_at,
            position.final_number,
            position.survey_block,
            position.stopped,
            position.doubt,
            position.network,
        ),
    )


async def block_hashes(tx: DatabaseTransaction, network: str) -> dict[int, str]:
    """The blocks remembered, by number."""
    cursor = await tx.connection.execute(
        "SELECT number, hash FROM wallet_chain_blocks WHERE network = %s ORDER BY number DESC", (network,)
    )
    return dict(await cursor.fetchall())


async def replace_blocks(
    tx: DatabaseTransaction, network: str, first: int, blocks: Mapping[int, str], keep_from: int
) -> None:
    """Forget blocks from `first` on and before `keep_from`; remember the given ones."""
    await tx.connection.execute(
        "DELETE FROM wallet_chain_blocks WHERE network = %s AND (number >= %s OR number < %s)",
        (network, first, keep_from),
    )
    await tx.connection.execute(
        "INSERT INTO wallet_chain_blocks SELECT %s, * FROM unnest(%s::bigint[], %s::text[])",
        (network, integers(blocks), texts(list(blocks.values()))),
    )
