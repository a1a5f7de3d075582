"""Write down decisions, and read who decided."""

from __future__ import annotations

from bpn.audit import store
from bpn.audit.model import AuditEntry, Decision
from bpn.database.pool import Transaction


async def record(
    tx: Transaction, decision: Decision, *, merchant_id: int, action: str, subject_id: int, before: str, after: str
) -> None:
    """Write a decision down, as final as this transaction.

    Args:
        tx: the transaction of the decision.
        decision: whose and why.
        merchant_id: whose subject it is; 0 for the house's own.
        action: what was done, `withdrawal.approve`.
        subject_id: to what.
        before: its state before.
        after: its state after.
    """
    await store.insert(
        tx,
        AuditEntry(
            merchant_id, tx.ids.next(), decision.actor, action, subject_id, decision.reason, before, after, tx.now
        ),
    )


async def actors_of(tx: Transaction, merchant_id: int, action: str, subject_id: int) -> list[str]:
    """Who did this to the subject, in order."""
    return [entry.actor for entry in await store.of_subject(tx, merchant_id, subject_id) if entry.action == action]


async def list_entries(tx: Transaction, limit: int = 100) -> list[AuditEntry]:
    """The newest decisions, newest first."""
    return await store.newest(tx, limit)
