"""All SQL of `outbox_facts`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from bpn.database.pool import Transaction
from bpn.database.rows import integers, optional_texts, texts
from bpn.outbox.model import Fact


async def insert(tx: Transaction, facts: Sequence[Fact], due_at: datetime) -> None:
    """Record facts; `timestamp` is raised where the subject has one as late already.

    Facts of one subject must come from transactions that hold its row, and at most one per call.
    """
    await tx.connection.execute(
        """
        INSERT INTO outbox_facts (merchant_id, fact_id, name, subject_id, timestamp, content, due_at)
        SELECT g.merchant_id, g.fact_id, g.name, g.subject_id, greatest(g.timestamp, coalesce(last.timestamp + 1, 0)),
               g.content, %s
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::text[])
             g(merchant_id, fact_id, name, subject_id, timestamp, content)
        LEFT JOIN LATERAL (
            SELECT f.timestamp FROM outbox_facts f
            WHERE f.merchant_id = g.merchant_id AND f.subject_id = g.subject_id ORDER BY f.timestamp DESC LIMIT 1
        ) last ON true
        """,
        (
            due_at,
            integers([fact.merchant_id for fact in facts]),
            integers([fact.fact_id for fact in facts]),
            texts([fact.name for fact in facts]),
            integers([fact.subject_id for fact in facts]),
            integers([fact.timestamp for fact in facts]),
            optional_texts([fact.content for fact in facts]),
        ),
    )


async def claim(tx: Transaction, limit: int, due: datetime) -> list[Fact]:
    """Lock facts that are due and not relayed yet, in order of their ids; rows another relay holds are left."""
    async with tx.connection.cursor(row_factory=class_row(Fact)) as cursor:
        await cursor.execute(
            """
            SELECT merchant_id, fact_id, name, subject_id, timestamp, content, attempts FROM outbox_facts
            WHERE NOT relayed AND due_at <= %s ORDER BY due_at, fact_id LIMIT %s FOR UPDATE SKIP LOCKED
            """,
            (due, limit),
        )
        return sorted(await cursor.fetchall(), key=lambda fact: fact.fact_id)


async def mark_relayed(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Note that every listener has heard these."""
    await tx.connection.execute(
        """
        UPDATE outbox_facts f SET relayed = true FROM unnest(%s::bigint[], %s::bigint[]) g(merchant_id, fact_id)
        WHERE f.merchant_id = g.merchant_id AND f.fact_id = g.fact_id
        """,
        (integers([fact.merchant_id for fact in facts]), integers([fact.fact_id for fact in facts])),
    )


async def postpone(tx: Transaction, fact: Fact, due_at: datetime) -> None:
    """Try a fact again later: a listener failed on it."""
    await tx.connection.execute(
        "UPDATE outbox_facts SET due_at = %s, attempts = attempts + 1 WHERE merchant_id = %s AND fact_id = %s",
        (due_at, fact.merchant_id, fact.fact_id),
    )


async def delete_relayed(tx: Transaction, before_id: int, limit: int) -> int:
    """Delete relayed facts with ids below one, at most `limit` of each merchant; how many."""
    cursor = await tx.connection.execute(
        """
        WITH RECURSIVE merchants AS (
            -- Each merchant once, by steps through the primary key.
            (SELECT merchant_id FROM outbox_facts ORDER BY merchant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT f.merchant_id FROM outbox_facts f WHERE f.merchant_id > m.merchant_id
                    ORDER BY f.merchant_id LIMIT 1)
            FROM merchants m WHERE m.merchant_id IS NOT NULL
        ), old AS (
            SELECT f.merchant_id, f.fact_id FROM merchants m CROSS JOIN LATERAL (
                SELECT o.merchant_id, o.fact_id FROM outbox_facts o
                WHERE o.merchant_id = m.merchant_id AND o.fact_id < %s AND o.relayed
                ORDER BY o.fact_id LIMIT %s
            ) f
        )
        DELETE FROM outbox_facts f USING old WHERE f.merchant_id = old.merchant_id AND f.fact_id = old.fact_id
        """,
        (before_id, limit),
    )
    return cursor.rowcount


async def oldest_unrelayed(tx: Transaction) -> datetime | None:
    """When the fact that waits longest was due, None when all are relayed."""
    cursor = await tx.connection.execute("SELECT min(due_at) FROM outbox_facts WHERE NOT relayed")
    (row,) = await cursor.fetchall()
    oldest: datetime | None = row[0]
    return oldest
