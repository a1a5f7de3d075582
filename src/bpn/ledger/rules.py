"""Deciding a batch in memory: chain by chain, in order, each accepted whole or refused whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from bpn.ledger.model import (
    Account,
    AccountState,
    Batch,
    Chain,
    Entry,
    Finding,
    Hold,
    JournalRow,
    Movement,
    MovementKey,
    Outcome,
    Policy,
    RecordKind,
    Resolution,
    Seal,
    Transfer,
    TransferRecord,
)


@dataclass(slots=True)
class Journal:
    """What of the journal and the accounts a batch touches, read under lock; grows as chains are accepted.

    `content` holds, of every id that stands in the journal, what a repetition must equal.
    """

    states: dict[Account, AccountState]
    holds: dict[MovementKey, Hold]
    content: dict[MovementKey, tuple[object, ...]]
    records: list[TransferRecord] = field(default_factory=list)


def movement_key(movement: Movement) -> MovementKey:
    """Where a movement stands in the journal."""
    if isinstance(movement, Transfer):
        return movement.debit.merchant_id, movement.id
    return movement.merchant_id, movement.id


def movement_content(movement: Movement) -> tuple[object, ...]:
    """What two movements of one id must have in common to be the same movement."""
    if isinstance(movement, Transfer):
        kind = RecordKind.PENDING if movement.pending else RecordKind.DIRECT
        amount, asset = movement.amount.minor, movement.amount.asset.code
        return (
            kind,
            movement.code,
            movement.reference_id,
            amount,
            asset,
            movement.debit.name,
            movement.credit.name,
        )
    kind = RecordKind.POST if movement.posts else RecordKind.VOID
    return kind, movement.code, movement.reference_id, movement.pending_id


def check_chain(chain: Chain) -> None:
    """Raise ValueError for a chain that no ledger may hold: empty, an id or a hold twice, or a bad transfer."""
    keys = [movement_key(movement) for movement in chain]
    keys += [(m.merchant_id, m.pending_id) for m in chain if isinstance(m, Resolution)]
    if not chain or len(set(keys)) < len(keys):
        raise ValueError("a chain has at least one movement, and names every id and every hold once")
    for movement in chain:
        if isinstance(movement, Transfer):
            _check_transfer(movement)


def _check_transfer(transfer: Transfer) -> None:
    debit, credit = transfer.debit, transfer.credit
    if transfer.amount.minor <= 0:
        raise ValueError(f"transfer {transfer.id} is not of a positive amount")
    if not debit.asset == credit.asset == transfer.amount.asset:
        raise ValueError(f"transfer {transfer.id} mixes assets")
    if debit.merchant_id != credit.merchant_id:
        raise ValueError(f"transfer {transfer.id} crosses books; use a due-to / due-from pair")
    if debit == credit:
        raise ValueError(f"transfer {transfer.id} goes from an account to itself")


def decide(chains: Sequence[Chain], journal: Journal) -> list[Outcome]:
    """Decide every chain in order; `journal` is left as the accepted ones make it."""
    return [_decide_chain(chain, journal) for chain in chains]


def _decide_chain(chain: Chain, journal: Journal) -> Outcome:
    known = [journal.content.get(movement_key(movement)) for movement in chain]
    if any(content is not None for content in known):
        same = all(content == movement_content(movement) for content, movement in zip(known, chain, strict=True))
        return Outcome.REPEATED if same else Outcome.ID_TAKEN
    undo: list[tuple[AccountState, int, int, int]] = []
    records: list[TransferRecord] = []
    for movement in chain:
        refusal = _apply(movement, journal, records, undo)
        if refusal is not None:
            for state, posted, pending, version in reversed(undo):
                state.posted, state.pending, state.version = posted, pending, version
            return refusal
    _accept(chain, records, journal)
    return Outcome.POSTED


def _accept(chain: Chain, records: list[TransferRecord], journal: Journal) -> None:
    journal.records.extend(records)
    for movement in chain:
        key = movement_key(movement)
        journal.content[key] = movement_content(movement)
        if isinstance(movement, Resolution):
            hold_key = (movement.merchant_id, movement.pending_id)
            journal.holds[hold_key] = replace(journal.holds[hold_key], resolved_by=movement.id)
        elif movement.pending:
            journal.holds[key] = Hold(movement.debit, movement.credit, movement.amount.minor, None)


def _apply(
    movement: Movement,
    journal: Journal,
    records: list[TransferRecord],
    undo: list[tuple[AccountState, int, int, int]],
) -> Outcome | None:
    if isinstance(movement, Transfer):
        debit, credit, amount = movement.debit, movement.credit, movement.amount.minor
        kind = RecordKind.PENDING if movement.pending else RecordKind.DIRECT
        pending_id = None
    else:
        hold = journal.holds.get((movement.merchant_id, movement.pending_id))
        if hold is None:
            return Outcome.UNKNOWN_HOLD
        if hold.resolved_by is not None:
            return Outcome.ALREADY_RESOLVED
        debit, credit, amount = hold.debit, hold.credit, hold.amount
        kind = RecordKind.POST if movement.posts else RecordKind.VOID
        pending_id = movement.pending_id
    debit_state, credit_state = journal.states[debit], journal.states[credit]
    posted_change, pending_change = _CHANGES[kind]
    if (
        pending_id is None
        and debit.policy is Policy.CREDIT_BALANCE
        and debit_state.posted - debit_state.pending < amount
    ):
        return Outcome.INSUFFICIENT
    if posted_change and credit.policy is Policy.DEBIT_BALANCE and credit_state.posted + amount > 0:
        return Outcome.INSUFFICIENT
    debit_entry = _change(debit_state, -posted_change * amount, pending_change * amount, undo)
    credit_entry = _change(credit_state, amount, 0, undo) if posted_change else None
    records.append(
        TransferRecord(
            debit.merchant_id,
            movement.id,
            kind,
            movement.code,
            movement.reference_id,
            debit_state.account_id,
            credit_state.account_id,
            debit.asset.code,
            amount,
            pending_id,
            debit_entry,
            credit_entry,
        )
    )
    return None


_CHANGES: Mapping[RecordKind, tuple[int, int]] = {
    RecordKind.DIRECT: (1, 0),
    RecordKind.PENDING: (0, 1),
    RecordKind.POST: (1, -1),
    RecordKind.VOID: (0, -1),
}
"""By kind: whether the amount moves from debit to credit, and what it does to the hold at the debit account."""


def _change(
    state: AccountState,
    posted_change: int,
    pending_change: int,
    undo: list[tuple[AccountState, int, int, int]],
) -> Entry:
    posted, pending, version = state.posted, state.pending, state.version
    undo.append((state, posted, pending, version))
    state.posted, state.pending, state.version = posted + posted_change, pending + pending_change, version + 1
    return Entry(
        state.account.merchant_id,
        state.account_id,
        state.version,
        posted,
        state.posted,
        pending,
        state.pending,
    )


def arrange(records: Sequence[TransferRecord], next_id: Callable[[], int], microseconds: int) -> list[Batch]:
    """Divide accepted movements into one batch per book, each in the order of decision.

    Args:
        records: the accepted movements of any books.
        next_id: draws the batch ids.
        microseconds: the time of posting, Unix microseconds.
    """
    batches = []
    for book, group in groupby(sorted(records, key=_book), key=_book):
        batch_id, members = next_id(), tuple(group)
        digests = tuple(
            transfer_digest(record, batch_id, position, microseconds) for position, record in enumerate(members)
        )
        batches.append(Batch(book, batch_id, members, digests, batch_digest(digests)))
    return batches


def _book(record: TransferRecord) -> int:
    return record.merchant_id


def transfer_digest(record: TransferRecord, batch_id: int, position: int, microseconds: int) -> bytes:
    """SHA-256 over a transfer and its entries, in decimal text joined by `|`: the leaf of the hash chain.

    Args:
        record: the movement with its entries.
        batch_id: the batch it stands in.
        position: its place in the batch's book, from 0.
        microseconds: its time, Unix microseconds.
    """
    text = (
        f"{record.merchant_id}|{record.transfer_id}|{batch_id}|{position}|{record.kind}|{record.code}"
        f"|{record.reference_id}|{record.debit_id}|{record.credit_id}|{record.asset}|{record.amount}"
        f"|{record.pending_id}|{microseconds}|{_entry_text(record.debit_entry)}|{_entry_text(record.credit_entry)}"
    )
    return hashlib.sha256(text.encode()).digest()


def _entry_text(entry: Entry | None) -> str:
    if entry is None:
        return "None"
    return f"{entry.version},{entry.posted_before},{entry.posted_after},{entry.pending_before},{entry.pending_after}"


def batch_digest(digests: Iterable[bytes]) -> bytes:
    """SHA-256 over the digests of a book's transfers in one batch, in order."""
    return hashlib.sha256(b"".join(digests)).digest()


