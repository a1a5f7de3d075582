"""Pure decisions of the fx chapter: finding a rate among those quoted, rounding, spreads, guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from bpn.chapters.fx.errors import RateUnavailable, UnsupportedCurrency
from bpn.chapters.fx.model import HUB, OPERATOR, FxTerms, Pair, Rate, Spread, StoredRate
from bpn.kernel.errors import FieldError

SIGNIFICANT_DIGITS = 12
"""Digits of a rate as shown; what is computed with is exact."""
BPS = 10_000
WORST_SPREAD_BPS = 2_000


class RateBook:
    """The fresh rates as of one moment; finds any pair among them, through USD where no direct rate is quoted.

    The way with the fewest steps is taken; among equals the one through USD.
    """

    def __init__(self, terms: FxTerms, stored: Iterable[StoredRate], wall: datetime) -> None:
        self._terms = terms
        self._found: dict[Pair, Rate] = {}
        self._quoted: dict[str, dict[str, Rate]] = {currency: {} for currency in terms.currencies}
        places = {OPERATOR: -1} | {source: place for place, source in enumerate(terms.lifetimes)}
        for one in sorted(stored, key=lambda rate: places.get(rate.source, len(places)), reverse=True):
            if one.base in self._quoted and one.quote in self._quoted and _is_usable(terms, one, wall):
                value = Fraction(one.rate)
                self._quoted[one.base][one.quote] = Rate(one.base, one.quote, value, one.source, one.time)
                self._quoted[one.quote][one.base] = Rate(one.quote, one.base, 1 / value, one.source, one.time)

    def rate(self, base: str, quote: str) -> Rate:
        """What one unit of `base` is in `quote`.

        Raises:
            UnsupportedCurrency: one of them has no rates here.
            RateUnavailable: no fresh rates lead from one to the other.
        """
        found = self._found.get((base, quote))
        if found is None:
            found = self._found[base, quote] = self._find(base, quote)
        return found

    def _find(self, base: str, quote: str) -> Rate:
        for currency in (base, quote):
            check_currency(self._terms, currency)
        if base == quote:
            raise UnsupportedCurrency(f"{base} is the same on both sides.", [FieldError("toCurrency", "is the same")])
        steps = self._steps(base, quote)
        value, sources = Fraction(1), dict[str, None]()
        for step in steps:
            value *= step.value
            sources |= dict.fromkeys(step.source.split("+"))
        return Rate(base, quote, value, "+".join(sources), min(step.time for step in steps))

    def _steps(self, base: str, quote: str) -> list[Rate]:
        """The shortest way; neighbours are tried with USD first, so that among equals it is the one through USD."""
        ways: dict[str, list[Rate]] = {base: []}
        reached = [base]
        for currency in reached:
            if currency == quote:
                return ways[currency]
            for following, rate in sorted(self._quoted[currency].items(), key=lambda item: item[0] != HUB):
                if following not in ways:
                    ways[following] = [*ways[currency], rate]
                    reached.append(following)
        raise RateUnavailable(f"There is no fresh rate between {base} and {quote}; try again later.")


def _is_usable(terms: FxTerms, rate: StoredRate, wall: datetime) -> bool:
    if rate.held is not None:
        return False
    if rate.source == OPERATOR:
        return True
    lifetime = terms.lifetimes.get(rate.source)
    return lifetime is not None and wall - rate.time <= lifetime


def check_currency(terms: FxTerms, currency: str) -> None:
    """Raise UnsupportedCurrency unless the currency has rates here."""
    if currency not in terms.currencies:
        raise UnsupportedCurrency(
            f"The currency {currency} is not offered; choose one of {', '.join(terms.currencies)}.",
            [FieldError("currency", "is not offered")],
        )


def is_jump(terms: FxTerms, before: Decimal, now: Decimal) -> bool:
    """Whether a rate is too far from the one before to be believed without a person."""
    return abs(Fraction(now) - Fraction(before)) * BPS > Fraction(before) * terms.largest_jump_bps


def spread_of(terms: FxTerms, spreads: Mapping[tuple[int, Pair], int], merchant_id: int, base: str, quote: str) -> int:
    """The spread of a merchant on a pair: its own, else everybody's on the pair, else the default."""
    pair = pair_of(base, quote)
    own = spreads.get((merchant_id, pair))
    return own if own is not None else spreads.get((0, pair), terms.spread_bps)


def pair_of(base: str, quote: str) -> Pair:
    """A pair without a direction."""
    return (base, quote) if base < quote else (quote, base)


def spread_index(spreads: Iterable[Spread]) -> dict[tuple[int, Pair], int]:
    """Spreads by merchant and pair."""
    return {(spread.merchant_id, (spread.base, spread.quote)): spread.bps for spread in spreads}


def bid(rate: Fraction, spread_bps: int) -> Fraction:
    """What is given for one unit."""
    return rate * (BPS - spread_bps) / BPS


def ask(rate: Fraction, spread_bps: int) -> Fraction:
    """What is asked for one unit."""
    return rate * (BPS + spread_bps) / BPS


def shown(value: Fraction) -> Decimal:
    """A rate as a decimal, rounded to the nearest."""
    return _rounded(value, ROUND_HALF_EVEN)


def shown_bid(value: Fraction) -> Decimal:
    """A bid as a decimal, never more than is given."""
    return _rounded(value, ROUND_FLOOR)


def shown_ask(value: Fraction) -> Decimal:
    """An ask as a decimal, never less than is asked."""
    return _rounded(value, ROUND_CEILING)


def _rounded(value: Fraction, rounding: str) -> Decimal:
    """Exact but for the one rounding: the numerator and the denominator are integers of any size."""
    context = Context(prec=SIGNIFICANT_DIGITS, rounding=rounding)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def find_rate(book: RateBook, base: str, quote: str) -> Rate | None:
    """As `RateBook.rate`, None where there is no fresh rate."""
    try:
        return book.rate(base, quote)
    except (RateUnavailable, UnsupportedCurrency):
        return None
