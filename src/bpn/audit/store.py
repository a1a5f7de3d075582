"""All SQL of `audit_entries`."""

from __future__ import annotations

from psycopg.rows import class_row

from bpn.audit.model import AuditEntry
from bpn.database.pool import Transaction

_COLUMNS = "merchant_id, audit_id, actor, action, subject_id, reason, before, after, created_at"


async def insert(tx: Transaction, entry: AuditEntry) -> None:
    """Add a line."""
    await tx.connection.execute(
        f"INSERT INTO audit_entries ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            entry.merchant_id,
            entry.audit_id,
            entry.actor,
            entry.action,
            entry.subject_id,
            entry.reason,
            entry.before,
            entry.after,
            entry.created_at,
        ),
    )


async def of_subject(tx: Transaction, merchant_id: int, subject_id: int) -> list[AuditEntry]:
    """The lines about one subject, oldest first."""
    async with tx.connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM audit_entries WHERE merchant_id = %s AND subject_id = %s ORDER BY audit_id",
            (merchant_id, subject_id),
        )
        return await cursor.fetchall()


async def newest(tx: Transaction, limit: int) -> list[AuditEntry]:
    """The newest lines of all merchants."""
    async with tx.connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM audit_entries ORDER BY audit_id DESC LIMIT %s", (limit,))
        return await cursor.fetchall()
