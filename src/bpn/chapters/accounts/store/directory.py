"""SQL of the directory where this chapter looks things up for all merchants."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.database.pool import Transaction
from bpn.database.rows import integers, texts


async def claim(tx: Transaction, kind: str, keys: Sequence[tuple[int, str]]) -> set[str]:
    """Enter values of merchants, each once for ever; those that nobody had entered before.

    Another transaction that enters the same value is waited for.
    """
    cursor = await tx.connection.execute(
        """
        INSERT INTO directory (kind, merchant_id, value) SELECT %s, * FROM unnest(%s::bigint[], %s::text[])
        ON CONFLICT DO NOTHING RETURNING value
        """,
        (kind, integers([key[0] for key in keys]), texts([key[1] for key in keys])),
    )
    return {row[0] for row in await cursor.fetchall()}


async def find_merchants(tx: Transaction, kind: str, values: Sequence[str]) -> dict[str, int]:
    """Whose these values are."""
    cursor = await tx.connection.execute(
        "SELECT d.value, d.merchant_id FROM unnest(%s::text[]) g(value) JOIN directory d ON d.kind = %s"
        " AND d.value = g.value",
        (texts(values), kind),
    )
    return dict(await cursor.fetchall())
