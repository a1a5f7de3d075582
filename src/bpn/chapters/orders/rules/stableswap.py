"""A stable-swap pool of two assets in integers: invariant, swaps, shares. Every rounding goes against the trader.

The invariant, with balances x and y in whole units of equal worth, D their worth in balance and A the amplification:

    4 A (x + y) + D = 4 A D + D^3 / (4 x y)

A large A keeps the price near one until a side runs dry; A near zero is a constant product. Balances are computed
with nine more digits than the finer asset has, so that roundings of D and y never reach a minor unit but one.
"""

from __future__ import annotations

from fractions import Fraction

from bpn.chapters.orders.model.reserves import BPS, SHARE_SCALE, Reserves


class PoolDrainedError(ValueError):
    """The pool has less than what is asked of it."""


def invariant(x: int, y: int, amplification: int) -> int:
    """D of two balances, rounded down: the root of D^3 + 4xy(4A-1)D - 16Axy(x+y), by Newton's iteration.

    The polynomial rises and is convex for positive D, so from x + y, which is never below the root, the iteration
    only falls; the last steps are made exact by trying.
    """
    if x == 0 or y == 0:
        return 0
    weight = 4 * amplification
    linear = 4 * x * y * (weight - 1)
    constant = 4 * x * y * weight * (x + y)
    worth = x + y
    while True:
        following = (2 * worth**3 + constant) // (3 * worth * worth + linear)
        if following >= worth:
            break
        worth = following
    while worth**3 + linear * worth > constant:
        worth -= 1
    while (worth + 1) ** 3 + linear * (worth + 1) <= constant:
        worth += 1
    return worth


def _invariant_above(x: int, y: int, amplification: int) -> int:
    """D rounded up."""
    worth = invariant(x, y, amplification)
    weight = 4 * amplification
    exact = worth**3 + 4 * x * y * (weight - 1) * worth == 4 * x * y * weight * (x + y)
    return worth if exact else worth + 1


def other_balance(x: int, worth: int, amplification: int, guess: int) -> int:
    """The balance that keeps D when the other side is x, rounded up, by Newton's iteration.

    The root of 16Ax y^2 + 4x(4Ax + D - 4AD) y - D^3, convex in y; from any point at or above the root the iteration
    only falls.
    """
    weight = 4 * amplification
    square = 4 * x * weight
    linear = 4 * x * (weight * x + worth - weight * worth)
    cube = worth**3
    y = max(guess, 1)
    while square * y * y + linear * y < cube:
        y *= 2
    while True:
        following = (square * y * y + cube) // (2 * square * y + linear)
        if following >= y:
            break
        y = following
    while square * y * y + linear * y < cube:
        y += 1
    while y > 1 and square * (y - 1) ** 2 + linear * (y - 1) >= cube:
        y -= 1
    return y


def amount_out(reserves: Reserves, side: int, paid: int) -> int:
    """What the other side gives for `paid` minor units of a side, after the fee, rounded down."""
    scaled = reserves.scaled
    if 0 in scaled:
        return 0
    x, y = scaled[side], scaled[1 - side]
    worth = _invariant_above(x, y, reserves.amplification)
    given = y - other_balance(x + paid * reserves.unit(side), worth, reserves.amplification, y)
    return max(0, given) * (BPS - reserves.fee_bps) // BPS // reserves.unit(1 - side)


def amount_in(reserves: Reserves, side: int, received: int) -> int:
    """What must be paid into a side so that the other gives `received` minor units after the fee, rounded up.

    Raises:
        PoolDrainedError: the other side has not so much.
    """
    scaled = reserves.scaled
    x, y = scaled[side], scaled[1 - side]
    net = received * reserves.unit(1 - side)
    left = y + (-net * BPS) // (BPS - reserves.fee_bps)
    if left <= 0 or x == 0:
        raise PoolDrainedError
    worth = _invariant_above(x, y, reserves.amplification)
    needed = other_balance(left, worth, reserves.amplification, x) - x
    return max(1, -(-needed // reserves.unit(side)))


def price(reserves: Reserves, side: int) -> Fraction | None:
    """What one more whole unit of a side is worth in units of the other, before the fee; None for an empty pool."""
    scaled = reserves.scaled
    if 0 in scaled:
        return None
    x, y = scaled[side], scaled[1 - side]
    weight = 4 * reserves.amplification
    cube = invariant(x, y, reserves.amplification) ** 3
    return Fraction((4 * weight * x * x * y + cube) * y, (4 * weight * x * y * y + cube) * x)


def shares_for(reserves: Reserves, supply: int, added: tuple[int, int]) -> int:
    """Shares that a provider gets for amounts put in, 18 decimals, rounded down.

    The first provider gets as many as D. Who puts in another proportion than the pool has pays half the fee on the
    difference, as if it had swapped it; the fee stays in the pool. None where a side is empty while shares are out:
    nobody can say what they are worth.
    """
    units = (reserves.unit(0), reserves.unit(1))
    old = reserves.scaled
    new = (old[0] + added[0] * units[0], old[1] + added[1] * units[1])
    if supply == 0:
        return int(invariant(*new, reserves.amplification) // 10 ** (reserves.digits - SHARE_SCALE))
    before = _invariant_above(*old, reserves.amplification)
    if before == 0:
        return 0
    grown = invariant(*new, reserves.amplification)
    kept = []
    for was, now in zip(old, new, strict=True):
        difference = abs(grown * was // before - now)
        kept.append(max(0, now + (-difference * reserves.fee_bps) // (2 * BPS)))
    after = invariant(kept[0], kept[1], reserves.amplification)
    return max(0, supply * (after - before) // before)


def amounts_for(reserves: Reserves, supply: int, shares: int) -> tuple[int, int]:
    """What a provider gets out for shares: the same part of both sides, minor units, rounded down."""
    return reserves.balances[0] * shares // supply, reserves.balances[1] * shares // supply
