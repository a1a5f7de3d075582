"""What is kept of an operator's decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """An operator's word on something: yes or no, whose, and why."""

    approved: bool
    actor: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit log. `before` and `after` are the subject's state in words."""

    merchant_id: int
    audit_id: int
    actor: str
    action: str
    subject_id: int
    reason: str | None
    before: str
    after: str
    created_at: datetime
