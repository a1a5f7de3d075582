"""Whether every network is read up to date."""

from __future__ import annotations

from datetime import timedelta

from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.wallet.store import chains
from bpn.database.pool import Transaction as DatabaseTransaction


async def head_lags(terms: WalletTerms, tx: DatabaseTransaction) -> dict[str, timedelta | None]:
    """By network, how long ago a new head was last recorded (wall time); None when it was never read."""
    positions = {position.network: position for position in await chains.positions(tx)}
    now = tx.clock.wall()
    return {name: now - positions[name].read_at if name in positions else None for name in terms.networks}
