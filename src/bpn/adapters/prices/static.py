"""Fixed prices, for the sandbox: they never go stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from bpn.ports.readers import Price


class StaticPrices:
    """Says the same prices at every time."""

    source = "STATIC"

    def __init__(self, prices: Mapping[str, Decimal], now: Callable[[], datetime]) -> None:
        self._prices = prices
        self._now = now

    async def prices(self, currencies: Sequence[str]) -> dict[str, Price]:
        """The fixed price of each currency known, as of now."""
        now = self._now()
        return {currency: Price(self._prices[currency], now) for currency in currencies if currency in self._prices}
