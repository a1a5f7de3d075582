"""What a network's reading speaks of: how far it is, what was seen, what proves it, what is not credited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """How far a network has been read.

    Attributes:
        network: which.
        first_block: where reading began.
        next_block: the first that is not read yet.
        head_number: the newest block when it was last read.
        head_time: that block's own time.
        read_at: when that was, wall time.
        final_number: the newest block whose deposits may be booked.
        stopped: why the reading waits for an operator; None while it goes on.
        doubt: why nothing is released just now; None while there is no doubt.
        survey_block: the next that is searched for what arrived and is not credited.
    """

    network: str
    first_block: int
    next_block: int
    head_number: int
    head_time: datetime
    read_at: datetime
    final_number: int
    survey_block: int
    stopped: str | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class SeenTransfer:
    """A token transfer as the chain's log tells it; `contract` and addresses in EIP-55 form.

    `position` is its place among the token transfers of its transaction. The log index that a chain gives counts within
    the block and changes when a reorg moves the transaction; this does not.
    """

    block_number: int
    block_hash: str
    hash: str
    position: int
    contract: str
    sender: str
    recipient: str
    amount: int
    block_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A range of blocks as read: every transfer in first..last, the hashes of those near the head.

    `expected_next` is where the plan began: if the position has moved since, the reading is stale. `doubt` says what
    speaks against the chain that was read.
    """

    network: str
    expected_next: int
    first: int
    last: int
    transfers: tuple[SeenTransfer, ...]
    block_hashes: Mapping[int, str]
    head_number: int
    head_time: datetime
    final_number: int
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the chain says of a deposit that is to be booked, asked again of the network's endpoints.

    `received` is what the balance of its address rose by in its block, None where that was not asked.
    """

    block_hash: str
    succeeded: bool
    transfer: SeenTransfer | None
    received: int | None


class UncreditedKind(StrEnum):
    """Why something that arrived at a deposit address is not credited."""

    NATIVE_COIN = "NATIVE_COIN"
    UNKNOWN_TOKEN = "UNKNOWN_TOKEN"  # noqa: S105 - a kind, no secret
    ZERO_AMOUNT = "ZERO_AMOUNT"
    FAILED_TRANSACTION = "FAILED_TRANSACTION"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that arrived at an address, or was meant to, and is not credited; `amount` in the smallest unit.

    `contract` is None for native coin.
    """

    kind: UncreditedKind
    hash: str
    position: int
    block_number: int
    contract: str | None
    sender: str
    recipient: str
    amount: int


@dataclass(frozen=True, slots=True)
class Uncredited:
    """An arrival that is on record, and whose address it reached."""

    merchant_id: int
    uncredited_id: int
    wallet_id: int
    network: str
    noted_at: datetime
    arrival: Arrival
