"""Amounts of an asset, counted in its smallest unit. Money never floats."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from bpn.kernel.assets import Asset

MAXIMUM_DIGITS = 77
"""Digits an amount may have in minor units: one less than the ledger's NUMERIC(78,0) and within uint256."""

_PLAIN_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


class InvalidAmountError(ValueError):
    """An amount that cannot be read; the message says why, ready to show to the caller."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An integer number of an asset's minor units: `Money(1_500_000, USDT@ETH)` is 1.5 USDT."""

    minor: int
    asset: Asset

    @classmethod
    def parse(cls, text: str, asset: Asset) -> Money:
        """Read a decimal in plain notation, such as `"190.99"`.

        Args:
            text: digits with at most `asset.scale` decimals; no sign, exponent or spaces.
            asset: what the amount is of.

        Raises:
            InvalidAmountError: not a plain decimal, too many decimals or too many digits.
        """
        if not _PLAIN_DECIMAL.fullmatch(text):
            raise InvalidAmountError('must be a decimal in plain notation, such as "190.99"')
        whole, _, decimals = text.partition(".")
        if len(decimals) > asset.scale:
            raise InvalidAmountError(f"{asset.currency} has at most {asset.scale} decimals here")
        digits = whole + decimals.ljust(asset.scale, "0")
        if len(digits.lstrip("0")) > MAXIMUM_DIGITS:
            raise InvalidAmountError(f"must have at most {MAXIMUM_DIGITS - asset.scale} digits")
        return cls(int(digits), asset)

    @classmethod
    def zero(cls, asset: Asset) -> Money:
        """Nothing of an asset."""
        return cls(0, asset)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same_asset(other).minor, self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same_asset(other).minor, self.asset)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same_asset(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same_asset(other).minor

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same_asset(other).minor

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same_asset(other).minor

    def _same_asset(self, other: Money) -> Money:
        if other.asset != self.asset:
            raise ValueError(f"{self.asset.code} and {other.asset.code} do not mix")
        return other

    def __str__(self) -> str:
        """The amount in plain notation, trailing zeros dropped: `"1.5"`, `"0"`, `"-3"`."""
        return format_decimal(self.to_decimal())

    def to_decimal(self) -> Decimal:
        """The exact value in whole units."""
        return Decimal((int(self.minor < 0), tuple(map(int, str(abs(self.minor)))), -self.asset.scale))


def format_decimal(value: Decimal) -> str:
    """A decimal in plain notation without trailing zeros: never an exponent, never `-0`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def exact_context() -> AbstractContextManager[Context]:
    """A context manager in which decimals of any amount here are computed without silent rounding."""
    return localcontext(Context(prec=4 * MAXIMUM_DIGITS))
