"""What the fx chapter speaks of: rates as sources say them, rates as found, spreads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

HUB = "USD"
"""What a cross goes through where it can."""
OPERATOR = "OPERATOR"
"""The source of a rate that a person set: it goes before all others and does not age."""
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FxTerms:
    """What the operator sets about the chapter.

    Attributes:
        currencies: those that have rates, fiat and stablecoins, in the order shown.
        lifetimes: by source, most trusted first, how old a rate may be and still be used.
        largest_jump_bps: a rate that differs more from the one before waits for the operator.
        spread_bps: the distance of bid and ask from the rate, where no spread of its own is set.
        history_kept: how long the history of rates is kept.
    """

    currencies: tuple[str, ...]
    lifetimes: Mapping[str, timedelta]
    largest_jump_bps: int
    spread_bps: int
    history_kept: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class StoredRate:
    """The newest rate of a pair by a source. `held` is what the source says now and nobody has accepted."""

    base: str
    quote: str
    source: str
    rate: Decimal
    time: datetime
    held: Decimal | None


@dataclass(frozen=True, slots=True)
class Rate:
    """What one whole unit of `base` is in `quote`: an exact ratio. `time` is the oldest of the rates it is made of."""

    base: str
    quote: str
    value: Fraction
    source: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Spread:
    """The distance of bid and ask from the rate, for a merchant (0: for all) and a pair in either direction."""

    merchant_id: int
    base: str
    quote: str
    bps: int


@dataclass(frozen=True, slots=True)
class FxQuote:
    """A rate as a merchant is told it: `bid` is what it gets for one unit of `base`, `ask` what it pays."""

    rate: Decimal
    inverse: Decimal
    bid: Decimal
    ask: Decimal
    spread_bps: int
    source: str
    time: datetime
