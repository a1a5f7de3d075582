"""SQL of pools."""

from __future__ import annotations

from datetime import datetime

from bpn.chapters.orders.model import PoolState
from bpn.chapters.orders.model.reserves import Reserves
from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.kernel.assets import Assets

_COLUMNS = "pool_id, first_asset, second_asset, amplification, fee_bps, is_open, created_at"


async def insert(tx: Transaction, pool: PoolState, created_at: datetime) -> None:
    """Add a pool."""
    await tx.connection.execute(
        f"INSERT INTO stable_pools ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            pool.pool_id,
            pool.assets[0].code,
            pool.assets[1].code,
            pool.reserves.amplification,
            pool.reserves.fee_bps,
            pool.is_open,
            created_at,
        ),
    )


async def find_all(tx: Transaction, assets: Assets) -> list[tuple[PoolState, datetime]]:
    """Every pool without its balances, oldest first."""
    cursor = await tx.connection.execute(f"SELECT {_COLUMNS} FROM stable_pools ORDER BY pool_id")
    found = []
    for pool_id, first, second, amplification, fee_bps, is_open, created_at in await cursor.fetchall():
        pair = (assets.by_code(first), assets.by_code(second))
        reserves = Reserves((0, 0), (pair[0].scale, pair[1].scale), amplification, fee_bps)
        found.append((PoolState(pool_id, pair, reserves, is_open), created_at))
    return found


async def lock(tx: Transaction, pool_ids: list[int]) -> None:
    """Hold pools until this transaction ends: their balances change under this lock only."""
    await tx.connection.execute(
        "SELECT 1 FROM stable_pools WHERE pool_id = ANY (%s::bigint[]) ORDER BY pool_id FOR UPDATE",
        (integers(pool_ids),),
    )


async def set_open(tx: Transaction, pool_id: int, *, is_open: bool) -> None:
    """Open or close a pool; the caller holds it."""
    await tx.connection.execute("UPDATE stable_pools SET is_open = %s WHERE pool_id = %s", (is_open, pool_id))
