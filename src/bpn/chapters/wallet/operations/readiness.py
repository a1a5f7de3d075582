"""Whether every network is read up to date."""

from __future__ import annotations

from datetime import datetime, timedelta

from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.reading import ChainPosition
from bpn.chapters.wallet.store import chains
from bpn.database.pool import Transaction as DatabaseTransaction


async def reading_faults(terms: WalletTerms, tx: DatabaseTransaction, unread: timedelta) -> dict[str, str | None]:
    """By network, what is wrong with its reading, None where it goes well.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        unread: how long a network may give no new head, wall time.
    """
    positions = {position.network: position for position in await chains.positions(tx)}
    return {
        name: _fault(network, positions.get(name), tx.clock.wall() - unread, tx.now)
        for name, network in terms.networks.items()
    }


def _fault(network: Network, position: ChainPosition | None, read_after: datetime, now: datetime) -> str | None:
    if position is None or position.read_at < read_after:
        return "no new head is being read"
    if position.stopped is not None:
        return f"reading is stopped: {position.stopped}"
    if position.doubt is not None:
        return f"in doubt: {position.doubt}"
    age = now - position.head_time
    return f"the newest block is {age.total_seconds():.0f} s old" if age > network.head_lag else None


async def read_until(tx: DatabaseTransaction, network: str) -> datetime | None:
    """Up to which time a network's blocks are read without a gap, None while some are missing."""
    position = await chains.find_position(tx, network)
    return None if position is None or position.next_block <= position.head_number else position.head_time
