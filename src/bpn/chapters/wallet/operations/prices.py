"""Keep the newest prices."""

from __future__ import annotations

from collections.abc import Mapping

from bpn.chapters.wallet.model import Price
from bpn.chapters.wallet.store import prices as store
from bpn.database.pool import Transaction as DatabaseTransaction


async def record_prices(tx: DatabaseTransaction, prices: Mapping[str, Price]) -> None:
    """Replace the prices known by newer ones."""
    if prices:
        await store.save(tx, prices)
