"""What leaves an address of ours: transfers with their nonces, and every transaction signed for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

HOT_KEY_INDEX = 0
"""The derivation index of the hot wallet; deposit addresses begin at 1."""

GWEI = 10**9


class Purpose(StrEnum):
    """What an outgoing transfer is for; `operations.outgoing` has one handling for each."""

    WITHDRAWAL = "withdrawal"
    REFUND = "refund"
    SWEEP = "sweep"
    TOP_UP = "top_up"


class OutgoingState(StrEnum):
    """How far a nonce has come."""

    PREPARED = "prepared"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    SETTLED = "settled"


class WaitReason(StrEnum):
    """Why a transfer that may leave has no nonce yet."""

    TOKENS = "tokens"
    """The sending address has too few of the token."""
    GAS = "gas"
    """The sending address cannot pay for the gas."""
    FEE_CAP = "fee_cap"
    """The network asks for more than the operator allows."""
    REVERTS = "reverts"
    """The network says that the transfer would fail."""
    GAS_LIMIT = "gas_limit"
    """The transfer needs more gas than the operator allows."""
    NOT_ESTIMATED = "not_estimated"
    """It came after the network was asked; the next round asks."""


@dataclass(frozen=True, slots=True)
class GasTerms:
    """What may be paid for gas on a network, and how patient a transaction is.

    Attributes:
        fee_cap: the most to offer, wei per gas.
        limit_ceiling: the most gas that one transfer may ask for.
        replace_after: from broadcast until a transaction that is not mined is replaced at a higher fee.
        rebroadcast_after: how often the same bytes are sent again until they are mined.
        sweep_cap: the most that one sweep may cost in all, wei; None for no limit but its worth.
    """

    fee_cap: int = 1_000 * GWEI
    limit_ceiling: int = 500_000
    replace_after: timedelta = timedelta(minutes=2)
    rebroadcast_after: timedelta = timedelta(seconds=30)
    sweep_cap: int | None = None


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers, wei per gas; `priority_fee` None: the one price of a network without base fee."""

    max_fee: int
    priority_fee: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction for a nonce: planned with its fees, then signed, then sent. `sent_at`: wall time, the last time."""

    number: int
    fees: Fees
    raw: bytes | None
    hash: str | None
    planned_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A transfer that waits for a nonce; `contract` is None for the native coin."""

    purpose: Purpose
    merchant_id: int
    reference_id: int
    key_index: int
    contract: str | None
    recipient: str
    amount: int

    @property
    def call(self) -> Call:
        """What the chain would execute."""
        return Call(self.contract, self.recipient, self.amount)


@dataclass(frozen=True, slots=True)
class Call:
    """A transfer as the chain executes it, whoever sends it."""

    contract: str | None
    recipient: str
    amount: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A transfer that an address of ours makes, with the nonce it owns.

    Attributes:
        network: where.
        key_index: whose nonce it is: 0 is the hot wallet, others are deposit addresses.
        nonce: of the sending address.
        purpose: what is done when it has arrived or failed.
        merchant_id: on whose behalf; 0 for the house's own.
        reference_id: of the withdrawal, refund, sweep or top-up.
        contract: the token; None for the native coin.
        recipient: where it goes.
        amount: minor units.
        gas_limit: units of gas, the same in all attempts.
        attempts: what was signed for the nonce, oldest first, each at a higher fee than the one before.
        state: how far it has come.
        hash: of the attempt that was mined; of the newest one signed before that.
        block_number: of the block it is in.
        taken_at_block: the head at which the chain first said that another transaction has the nonce.
        gas_cost: what it cost in wei, once settled.
        succeeded: whether it did what it should, once settled.
    """

    network: str
    key_index: int
    nonce: int
    purpose: Purpose
    merchant_id: int
    reference_id: int
    contract: str | None
    recipient: str
    amount: int
    gas_limit: int
    attempts: tuple[Attempt, ...]
    state: OutgoingState = OutgoingState.PREPARED
    hash: str | None = None
    block_number: int | None = None
    taken_at_block: int | None = None
    gas_cost: int | None = None
    succeeded: bool | None = None

    @property
    def newest(self) -> Attempt:
        """The attempt that is to be mined."""
        return self.attempts[-1]

    @property
    def hashes(self) -> tuple[str, ...]:
        """Under which the chain may know it, the newest first."""
        return tuple(attempt.hash for attempt in reversed(self.attempts) if attempt.hash is not None)

    @property
    def call(self) -> Call:
        """What the chain executes."""
        return Call(self.contract, self.recipient, self.amount)

    @property
    def gas_reserve(self) -> int:
        """The most that it may cost, wei."""
        return self.gas_limit * self.newest.fees.max_fee


@dataclass(frozen=True, slots=True)
class Funds:
    """What a sending address has on chain, and what the chain asks.

    Attributes:
        tokens: minor units by contract.
        native: wei.
        transaction_count: the next nonce that the head expects.
        fees: with which a transaction sent now should be mined soon; None where that is above the operator's cap.
        gas: units needed by each call asked about; None where the network says that it would fail.
    """

    tokens: Mapping[str, int]
    native: int
    transaction_count: int
    fees: Fees | None
    gas: Mapping[Call, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placement:
    """Whether a transfer that waits gets a nonce now, with what gas and fees, or why it goes on waiting."""

    wanted: Wanted
    gas_limit: int
    fees: Fees
    waits_for: WaitReason | None


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a round of giving nonces did: how many were given, and why the others wait."""

    given: int
    waiting: Mapping[WaitReason, int]


@dataclass(frozen=True, slots=True)
class Sender:
    """An address that sends.

    `next_nonce` is None before its first transaction from here. `native`: wei that the ledger says lie there; of the
    hot wallet the ledger alone knows.
    """

    network: str
    key_index: int
    next_nonce: int | None
    native: int = 0


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What the chain said became of a transaction. `gas_cost` in wei."""

    hash: str
    block_number: int
    succeeded: bool
    gas_cost: int


@dataclass(frozen=True, slots=True)
class NonceTaken:
    """A transaction that is not one of the known attempts has the nonce; `same_call`: it does the very transfer."""

    hash: str
    same_call: bool