def chain_seals(unsealed: Iterable[tuple[int, int, bytes]], last: Mapping[int, tuple[int, bytes]]) -> list[Seal]:
    """Chain batches to their books.

    Args:
        unsealed: book, batch id and digest of each batch, in the order they are to be sealed.
        last: number and hash of the newest seal of every book that has one.
    """
    links = dict(last)
    seals = []
    for book, batch_id, digest in unsealed:
        number, previous = links.get(book, (0, GENESIS))
        link = seal_hash(previous, number + 1, batch_id, digest)
        links[book] = (number + 1, link)
        seals.append(Seal(book, number + 1, batch_id, link))
    return seals


def seal_hash(previous: bytes, number: int, batch_id: int, digest: bytes) -> bytes:
    """The next link of a book's chain: SHA-256 over the link before, its own place and the batch it seals."""
    return hashlib.sha256(previous + f"|{number}|{batch_id}|".encode() + digest).digest()


GENESIS = b"\x00" * 32
"""What the first seal of a book is chained to."""


class JournalChecker:
    """Recomputes every digest of the journal, row by row, and keeps the first that does not fit.

    Rows come ordered by book, batch and position.
    """

    def __init__(self) -> None:
        self._batch: JournalRow | None = None
        self._digests: list[bytes] = []
        self._finding: Finding | None = None

    def read(self, row: JournalRow) -> None:
        """Check the next row."""
        batch = self._batch
        if batch is None or (row.merchant_id, row.batch_id) != (batch.merchant_id, batch.batch_id):
            self._close_batch()
            self._batch, self._digests = row, []
        if row.record is None:
            return
        digest = transfer_digest(row.record, row.batch_id, row.position, row.microseconds)
        self._digests.append(digest)
        if digest != row.digest:
            self._note(
                "transfer or its entries changed",
                f"book {row.merchant_id}, transfer {row.record.transfer_id}",
            )

    def finish(self) -> Finding | None:
        """The first fault, or None."""
        self._close_batch()
        return self._finding

    def _close_batch(self) -> None:
        batch = self._batch
        if batch is None:
            return
        if len(self._digests) != batch.batch_transfers or batch_digest(self._digests) != batch.batch_digest:
            self._note(
                "batch lost, gained or changed a transfer",
                f"book {batch.merchant_id}, batch {batch.batch_id}",
            )

    def _note(self, what: str, where: str) -> None:
        self._finding = self._finding or Finding(what, where)


class SealChecker:
    """Follows every book's chain of seals and keeps the first broken link in `finding`.

    Seals come ordered by book and number.
    """

    def __init__(self) -> None:
        self.finding: Finding | None = None
        self._links: dict[int, tuple[int, bytes]] = {}

    def read(self, book: int, number: int, batch_id: int, link: bytes, digest: bytes | None) -> None:
        """Check the next seal; `digest` is that of the batch it covers, None if the batch is gone."""
        before, previous = self._links.get(book, (0, GENESIS))
        sound = digest is not None and number == before + 1 and link == seal_hash(previous, number, batch_id, digest)
        if not sound and self.finding is None:
            self.finding = Finding("hash chain broken", f"book {book}, seal {number}, batch {batch_id}")
        self._links[book] = (number, link)
