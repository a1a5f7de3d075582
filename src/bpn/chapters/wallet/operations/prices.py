"""What a currency costs."""

from __future__ import annotations

from decimal import Decimal

from bpn.chapters.fx import operations as fx
from bpn.chapters.wallet.model import WalletTerms
from bpn.database.pool import Transaction as DatabaseTransaction


async def usd_price(terms: WalletTerms, tx: DatabaseTransaction, currency: str) -> Decimal | None:
    """What one unit of a currency costs in USD, None where nobody knows or the newest price is too old."""
    found = (await fx.usd_prices(terms.fx, tx, [currency])).get(currency)
    return None if found is None else fx.shown(found.value)
