"""Amounts: exact, of one asset, in plain notation."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpn.kernel.assets import Asset
from bpn.kernel.money import MAXIMUM_DIGITS, InvalidAmountError, Money, format_decimal

USDT = Asset("USDT", "BSC", 18)
BRL = Asset("BRL", None, 2)


@pytest.mark.parametrize(
    ("text", "asset", "minor"),
    [("0", BRL, 0), ("190.99", BRL, 19099), ("1", USDT, 10**18), ("0.000000000000000001", USDT, 1), ("1.50", BRL, 150)],
)
def test_reads_plain_decimals(text: str, asset: Asset, minor: int) -> None:
    assert Money.parse(text, asset) == Money(minor, asset)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1e3", "NaN", "Infinity", ".5", "5.", "01", "1,000", " 1", "1 ", "0x10", "1.001", "١", "1_000"],
)
def test_refuses_everything_else(text: str) -> None:
    with pytest.raises(InvalidAmountError):
        Money.parse(text, BRL)


def test_refuses_more_digits_than_the_ledger_holds() -> None:
    assert Money.parse("9" * (MAXIMUM_DIGITS - 18), USDT).minor
    with pytest.raises(InvalidAmountError):
        Money.parse("9" * (MAXIMUM_DIGITS - 17), USDT)


@given(st.integers(-(10**MAXIMUM_DIGITS) + 1, 10**MAXIMUM_DIGITS - 1), st.integers(0, 36))
def test_what_is_printed_is_what_was_meant(minor: int, scale: int) -> None:
    money = Money(minor, Asset("X", None, scale))
    text = str(money)
    assert "E" not in text
    assert Decimal(text) == Decimal(minor).scaleb(-scale, context=None) or abs(minor) >= 10**28
    if minor >= 0:
        assert Money.parse(text, money.asset) == money


def test_assets_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, USDT) + Money(1, BRL)


@pytest.mark.parametrize(
    ("value", "text"), [("1E+3", "1000"), ("-0", "0"), ("0.10", "0.1"), ("1E-18", "0." + "0" * 17 + "1")]
)
def test_decimals_are_printed_without_exponent(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text
