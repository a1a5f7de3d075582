"""Fixed rates, for the sandbox: they never go stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bpn.ports.readers import QuotedRate

_HUB = "USD"


class StaticPrices:
    """Says the same USD prices at every time."""

    source = "STATIC"

    def __init__(self, prices: Mapping[str, Decimal], now: Callable[[], datetime]) -> None:
        """Take the prices of one whole unit in USD, by currency, and the clock that dates them."""
        self._prices = prices
        self._now = now

    async def rates(self, currencies: Sequence[str]) -> list[QuotedRate]:
        """The fixed USD price of each currency known, as of now."""
        now = self._now()
        return [
            QuotedRate(currency, _HUB, self._prices[currency], now)
            for currency in currencies
            if currency in self._prices and currency != _HUB
        ]
