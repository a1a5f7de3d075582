"""The pool's integers against an independent solution in 150 digits, and the properties that no size may break."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from functools import partial
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bpn.chapters.orders.model.reserves import Reserves
from bpn.chapters.orders.rules import stableswap
from bpn.chapters.orders.rules.stableswap import PoolDrainedError

PRECISION = 150


def residue(x: Decimal, y: Decimal, worth: Decimal, amplification: int) -> Decimal:
    """Zero on the invariant's curve, written as the published equation has it; falls as D grows."""
    weight = 4 * amplification
    return weight * (x + y) + worth - weight * worth - worth**3 / (4 * x * y)


def _residue_at(x: int, y: int, amplification: int, worth: Decimal) -> Decimal:
    return residue(Decimal(x), Decimal(y), worth, amplification)


def bisect(low: Decimal, high: Decimal, falls: object) -> Decimal:
    for _ in range(480):
        middle = (low + high) / 2
        low, high = (middle, high) if falls(middle) > 0 else (low, middle)  # type: ignore[operator]
    return (low + high) / 2


def exact_out(reserves: Reserves, side: int, paid: int) -> Decimal:
    """What the curve gives after the fee, in minor units, not rounded: two bisections."""
    with localcontext() as context:
        context.prec = PRECISION
        one = [Decimal(10) ** scale for scale in reserves.scales]
        x, y = Decimal(reserves.balances[side]) / one[side], Decimal(reserves.balances[1 - side]) / one[1 - side]
        amplification = reserves.amplification
        worth = bisect(Decimal(0), x + y + 1, lambda d: residue(x, y, d, amplification))
        larger = x + Decimal(paid) / one[side]
        left = bisect(Decimal(0), y + 1, lambda left: -residue(larger, left, worth, amplification) if left else 1)
        return (y - left) * (10_000 - reserves.fee_bps) / 10_000 * one[1 - side]


BALANCES = (1, 999, 10**6, 123_456_789, 10**12)
GRID = [
    (x, y, amplification, paid)
    for x, y, amplification, paid in product(BALANCES, BALANCES, (1, 85, 2_000, 1_000_000), (1, 777, 10**6, 10**11))
]


