"""SQL of what arrived at deposit addresses and is not credited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpn.chapters.wallet.model.reading import Arrival, Uncredited, UncreditedKind
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.database.rows import integers, optional_texts, texts


async def insert(tx: DatabaseTransaction, rows: Sequence[Uncredited]) -> int:
    """Put arrivals on record; those that are there already stay as they are. Returns how many are new."""
    cursor = await tx.connection.execute(
        """
        INSERT INTO wallet_uncredited (noted_at, merchant_id, uncredited_id, wallet_id, network, kind, hash, position,
                                       block_number, contract, sender, recipient, amount)
        SELECT %s, * FROM unnest(
            %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::integer[], %s::bigint[],
            %s::text[], %s::text[], %s::text[], %s::numeric[])
        ON CONFLICT DO NOTHING
        """,
        (
            tx.now,
            integers([row.merchant_id for row in rows]),
            integers([row.uncredited_id for row in rows]),
            integers([row.wallet_id for row in rows]),
            texts([row.network for row in rows]),
            texts([row.arrival.kind.value for row in rows]),
            texts([row.arrival.hash for row in rows]),
            integers([row.arrival.position for row in rows]),
            integers([row.arrival.block_number for row in rows]),
            optional_texts([row.arrival.contract for row in rows]),
            texts([row.arrival.sender for row in rows]),
            texts([row.arrival.recipient for row in rows]),
            integers([row.arrival.amount for row in rows]),
        ),
    )
    return cursor.rowcount


async def newest(tx: DatabaseTransaction, before: int | None, limit: int) -> list[Uncredited]:
    """What is on record, newest first; `before` is an id."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, uncredited_id, wallet_id, network, noted_at, kind, hash, position, block_number, contract,
               sender, recipient, amount::text
        FROM wallet_uncredited WHERE uncredited_id < coalesce(%s, 9223372036854775807)
        ORDER BY uncredited_id DESC LIMIT %s
        """,
        (before, limit),
    )
    return [_uncredited(row) for row in await cursor.fetchall()]


def _uncredited(row: Sequence[Any]) -> Uncredited:
    merchant_id, uncredited_id, wallet_id, network, noted_at, kind, hash_, position, block_number, *rest = row
    contract, sender, recipient, amount = rest
    arrival = Arrival(UncreditedKind(kind), hash_, position, block_number, contract, sender, recipient, int(amount))
    return Uncredited(merchant_id, uncredited_id, wallet_id, network, noted_at, arrival)
