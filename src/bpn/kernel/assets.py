"""What money can be of: a currency, on a network where it is a token, with a scale of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Asset:
    """A currency on a network (`USDT` on `BSC`, 18 decimals) or a fiat currency (`BRL`, no network, 2)."""

    currency: str
    network: str | None
    scale: int

    @property
    def code(self) -> str:
        """The name in the ledger: `USDT@BSC`, `BRL`."""
        return f"{self.currency}@{self.network}" if self.network else self.currency


class Assets:
    """The assets this installation knows, by code, in a fixed order."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._by_code = {asset.code: asset for asset in assets}

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._by_code.values())

    def by_code(self, code: str) -> Asset:
        """The asset of a ledger code; KeyError when this installation does not know it."""
        return self._by_code[code]

    def find(self, currency: str, network: str | None) -> Asset | None:
        """The asset of a currency on a network, or None."""
        return self._by_code.get(f"{currency}@{network}" if network else currency)

    def of_currency(self, currency: str) -> list[Asset]:
        """All assets of a currency, one per network."""
        return [asset for asset in self if asset.currency == currency]

    def currencies(self) -> list[str]:
        """All currencies, each once, in order of first appearance."""
        return list(dict.fromkeys(asset.currency for asset in self))


FIAT_SCALES: Mapping[str, int] = MappingProxyType(
    {
        "BRL": 2,
        "USD": 2,
        "EUR": 2,
        "GBP": 2,
        "MXN": 2,
        "HKD": 2,
        "SGD": 2,
        "AUD": 2,
        "CAD": 2,
        "CHF": 2,
        "JPY": 0,
        "CNY": 2,
        "AED": 2,
    }
)
"""The fiat currencies that this platform knows, with the minor units that ISO 4217 gives them."""


def find_fiat(currency: str) -> Asset | None:
    """The asset of a fiat currency, None when it is not known here."""
    scale = FIAT_SCALES.get(currency)
    return None if scale is None else Asset(currency, None, scale)


def fiat_assets() -> Assets:
    """All fiat currencies, in the order shown."""
    return Assets(Asset(currency, None, scale) for currency, scale in FIAT_SCALES.items())
