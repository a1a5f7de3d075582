"""The hash chains of the books."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.ledger.model import (
    Seal,
)


async def take_unsealed(tx: Transaction, limit: int) -> list[tuple[int, int, bytes]]:
    """Take up to `limit` (book, batch id, digest) from the queue; leaves books that another process is sealing."""
    cursor = await tx.connection.execute(
        """
        WITH taken AS (
            DELETE FROM ledger_unsealed u
            USING (
                SELECT q.merchant_id, q.batch_id
                FROM (SELECT merchant_id, batch_id FROM ledger_unsealed ORDER BY merchant_id, batch_id LIMIT %s) q
                WHERE pg_try_advisory_xact_lock(hashtextextended('ledger.seal', q.merchant_id))
            ) due
            WHERE u.merchant_id = due.merchant_id AND u.batch_id = due.batch_id
            RETURNING u.merchant_id, u.batch_id
        )
        SELECT t.merchant_id, t.batch_id, b.digest FROM taken t JOIN ledger_batches b USING (merchant_id, batch_id)
        ORDER BY t.merchant_id, t.batch_id
        """,
        (limit,),
    )
    return [(book, batch_id, bytes(digest)) for book, batch_id, digest in await cursor.fetchall()]


async def last_seals(tx: Transaction, books: Collection[int]) -> dict[int, tuple[int, bytes]]:
    """Number and hash of the newest seal of each book that has one."""
    cursor = await tx.connection.execute(
        """
        SELECT g.merchant_id, s.number, s.hash FROM unnest(%s::bigint[]) g(merchant_id)
        CROSS JOIN LATERAL (SELECT number, hash FROM ledger_seals s WHERE s.merchant_id = g.merchant_id
                            ORDER BY number DESC LIMIT 1) s
        """,
        (integers(books),),
    )
    return {book: (number, bytes(hash_)) for book, number, hash_ in await cursor.fetchall()}


async def append_seals(tx: Transaction, seals: Sequence[Seal]) -> None:
    """Write seals."""
    await tx.connection.execute(
        """
        INSERT INTO ledger_seals (merchant_id, number, batch_id, hash)
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[])
        """,
        (
            integers([seal.merchant_id for seal in seals]),
            integers([seal.number for seal in seals]),
            integers([seal.batch_id for seal in seals]),
            [seal.hash for seal in seals],
        ),
    )
