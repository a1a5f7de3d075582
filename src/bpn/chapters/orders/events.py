"""The facts the orders chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.orders.model import FINAL, StableOrder, StableOrderChanged, StableOrderEnded
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement, FactContent


async def orders_changed(tx: Transaction, orders: Sequence[StableOrder]) -> None:
    """Orders have a new state; of those that have come to their end, that too."""
    facts: list[tuple[StableOrder, FactContent]] = []
    for order in orders:
        facts.append((order, StableOrderChanged(order)))
        if order.status in FINAL:
            facts.append((order, StableOrderEnded(order)))
    if facts:
        await outbox.record(tx, [Announcement(order.merchant_id, order.order_id, content) for order, content in facts])
