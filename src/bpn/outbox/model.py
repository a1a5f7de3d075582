"""What a fact is. Chapters define theirs as frozen dataclasses with a `name`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


class FactContent(Protocol):
    """A dataclass that says what happened; `name` in the past tense: `wallet.transaction.changed`."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A fact to record: whose it is, what it is about, and what happened."""

    merchant_id: int
    subject_id: int
    content: FactContent


@dataclass(frozen=True, slots=True)
class Fact:
    """A recorded fact. `timestamp` in Unix milliseconds, strictly increasing per subject; `content` is JSON."""

    merchant_id: int
    fact_id: int
    name: str
    subject_id: int
    timestamp: int
    content: str
    attempts: int