@pytest.mark.parametrize("scales", [(6, 6), (18, 18), (18, 6), (2, 18)])
def test_equal_to_the_reference_or_one_unit_in_the_pools_favour(scales: tuple[int, int]) -> None:
    one_less = 0
    for x, y, amplification, paid in GRID[sum(scales) % 7 :: 7]:
        reserves = Reserves(
            (x * 10 ** scales[0] // 1000 + 1, y * 10 ** scales[1] // 1000 + 1), scales, amplification, 4
        )
        for side in (0, 1):
            amount = max(1, paid * 10 ** scales[side] // 10**6)
            given_out = stableswap.amount_out(reserves, side, amount)
            expected = int(exact_out(reserves, side, amount).to_integral_value(ROUND_FLOOR))
            assert given_out in {expected, expected - 1}, (reserves, side, amount)
            one_less += given_out == expected - 1
    assert one_less < len(GRID) // 7, "as a rule it is equal"


def test_the_invariant_is_the_exact_root_rounded_down() -> None:
    for x, y, amplification in product(BALANCES, BALANCES, (1, 85, 2_000)):
        found = stableswap.invariant(x, y, amplification)
        with localcontext() as context:
            context.prec = PRECISION
            true = bisect(Decimal(0), Decimal(x + y + 1), partial(_residue_at, x, y, amplification))
            assert found == int((true + Decimal("1e-60")).to_integral_value(ROUND_FLOOR)), (x, y, amplification)


def test_a_balanced_pool_swaps_near_one_and_a_dry_one_does_not() -> None:
    balanced = Reserves((10**12, 10**24), (6, 18), 200, 4)
    assert stableswap.amount_out(balanced, 0, 10**6) == int(exact_out(balanced, 0, 10**6)) == 999_599_997_507_231_926
    assert stableswap.price(balanced, 0) == 1
    dry = Reserves((10**12, 10**22), (6, 18), 200, 4)
    assert (stableswap.price(dry, 0) or 1) < 1
    assert stableswap.amount_out(Reserves((0, 0), (6, 6), 200, 4), 0, 5) == 0
    assert stableswap.price(Reserves((0, 0), (6, 6), 200, 4), 0) is None


def test_more_than_a_side_has_is_refused() -> None:
    reserves = Reserves((10**9, 10**9), (6, 6), 100, 4)
    for received in (10**9, 10**9 - 1, 10**30):
        with pytest.raises(PoolDrainedError):
            stableswap.amount_in(reserves, 0, received)
    assert stableswap.amount_out(reserves, 0, 10**40) < 10**9


amounts = st.integers(1, 10**26)
pools = st.builds(
    Reserves,
    st.tuples(st.integers(1, 10**27), st.integers(1, 10**27)),
    st.sampled_from([(6, 6), (18, 18), (6, 18), (2, 18)]),
    st.integers(1, 10**6),
    st.integers(0, 100),
)
sides = st.sampled_from([0, 1])


def worth(reserves: Reserves) -> int:
    return stableswap.invariant(*reserves.scaled, reserves.amplification)


@settings(max_examples=300, deadline=None)
@given(pools, sides, amounts)
def test_a_swap_never_lowers_the_invariant_and_never_drains(reserves: Reserves, side: int, paid: int) -> None:
    received = stableswap.amount_out(reserves, side, paid)
    assert 0 <= received < reserves.balances[1 - side]
    assert worth(reserves.after(side, paid, received)) >= worth(reserves)


@settings(max_examples=300, deadline=None)
@given(pools, sides, amounts)
def test_no_round_trip_earns(reserves: Reserves, side: int, paid: int) -> None:
    received = stableswap.amount_out(reserves, side, paid)
    assume(received > 0)
    back = stableswap.amount_out(reserves.after(side, paid, received), 1 - side, received)
    assert back <= paid


@settings(max_examples=300, deadline=None)
@given(pools, sides, amounts)
def test_paying_what_is_asked_brings_what_was_asked_for(reserves: Reserves, side: int, received: int) -> None:
    try:
        paid = stableswap.amount_in(reserves, side, received)
    except PoolDrainedError:
        return
    assert stableswap.amount_out(reserves, side, paid) >= received
    assert worth(reserves.after(side, paid, received)) >= worth(reserves)


@settings(max_examples=200, deadline=None)
@given(pools, sides, amounts, st.integers(2, 5))
def test_in_parts_one_gets_no_more_without_a_fee_than_at_once_but_for_rounding(
    reserves: Reserves, side: int, paid: int, parts: int
) -> None:
    free = Reserves(reserves.balances, reserves.scales, reserves.amplification, 0)
    at_once = stableswap.amount_out(free, side, paid * parts)
    in_parts = 0
    for _ in range(parts):
        received = stableswap.amount_out(free, side, paid)
        free = free.after(side, paid, received)
        in_parts += received
    assert in_parts <= at_once + 1


class PoolMachine(RuleBasedStateMachine):
    """Swaps, deposits and withdrawals in any order: what a share is worth never falls."""

    @initialize(first=st.tuples(st.integers(10**6, 10**15), st.integers(10**6, 10**15)))
    def open(self, first: tuple[int, int]) -> None:
        empty = Reserves((0, 0), (6, 6), 200, 4)
        self.supply = stableswap.shares_for(empty, 0, first)
        self.reserves = Reserves(first, empty.scales, empty.amplification, empty.fee_bps)
        self.floor = (worth(self.reserves), self.supply)

    @rule(side=sides, paid=st.integers(1, 10**15))
    def swap(self, side: int, paid: int) -> None:
        received = stableswap.amount_out(self.reserves, side, paid)
        self.reserves = self.reserves.after(side, paid, received)

    @rule(added=st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)))
    def fund(self, added: tuple[int, int]) -> None:
        self.supply += stableswap.shares_for(self.reserves, self.supply, added)
        balances = (self.reserves.balances[0] + added[0], self.reserves.balances[1] + added[1])
        self.reserves = Reserves(balances, (6, 6), 200, 4)

    @rule(part=st.integers(2, 10**6))
    def withdraw(self, part: int) -> None:
        shares = self.supply // part
        out = stableswap.amounts_for(self.reserves, self.supply, shares)
        self.supply -= shares
        self.reserves = Reserves(
            (self.reserves.balances[0] - out[0], self.reserves.balances[1] - out[1]), (6, 6), 200, 4
        )

    @rule(added=st.tuples(st.integers(1, 10**14), st.integers(1, 10**14)))
    def in_and_out_again(self, added: tuple[int, int]) -> None:
        shares = stableswap.shares_for(self.reserves, self.supply, added)
        balances = (self.reserves.balances[0] + added[0], self.reserves.balances[1] + added[1])
        grown = Reserves(balances, (6, 6), 200, 4)
        out = stableswap.amounts_for(grown, self.supply + shares, shares)
        before = worth(self.reserves)
        self.reserves = Reserves((balances[0] - out[0], balances[1] - out[1]), (6, 6), 200, 4)
        assert worth(self.reserves) >= before

    @invariant()
    def what_a_share_is_worth_never_falls(self) -> None:
        value, supply = worth(self.reserves), self.supply
        if supply:
            # Value per share, compared without dividing; one unit of the mathematics' own for rounding D down.
            assert (value + 1) * self.floor[1] >= self.floor[0] * supply
            self.floor = (value, supply)


PoolMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestPool = PoolMachine.TestCase
