"""The business clock's offset: one row that all processes follow."""

from __future__ import annotations

from datetime import timedelta

from bpn.database.pool import Transaction

CLOCK_MOVED = "bpn_clock"
"""The notice that tells every process to read the offset anew."""


async def read_offset(tx: Transaction) -> timedelta:
    """How far business time is ahead of wall time."""
    cursor = await tx.connection.execute("SELECT offset_time FROM business_clock")
    (row,) = await cursor.fetchall()
    offset: timedelta = row[0]
    return offset


async def advance(tx: Transaction, by: timedelta) -> timedelta:
    """Move business time forward; the new offset. Every process hears of it at commit."""
    cursor = await tx.connection.execute(
        "UPDATE business_clock SET offset_time = offset_time + %s RETURNING offset_time", (by,)
    )
    (row,) = await cursor.fetchall()
    await tx.connection.execute("SELECT pg_notify(%s, '')", (CLOCK_MOVED,))
    offset: timedelta = row[0]
    return offset
