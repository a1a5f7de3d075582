"""Keep the newest prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from bpn.chapters.wallet.model import Price, WalletTerms
from bpn.chapters.wallet.store import prices as store
from bpn.database.pool import Transaction as DatabaseTransaction


async def record_prices(tx: DatabaseTransaction, prices: Mapping[str, Price]) -> None:
    """Replace the prices known by newer ones."""
    if prices:
        await store.save(tx, prices)


async def usd_price(terms: WalletTerms, tx: DatabaseTransaction, currency: str) -> Decimal | None:
    """What one unit of a currency costs in USD, None where nobody knows or the newest price is too old."""
    price = (await store.find_all(tx)).get(currency)
    if price is None or tx.clock.wall() - price.time > terms.price_lifetime:
        return None
    return price.usd
