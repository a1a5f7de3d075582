"""What moves tokens from deposit addresses to the hot wallet, with the gas it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bpn.chapters.wallet.model.outgoing import Fees
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class SweepTerms:
    """How deposit addresses are swept.

    Attributes:
        enabled: whether at all.
        batch: how many sweeps of a network are under way at once.
        recheck: how long an address rests that was not worth it.
    """

    enabled: bool = True
    batch: int = 20
    recheck: timedelta = timedelta(hours=1)


class SweepState(StrEnum):
    """How far a sweep has come."""

    NEEDS_GAS = "needs_gas"
    TOPPING_UP = "topping_up"
    READY = "ready"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


NEXT_SWEEP_STATES = {
    SweepState.NEEDS_GAS: frozenset({SweepState.TOPPING_UP, SweepState.FAILED}),
    SweepState.TOPPING_UP: frozenset({SweepState.READY, SweepState.FAILED}),
    SweepState.READY: frozenset({SweepState.SENDING, SweepState.FAILED}),
    SweepState.SENDING: frozenset({SweepState.DONE, SweepState.FAILED}),
}


class SweepRefusal(StrEnum):
    """Why an address is left alone for now."""

    EMPTY = "empty"
    TOO_SMALL = "too_small"
    NOT_WORTH_ITS_GAS = "not_worth_its_gas"
    TOO_DEAR = "too_dear"
    REVERTS = "reverts"


@dataclass(frozen=True, slots=True)
class Sweepable:
    """A deposit address where something was booked; `check_at` tells whether it was marked again meanwhile."""

    merchant_id: int
    network: str
    currency: str
    address: str
    key_index: int
    check_at: datetime


@dataclass(frozen=True, slots=True)
class SweepLook:
    """What lies at an address, and what taking it would need.

    Attributes:
        place: the address and the currency.
        balance: minor units that lie there for good: at the head and at the newest block that counts as final.
        native: wei there.
        gas: units that the transfer needs; None where it would fail.
        top_up_gas: units that a transfer of coins to the address needs; None where it would fail.
    """

    place: Sweepable
    balance: int
    native: int
    gas: int | None
    top_up_gas: int | None


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What to take, and the coins to give first so that the address can pay for it (wei)."""

    amount: Money
    top_up: int
    fees: Fees


@dataclass(frozen=True, slots=True)
class Sweep:
    """A transfer from a deposit address to the hot wallet. `top_up`: wei that it is given first."""

    merchant_id: int
    sweep_id: int
    network: str
    currency: str
    address: str
    key_index: int
    contract: str
    recipient: str
    amount: int
    top_up: int
    state: SweepState
    fail_reason: str | None
    created_at: datetime
    completed_at: datetime | None
