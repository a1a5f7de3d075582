"""What a bank told and nobody could place: kept, shown to operators, dealt with by them. Nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import TypeAdapter

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts.errors import BankExceptionNotFound
from bpn.chapters.accounts.model import AccountTerms, BankException
from bpn.chapters.accounts.store import exceptions as store
from bpn.database.pool import Transaction
from bpn.ledger.model import HOUSE
from bpn.ports.readers import BankEntry, PayIn, PayInReversed, PaymentReport, UnreadableEntry


class ExceptionReason(StrEnum):
    """Why an entry could not be placed."""

    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    BAD_AMOUNT = "BAD_AMOUNT"
    UNREADABLE = "UNREADABLE"
    UNKNOWN_PAYMENT = "UNKNOWN_PAYMENT"
    CONTRADICTION = "CONTRADICTION"
    """It says the opposite of what was told before."""
    REVERSAL_WAITS = "REVERSAL_WAITS"
    """A pay-in was taken back that has not been told yet."""
    REVERSAL_UNCLEAR = "REVERSAL_UNCLEAR"


_ENTRIES: TypeAdapter[PayIn | PayInReversed | PaymentReport | UnreadableEntry] = TypeAdapter(
    PayIn | PayInReversed | PaymentReport | UnreadableEntry
)
Unplaced = tuple[str, ExceptionReason, BankEntry]
"""The reference by which it is known, why it could not be placed, and what was told."""


async def note_exceptions(
    terms: AccountTerms, tx: Transaction, source: str, unplaced: Sequence[Unplaced], merchant_id: int = HOUSE
) -> None:
    """Put entries on the list; those that stand there stay as they are."""
    if unplaced:
        lines = [
            BankException(
                merchant_id, tx.ids.next(), source, reference, reason, _ENTRIES.dump_json(entry).decode(), tx.now
            )
            for reference, reason, entry in unplaced
        ]
        await store.insert(tx, terms.cipher, lines)


async def waiting_reversals(
    terms: AccountTerms, tx: Transaction, source: str, references: Sequence[str]
) -> dict[str, str]:
    """Of these pay-ins, those that were taken back before they were told, with the reason; they wait no longer."""
    found = await store.lock_of_references(tx, terms.cipher, source, ExceptionReason.REVERSAL_WAITS, references)
    for line in found:
        await store.close(tx, line)
    return {line.rail_reference: reversal_reason(line) for line in found}


def reversal_reason(line: BankException) -> str:
    """Why the rail took a pay-in back, as the merchant is told."""
    entry = _ENTRIES.validate_json(line.detail)
    told = entry.reason or entry.reason_code if isinstance(entry, PayInReversed) else None
    return f"The rail took the payment back{f': {told}' if told else ''}."


async def list_bank_exceptions(terms: AccountTerms, tx: Transaction) -> list[BankException]:
    """What waits for the operator, oldest first."""
    return await store.open_ones(tx, terms.cipher)


async def close_bank_exception(
    terms: AccountTerms, tx: Transaction, exception_id: int, decision: Decision
) -> BankException:
    """The operator has dealt with a line; raises BankExceptionNotFound."""
    line = await store.lock(tx, terms.cipher, exception_id)
    if line is None:
        raise BankExceptionNotFound(f"No exception {exception_id} waits.")
    await store.close(tx, line)
    await audit.record(
        tx,
        decision,
        merchant_id=line.merchant_id,
        action="bank_exception.close",
        subject_id=exception_id,
        before=line.reason,
        after="CLOSED",
    )
    return line
