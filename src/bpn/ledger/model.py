"""Accounts, transfers and what became of them. The nouns are the field's: double entry with two phases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from bpn.kernel.assets import Asset
from bpn.kernel.money import Money

HOUSE = 0
"""The house book: what merchants share (hot wallets, gas, desk). Every other book is a merchant's id."""


class Policy(StrEnum):
    """Which balance an account may have; balance = credits - debits."""

    CREDIT_BALANCE = "credit_balance"
    """What we owe: never below zero, holds included. A merchant's wallet."""
    DEBIT_BALANCE = "debit_balance"
    """What we own: never above zero. Tokens at a deposit address."""
    ANY = "any"
    """May stand on either side: due-to, due-from, rounding, capital."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a book, made at its first transfer."""

    merchant_id: int
    name: str
    asset: Asset
    policy: Policy

    def __hash__(self) -> int:
        """Over the two fields that tell nearly all accounts apart: a batch hashes thousands of times."""
        return hash((self.merchant_id, self.name))


def house_account(merchant_id: int, asset: Asset) -> Account:
    """In a merchant's book: what the house owes it (debit balance), or it owes the house. The due-from side."""
    return Account(merchant_id, "house", asset, Policy.ANY)


def merchant_account(merchant_id: int, asset: Asset) -> Account:
    """In the house book: the other side of `house_account`. The due-to side."""
    return Account(HOUSE, f"merchant/{merchant_id}", asset, Policy.ANY)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Moves an amount from `debit` to `credit`; while `pending`, only holds it at `debit`.

    Posting the same id with the same content again does nothing and answers as the first time.
    """

    id: int
    debit: Account
    credit: Account
    amount: Money
    code: str
    reference_id: int
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """Ends a hold, once: posts it (the amount moves) or voids it (it is free again)."""

    id: int
    merchant_id: int
    pending_id: int
    posts: bool
    code: str
    reference_id: int


Movement = Transfer | Resolution
MovementKey = tuple[int, int]
"""Book and transfer id."""

Chain = tuple[Movement, ...]
"""Movements that happen together or not at all."""


class Outcome(Enum):
    """What became of a chain."""

    POSTED = "posted"
    REPEATED = "repeated"
    """Every movement of it stands in the journal already, with the same content."""
    INSUFFICIENT = "insufficient"
    """An account's policy would be broken; nothing of the chain happened."""
    ALREADY_RESOLVED = "already_resolved"
    """The hold was ended before, by another movement."""
    UNKNOWN_HOLD = "unknown_hold"
    ID_TAKEN = "id_taken"
    """An id stands in the journal with other content."""

    @property
    def accepted(self) -> bool:
        """Whether the movements stand in the journal."""
        return self in {Outcome.POSTED, Outcome.REPEATED}


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance in minor units: `posted` = credits - debits, `pending` = held, part of `posted`."""

    posted: int
    pending: int

    @property
    def available(self) -> int:
        """What may still be debited."""
        return self.posted - self.pending


@dataclass(slots=True)
class AccountState:
    """An account as locked, and as the decided movements leave it."""

    account: Account
    account_id: int
    posted: int
    pending: int
    version: int
    locked_version: int
    recorded_at: datetime

    @property
    def changed(self) -> bool:
        """Whether an accepted movement touched it since it was locked."""
        return self.version != self.locked_version


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one account: what it was before and is after, and the version it became."""

    merchant_id: int
    account_id: int
    version: int
    posted_before: int
    posted_after: int
    pending_before: int
    pending_after: int


class RecordKind(StrEnum):
    """How a movement stands in the journal."""

    DIRECT = "direct"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """A movement as the journal keeps it, before it is given its place in a batch."""

    merchant_id: int
    transfer_id: int
    kind: RecordKind
    code: str
    reference_id: int
    debit_id: int
    credit_id: int
    asset: str
    amount: int
    pending_id: int | None
    debit_entry: Entry
    credit_entry: Entry | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The movements of one book that one call of `post` accepted, in order, each with its digest."""

    merchant_id: int
    batch_id: int
    records: tuple[TransferRecord, ...]
    digests: tuple[bytes, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of a book's hash chain: it covers a batch and, by its hash, everything sealed before."""

    merchant_id: int
    number: int
    batch_id: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """A pending transfer in the journal, and the movement that ended it, if any."""

    debit: Account
    credit: Account
    amount: int
    resolved_by: int | None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A movement as it stands in the journal, with what its batch says of itself.

    `record` is None where a batch has lost all its movements.
    """

    merchant_id: int
    batch_id: int
    batch_transfers: int
    batch_digest: bytes
    record: TransferRecord | None
    position: int
    microseconds: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that `verify` found wrong: the first bad row of its kind, in words."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` read, and all that it found wrong (nothing, in a sound ledger)."""

    accounts: int
    transfers: int
    entries: int
    seals: int
    unsealed_batches: int
    findings: tuple[Finding, ...]
