"""Record facts, and hand them on once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bpn.database.pool import Transaction
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.ids import first_id_at
from bpn.outbox import store
from bpn.outbox.model import Announcement, Fact

Content = TypeVar("Content")
_LONGEST_WAIT = timedelta(hours=1)


async def record(tx: Transaction, announcements: Sequence[Announcement]) -> None:
    """Write facts with the change they report: they are as final as this transaction.

    Announcements about one subject are told in the order given, with strictly increasing timestamps.
    """
    wall = tx.clock.wall()
    timestamp = to_milliseconds(wall)
    remaining = list(announcements)
    while remaining:
        # One statement per announcement of the same subject; nearly always one statement.
        now = {(item.merchant_id, item.subject_id): item for item in reversed(remaining)}
        facts = [
            Fact(
                item.merchant_id,
                tx.ids.next(),
                item.content.name,
                item.subject_id,
                timestamp,
                _adapter(type(item.content)).dump_json(item.content).decode(),
                0,
            )
            for item in now.values()
        ]
        await store.insert(tx, facts, wall)
        taken = {id(item) for item in now.values()}
        remaining = [item for item in remaining if id(item) not in taken]


def read(fact: Fact, content_type: type[Content]) -> Content:
    """What a fact says, as the dataclass that was recorded."""
    content: Content = _adapter(content_type).validate_json(fact.content)
    return content


async def claim(tx: Transaction, limit: int) -> list[Fact]:
    """Take facts that nobody has relayed yet; they are this transaction's until it ends."""
    return await store.claim(tx, limit, tx.clock.wall())


async def mark_relayed(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Note, in the transaction in which the listeners did their part, that they did."""
    await store.mark_relayed(tx, facts)


async def postpone(tx: Transaction, fact: Fact) -> None:
    """Put off a fact that a listener failed on: 1 s, 2 s, 4 s … at most an hour."""
    wait = min(timedelta(seconds=2 ** min(fact.attempts, 20)), _LONGEST_WAIT)
    await store.postpone(tx, fact, tx.clock.wall() + wait)


async def forget_relayed(tx: Transaction, older_than: timedelta, limit: int) -> int:
    """Delete facts that every listener has heard and that were recorded longer ago; how many, of each merchant some."""
    return await store.delete_relayed(tx, first_id_at(tx.clock.wall() - older_than), limit)


async def oldest_unrelayed(tx: Transaction) -> datetime | None:
    """When the longest-waiting fact was due, for health and alerts."""
    return await store.oldest_unrelayed(tx)


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(content_type: type[Any]) -> TypeAdapter[Any]:
    """How a dataclass is written as JSON; made once for each."""
    if content_type not in _ADAPTERS:
        _ADAPTERS[content_type] = TypeAdapter(content_type)
    return _ADAPTERS[content_type]
