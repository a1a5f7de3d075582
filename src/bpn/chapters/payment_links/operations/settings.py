"""What a merchant's links keep to, and prices: the two things that other rooms know."""

from __future__ import annotations

from decimal import Decimal

from bpn.chapters.fx import operations as fx
from bpn.chapters.fx.errors import UnsupportedCurrency
from bpn.chapters.payment_links.errors import RateUnavailable
from bpn.chapters.payment_links.model import LinkSettings, LinkTerms
from bpn.controls.model import LINK_TOLERANCE_AMOUNT, LINK_TOLERANCE_BPS, SUPPORT_CONTACT
from bpn.database.pool import Transaction
from bpn.ledger.model import HOUSE


async def settings_of(terms: LinkTerms, tx: Transaction, merchant_id: int) -> LinkSettings:
    """What a merchant's links keep to, as the operator set it."""
    view = await terms.wallet.controls.view(tx)
    return LinkSettings(
        view.merchant_setting(merchant_id, LINK_TOLERANCE_BPS),
        view.merchant_setting(merchant_id, LINK_TOLERANCE_AMOUNT),
        view.merchant_setting(merchant_id, SUPPORT_CONTACT),
    )


async def price_of(terms: LinkTerms, tx: Transaction, fiat_currency: str, currency: str) -> Decimal:
    """What one unit of a stablecoin costs in a national currency, in the middle of the market.

    Raises:
        RateUnavailable: nobody knows, or only an old price.
    """
    try:
        return (await fx.get_fx_rate(terms.wallet.fx, tx, HOUSE, currency, fiat_currency)).rate
    except UnsupportedCurrency:
        raise RateUnavailable(f"There is no price of {currency} in {fiat_currency}.") from None
