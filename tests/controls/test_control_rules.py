"""What controls decide without a database: fees exact to the last unit, the most specific control, settings' words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpn.controls import rules
from bpn.controls.errors import ServicePaused
from bpn.controls.model import (
    ALL_MERCHANTS,
    EMAIL_CODE_FOR,
    EVERYTHING,
    INVOICE_ABOVE,
    INVOICE_FOR_BUSINESS,
    MERCHANT_SETTINGS,
    FeeTerms,
    Kind,
    Limit,
    Operation,
    Scope,
    Version,
)
from bpn.controls.rules import Snapshot
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BSC, ETH, BRL = Asset("USDT", "BSC", 18), Asset("USDT", "ETH", 6), Asset("BRL", None, 2)


def version(
    number: int,
    scope: Scope,
    value: dict[str, str | None] | None,
    *,
    kind: Kind = Kind.FEE,
    name: str = "WITHDRAWAL",
    valid_from: datetime = NOW,
) -> Version:
    return Version(number, kind, name, scope, value, valid_from, "ana", None, None, proposal=False, created_at=NOW)


def flat(text: str) -> dict[str, str | None]:
    return dict(rules.fee_value(FeeTerms(Decimal(text))))


@pytest.mark.parametrize(
    ("terms", "amount", "asset", "fee"),
    [
        (FeeTerms(Decimal(1)), "100", ETH, "1"),
        (FeeTerms(bps=25), "100", ETH, "0.25"),
        (FeeTerms(Decimal("0.5"), Decimal("12.5")), "1000", ETH, "1.75"),
        (FeeTerms(bps=1), "0.000001", ETH, "0.000001"),  # rounded up to the smallest unit
        (FeeTerms(bps=1), "1.01", BRL, "0.01"),
        (FeeTerms(bps=10, minimum=Decimal(2)), "100", BRL, "2"),
        (FeeTerms(bps=10, maximum=Decimal(5)), "100000", BRL, "5"),
        (FeeTerms(bps=10, maximum=Decimal("0.999")), "100000", BRL, "0.99"),  # never above the maximum
        (FeeTerms(), "100", BRL, "0"),
        (FeeTerms(bps=30), "123456789.123456789123456789", BSC, "370370.367370370367370371"),
    ],
)
def test_a_fee_is_exact_and_rounded_once_up(terms: FeeTerms, amount: str, asset: Asset, fee: str) -> None:
    assert str(rules.charge(terms, Money.parse(amount, asset))) == fee


@given(
    st.integers(0, 10**40),
    st.integers(0, 10**9),
    st.decimals(0, 20_000, places=3),
    st.sampled_from([BSC, ETH, BRL]),
)
def test_a_fee_is_less_than_one_unit_above_the_true_value(minor: int, flat: int, bps: Decimal, asset: Asset) -> None:
    fee = rules.charge(FeeTerms(Decimal(flat), bps), Money(minor, asset)).minor
    true = Fraction(flat) * 10**asset.scale + Fraction(minor) * Fraction(bps) / 10_000
    assert 0 <= fee - true < 1


def test_the_most_specific_fee_holds() -> None:
    everywhere = [
        EVERYTHING,
        Scope(ALL_MERCHANTS, "USDT"),
        Scope(ALL_MERCHANTS, "USDT", "BSC"),
        Scope(7),
        Scope(7, "USDT"),
        Scope(7, "USDT", "BSC"),
    ]
    for last in range(len(everywhere)):
        versions = [version(place, scope, flat(str(place))) for place, scope in enumerate(everywhere[: last + 1])]
        view = Snapshot(versions).at(NOW)
        assert view.fee_terms(7, Operation.WITHDRAWAL, BSC) == FeeTerms(Decimal(last), Decimal(0))
        assert view.fee_terms(8, Operation.WITHDRAWAL, BSC) == FeeTerms(Decimal(min(last, 2)), Decimal(0))
    assert view.fee_terms(7, Operation.WITHDRAWAL, ETH) == FeeTerms(Decimal(4), Decimal(0))
    assert view.fee_terms(7, Operation.WITHDRAWAL, BRL) == FeeTerms(Decimal(3), Decimal(0))
    assert view.fee_terms(7, Operation.PAYOUT, BSC) is None
    assert str(view.fee(7, Operation.PAYOUT, Money.parse("10", BRL), FeeTerms(Decimal(3)))) == "3"
    assert str(view.fee(7, Operation.PAYOUT, Money.parse("10", BRL))) == "0"


def test_a_version_holds_from_its_time_until_the_next_and_may_be_taken_back() -> None:
    day = timedelta(days=1)
    snapshot = Snapshot(
        [
            version(1, EVERYTHING, flat("1")),
            version(2, EVERYTHING, flat("2"), valid_from=NOW + day),
            version(3, EVERYTHING, None, valid_from=NOW + 2 * day),
        ]
    )
    shown = [
        snapshot.at(NOW + time).fee_terms(7, Operation.WITHDRAWAL, BSC) for time in (-day, day * 0, day, 2 * day)
    ]  # fmt: skip
    assert shown == [None, FeeTerms(Decimal(1), Decimal(0)), FeeTerms(Decimal(2), Decimal(0)), None]


@pytest.mark.parametrize(
    ("name", "scope", "stopped"),
    [
        ("", EVERYTHING, {"7 W BSC", "7 D BSC", "7 W ETH", "8 W BSC"}),
        ("WITHDRAWAL", EVERYTHING, {"7 W BSC", "7 W ETH", "8 W BSC"}),
        ("", Scope(7), {"7 W BSC", "7 D BSC", "7 W ETH"}),
        ("", Scope(ALL_MERCHANTS, None, "BSC"), {"7 W BSC", "7 D BSC", "8 W BSC"}),
        ("DEPOSIT", Scope(7, "USDT", "BSC"), {"7 D BSC"}),
        ("DEPOSIT", Scope(7, "USDC"), set()),
    ],
)
def test_a_pause_stops_all_that_it_covers(name: str, scope: Scope, stopped: set[str]) -> None:
    tried = {
        "7 W BSC": (7, Operation.WITHDRAWAL, BSC),
        "7 D BSC": (7, Operation.DEPOSIT, BSC),
        "7 W ETH": (7, Operation.WITHDRAWAL, ETH),
        "8 W BSC": (8, Operation.WITHDRAWAL, BSC),
    }
    view = Snapshot([version(1, scope, {"paused": "true"}, kind=Kind.PAUSE, name=name)]).at(NOW)
    assert {what for what, how in tried.items() if not view.is_running(*how)} == stopped
    for what in stopped:
        with pytest.raises(ServicePaused):
            view.require_running(*tried[what])


def test_settings_are_read_as_they_are_written() -> None:
    values: dict[str, object] = {
        "INVOICE_ABOVE": Decimal("10000.5"),
        "INVOICE_FOR_BUSINESS": True,
        "EMAIL_CODE_FOR": ("PAYOUT", "ADD_BANK_ACCOUNT"),
        "SUPPORT_CONTACT": "help@example.com",
    }
    for name, value in values.items():
        setting = MERCHANT_SETTINGS[name]
        assert rules.parse_setting(setting, rules.setting_text(value)) == value
    for setting, text in ((INVOICE_ABOVE, "-1"), (INVOICE_ABOVE, "1e5"), (INVOICE_FOR_BUSINESS, "perhaps")):
        with pytest.raises(InvalidRequest):
            rules.parse_setting(setting, text)
    assert rules.parse_setting(EMAIL_CODE_FOR, "") == ()
    with pytest.raises(InvalidRequest):
        rules.find_setting("NO_SUCH")


def test_a_setting_of_the_merchant_comes_before_that_of_all() -> None:
    value = {"kind": Kind.SETTING, "name": "INVOICE_ABOVE"}
    snapshot = Snapshot(
        [version(1, EVERYTHING, {"value": "100"}, **value), version(2, Scope(7), {"value": "5"}, **value)]
    )
    view = snapshot.at(NOW)
    assert (view.merchant_setting(7, INVOICE_ABOVE), view.merchant_setting(8, INVOICE_ABOVE)) == (5, 100)
    assert snapshot.at(NOW - timedelta(seconds=1)).merchant_setting(7, INVOICE_ABOVE) is None


@pytest.mark.parametrize(
    ("kind", "value", "above", "needed"),
    [
        (Kind.FEE, flat("1"), None, False),
        (Kind.FEE, flat("1"), Decimal(100), True),
        (Kind.PAUSE, {"paused": "true"}, Decimal(100), False),
        (Kind.PAUSE, None, Decimal(100), True),
        (Kind.LIMIT, rules.limit_value(Limit(Decimal(100))), Decimal(100), False),
        (Kind.LIMIT, rules.limit_value(Limit(Decimal(100), Decimal(101))), Decimal(100), True),
        (Kind.LIMIT, None, Decimal(100), True),
        (Kind.SETTING, {"value": "1"}, Decimal(100), True),
    ],
)
def test_what_loosens_needs_a_second_person(
    kind: Kind, value: dict[str, str | None] | None, above: Decimal | None, needed: bool
) -> None:
    assert rules.needs_second_person(kind, value, above) is needed


@pytest.mark.parametrize(
    "make",
    [
        lambda: rules.fee_value(FeeTerms(Decimal(-1))),
        lambda: rules.fee_value(FeeTerms(Decimal("NaN"))),
        lambda: rules.fee_value(FeeTerms(minimum=Decimal(2), maximum=Decimal(1))),
        lambda: rules.limit_value(Limit()),
        lambda: rules.limit_value(Limit(Decimal(-5))),
    ],
)
def test_terms_that_make_no_sense_are_refused(make) -> None:
    with pytest.raises(InvalidRequest):
        make()
