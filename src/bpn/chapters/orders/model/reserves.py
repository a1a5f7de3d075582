"""What a pool holds, and its terms."""

from __future__ import annotations

from dataclasses import dataclass

BPS = 10_000
SHARE_SCALE = 18
_GUARD_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Reserves:
    """What a pool holds, minor units, and its terms; `scales` are the decimals of its two assets."""

    balances: tuple[int, int]
    scales: tuple[int, int]
    amplification: int
    fee_bps: int

    @property
    def digits(self) -> int:
        """Decimals that the mathematics is done with."""
        return max(SHARE_SCALE, *self.scales) + _GUARD_DIGITS

    def unit(self, side: int) -> int:
        """What one minor unit of a side is in the mathematics' own unit."""
        return int(10 ** (self.digits - self.scales[side]))

    @property
    def scaled(self) -> tuple[int, int]:
        """The balances in the mathematics' own unit."""
        return self.balances[0] * self.unit(0), self.balances[1] * self.unit(1)

    def after(self, side: int, paid: int, received: int) -> Reserves:
        """The pool after `paid` went into a side and `received` out of the other."""
        balances = list(self.balances)
        balances[side] += paid
        balances[1 - side] -= received
        return Reserves((balances[0], balances[1]), self.scales, self.amplification, self.fee_bps)
