"""Finding a rate among those quoted: exact, through USD, fresh, and never a round trip that earns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpn.chapters.fx import rules
from bpn.chapters.fx.errors import RateUnavailable, UnsupportedCurrency
from bpn.chapters.fx.model import FxTerms, Spread, StoredRate

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TERMS = FxTerms(
    ("USDT", "USDC", "USD", "EUR", "BRL"),
    {"COINMARKETCAP": timedelta(minutes=10), "ECB": timedelta(days=6)},
    500,
    30,
)


def stored(
    base: str, quote: str, rate: str, source: str = "ECB", age: timedelta = timedelta(0), held: str | None = None
) -> StoredRate:
    return StoredRate(base, quote, source, Decimal(rate), NOW - age, None if held is None else Decimal(held))


def book(*rates: StoredRate) -> rules.RateBook:
    return rules.RateBook(TERMS, rates, NOW)


def test_direct_inverse_and_cross_are_exact() -> None:
    rates = book(stored("EUR", "USD", "1.16"), stored("EUR", "BRL", "6.27"), stored("USDC", "USD", "0.9998"))
    assert rates.rate("EUR", "USD").value == Fraction("1.16")
    assert rates.rate("USD", "EUR").value == 1 / Fraction("1.16")
    cross = rates.rate("USDC", "BRL")
    assert cross.value == Fraction("0.9998") / Fraction("1.16") * Fraction("6.27")
    assert cross.value * rates.rate("BRL", "USDC").value == 1


def test_among_ways_of_equal_length_the_one_through_usd_is_taken() -> None:
    rates = book(
        stored("BRL", "EUR", "0.2"), stored("EUR", "USDC", "9"),
        stored("BRL", "USD", "0.2"), stored("USD", "USDC", "1"),
    )  # fmt: skip
    assert rates.rate("BRL", "USDC").value == Fraction("0.2")


def test_the_first_source_is_trusted_and_a_stale_one_makes_room() -> None:
    first = stored("EUR", "USD", "1.2", "COINMARKETCAP")
    second = stored("EUR", "USD", "1.1")
    assert book(second, first).rate("EUR", "USD").value == Fraction("1.2")
    old = stored("EUR", "USD", "1.2", "COINMARKETCAP", timedelta(minutes=10, microseconds=1))
    assert book(old, second).rate("EUR", "USD").source == "ECB"
    assert book(second, first, stored("EUR", "USD", "1.3", "OPERATOR", timedelta(days=99))).rate(
        "EUR", "USD"
    ).value == Fraction("1.3")


def test_a_cross_tells_its_sources_and_its_oldest_time() -> None:
    rates = book(stored("EUR", "USD", "1.16", age=timedelta(days=3)), stored("USDC", "USD", "1", "COINMARKETCAP"))
    cross = rates.rate("USDC", "EUR")
    assert cross.source == "COINMARKETCAP+ECB"
    assert cross.time == NOW - timedelta(days=3)


@pytest.mark.parametrize(
    "rates",
    [
        (),
        (stored("EUR", "USD", "1.16", age=timedelta(days=6, microseconds=1)),),
        (stored("EUR", "USD", "1.16", held="1.3"),),
        (stored("EUR", "USD", "1.16", "FORGOTTEN"),),
    ],
)
def test_without_a_fresh_rate_there_is_none(rates: tuple[StoredRate, ...]) -> None:
    with pytest.raises(RateUnavailable):
        book(*rates).rate("EUR", "USD")


def test_unknown_and_equal_currencies_are_refused() -> None:
    for pair in (("DOGE", "USD"), ("USD", "DOGE"), ("USD", "USD")):
        with pytest.raises(UnsupportedCurrency):
            book(stored("EUR", "USD", "1.16")).rate(*pair)


@pytest.mark.parametrize(("now", "jumps"), [("105", False), ("105.01", True), ("95", False), ("94.99", True)])
def test_a_jump(now: str, jumps: bool) -> None:
    assert rules.is_jump(TERMS, Decimal(100), Decimal(now)) is jumps


def test_a_merchants_spread_goes_before_that_of_all_and_before_the_default() -> None:
    spreads = rules.spread_index([Spread(0, "BRL", "USDC", 50), Spread(7, "BRL", "USDC", 5)])
    assert rules.spread_of(TERMS, spreads, 7, "USDC", "BRL") == 5
    assert rules.spread_of(TERMS, spreads, 8, "BRL", "USDC") == 50
    assert rules.spread_of(TERMS, spreads, 8, "EUR", "USDC") == 30


ratios = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)


@given(ratios, st.integers(0, 2_000))
def test_bid_and_ask_stand_around_the_rate_also_as_shown(value: Fraction, spread: int) -> None:
    bid, ask = rules.bid(value, spread), rules.ask(value, spread)
    assert bid <= value <= ask
    assert bid / ask <= 1, "to buy and sell again earns nothing"
    assert Fraction(rules.shown_bid(bid)) <= bid
    assert Fraction(rules.shown_ask(ask)) >= ask
    assert abs(Fraction(rules.shown(value)) - value) <= value / 10**11
