"""What a bank says of what we sent, and of pay-ins that it takes back: late, twice, in any order, with one effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.model import (
    AccountTerms,
    Direction,
    HeldIn,
    InvoiceStatus,
    Order,
    OrderType,
    Status,
)
from bpn.chapters.accounts.operations.exceptions import (
    ExceptionReason,
    Unplaced,
    note_exceptions,
    reversal_reason,
)
from bpn.chapters.accounts.operations.outgoing import give_up_refund, move, payer_account, release, resolutions
from bpn.chapters.accounts.operations.payins import record_pay_ins
from bpn.chapters.accounts.store import directory, payments
from bpn.chapters.accounts.store import exceptions as exception_store
from bpn.chapters.accounts.store import orders as store
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import InvalidAmountError, Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Transfer
from bpn.ports.readers import (
    BankEntry,
    PayIn,
    PayInReversed,
    PaymentOutcome,
    PaymentReport,
    UnreadableEntry,
)

_STAGES = {
    PaymentOutcome.ACCEPTED: 0,
    PaymentOutcome.SETTLED: 1,
    PaymentOutcome.REJECTED: 1,
    PaymentOutcome.RETURNED: 2,
}


async def record_entries(terms: AccountTerms, tx: Transaction, source: str, entries: Sequence[BankEntry]) -> None:
    """Book everything that a bank told; telling it again changes nothing.

    What cannot be placed goes to the list of exceptions.
    """
    await record_pay_ins(terms, tx, source, [entry for entry in entries if isinstance(entry, PayIn)])
    await _record_reversals(terms, tx, source, [entry for entry in entries if isinstance(entry, PayInReversed)])
    await _record_reports(terms, tx, source, [entry for entry in entries if isinstance(entry, PaymentReport)])
    unreadable: list[Unplaced] = [
        (entry.reference, ExceptionReason.UNREADABLE, entry) for entry in entries if isinstance(entry, UnreadableEntry)
    ]
    await note_exceptions(terms, tx, source, unreadable)


async def _record_reversals(
    terms: AccountTerms, tx: Transaction, source: str, entries: Sequence[PayInReversed]
) -> None:
    if not entries:
        return
    references = [entry.pay_in_reference for entry in entries if entry.pay_in_reference is not None]
    merchants = await directory.find_merchants(tx, f"pay_in:{source}", references)
    found = await store.lock_by_reference(
        tx, terms.cipher, source, [(merchant_id, reference) for reference, merchant_id in merchants.items()]
    )
    unplaced: list[Unplaced] = []
    for entry in entries:
        reference = entry.pay_in_reference
        order = None if reference is None else found.get(reference)
        if reference is None:
            unplaced.append((entry.reference, ExceptionReason.REVERSAL_UNCLEAR, entry))
        elif order is None:
            unplaced.append((reference, ExceptionReason.REVERSAL_WAITS, entry))
        elif order.status is Status.FAILED:
            continue
        elif order.status is Status.RETURNED or not _is_all_of(order, entry.currency, entry.amount):
            unplaced.append((entry.reference, ExceptionReason.CONTRADICTION, entry))
        else:
            told = entry.reason or entry.reason_code
            found[reference] = await _take_back(
                tx, order, f"The rail took the payment back{f': {told}' if told else ''}."
            )
    await note_exceptions(terms, tx, source, unplaced)


def _is_all_of(order: Order, currency: str, amount: str) -> bool:
    try:
        return currency == order.amount.asset.currency and Money.parse(amount, order.amount.asset) == order.amount
    except InvalidAmountError:
        return False


async def _take_back(tx: Transaction, order: Order, reason: str) -> Order:
    """Undo what was booked for a pay-in; of what was spent the merchant becomes a debtor. Its fee stays."""
    bank = rules.bank_account(order.merchant_id, order.amount.asset)
    master = rules.master_account(order.merchant_id, order.primary_account_id, order.amount.asset)
    receivable = rules.receivable_account(order.merchant_id, order.amount.asset)
    if order.status is Status.PROCESSING:
        parts: list[tuple[Account, int]] = []
    else:
        incoming = rules.incoming_account(order.merchant_id, order.primary_account_id, order.amount.asset)
        waits = 0 if order.held_in is None else order.amount.minor - order.fee.minor
        (balance,) = await ledger.balances(tx, [master])
        given = min(order.amount.minor - waits, max(0, balance.available))
        parts = [(incoming, waits), (master, given), (receivable, order.amount.minor - waits - given)]
    movements = [
        Transfer(
            tx.ids.next(), account, bank, Money(minor, order.amount.asset), "accounts.pay_in_taken_back", order.order_id
        )
        for account, minor in parts
        if minor
    ]
    if movements:
        await ledger.post_one(tx, *movements)
    return await move(tx, replace(order, fail_reason=reason, held_in=None, due_at=None), Status.FAILED)


async def retry_reversals(terms: AccountTerms, tx: Transaction, source: str, limit: int = 100) -> int:
    """Take back pay-ins that were told in the very moment in which they were taken back."""
    waiting = await exception_store.lock_of_reason(tx, terms.cipher, source, ExceptionReason.REVERSAL_WAITS, limit)
    references = [line.rail_reference for line in waiting]
    merchants = await directory.find_merchants(tx, f"pay_in:{source}", references) if references else {}
    found = await store.lock_by_reference(
        tx, terms.cipher, source, [(merchant_id, reference) for reference, merchant_id in merchants.items()]
    ) if merchants else {}  # fmt: skip
    for line in waiting:
        order = found.get(line.rail_reference)
        if order is None:
            continue
        if order.status not in {Status.FAILED, Status.RETURNED}:
            await _take_back(tx, order, reversal_reason(line))
        await exception_store.close(tx, line)
    return len(found)


async def _record_reports(terms: AccountTerms, tx: Transaction, source: str, reports: Sequence[PaymentReport]) -> None:
    if not reports:
        return
    numbered = [(_order_id(report), report) for report in reports]
    merchants = await payments.find_merchants(tx, [number for number, _ in numbered if number is not None])
    found = await store.lock_many(
        tx, terms.cipher, [(merchant_id, order_id) for order_id, merchant_id in merchants.items()]
    )
    unplaced: list[Unplaced] = []
    for number, report in sorted(numbered, key=lambda one: _STAGES[one[1].outcome]):
        order = found.get(number or 0)
        if order is None:
            unplaced.append((report.reference, ExceptionReason.UNKNOWN_PAYMENT, report))
            continue
        try:
            found[order.order_id] = await _apply(terms, tx, order, report)
        except InvalidState:
            unplaced.append((report.reference, ExceptionReason.CONTRADICTION, report))
    await note_exceptions(terms, tx, source, unplaced)


def _order_id(report: PaymentReport) -> int | None:
    told = report.end_to_end_id or ""
    return int(told) if told.isascii() and told.isdigit() else None


async def _apply(terms: AccountTerms, tx: Transaction, order: Order, report: PaymentReport) -> Order:
    """Bring an order to the stage that is told; raises InvalidState where it says the opposite of another report."""
    match report.outcome, order.status:
        case (
            (PaymentOutcome.ACCEPTED, _)
            | (PaymentOutcome.SETTLED, Status.SUCCESS | Status.RETURNED)
            | (PaymentOutcome.REJECTED, Status.FAILED)
            | (PaymentOutcome.RETURNED, Status.RETURNED)
        ):
            return order
        case PaymentOutcome.SETTLED, _:
            return await _settle(tx, order)
        case PaymentOutcome.REJECTED, _:
            reason = report.reason or "The bank could not make the payment."
            return await release(terms, tx, order, Status.FAILED, reason, report.reason_code)
        case _:
            settled = order if order.status is Status.SUCCESS else await _settle(tx, order)
            return await _return(terms, tx, settled, report)


async def _settle(tx: Transaction, order: Order) -> Order:
    rules.check_transition(order.order_type, order.status, Status.SUCCESS)
    holds = await store.holds_of(tx, [(order.merchant_id, order.order_id)])
    await ledger.post_one(tx, *resolutions(tx, order, holds[order.order_id], posts=True))
    return await move(tx, order, Status.SUCCESS)


async def _return(terms: AccountTerms, tx: Transaction, order: Order, report: PaymentReport) -> Order:
    """The payee's bank has sent a payment back: credited where it came from, with an order of its own."""
    amount = _returned_amount(order, report)
    back = replace(
        order,
        order_id=tx.ids.next(),
        order_type=OrderType.RETURN,
        direction=Direction.IN,
        merchant_order_id=None,
        counter_order_id=order.order_id,
        amount=amount,
        fee=Money.zero(amount.asset),
        refunded=0,
        status=Status.SUCCESS,
        invoice_status=InvoiceStatus.NOT_REQUIRED,
        rail_reference=report.reference,
        end_to_end_id=order.end_to_end_id,
        fail_code=report.reason_code,
        fail_reason=report.reason,
        held_in=HeldIn.SUSPENSE if order.order_type is OrderType.RETURN else None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=tx.now,
    )
    movement: Movement = Transfer(
        tx.ids.next(),
        rules.bank_account(order.merchant_id, amount.asset),
        payer_account(order),
        amount,
        "accounts.payment_returned",
        back.order_id,
    )
    await ledger.post_one(tx, movement)
    await store.insert(tx, terms.cipher, [back])
    await events.orders_changed(tx, [back])
    await give_up_refund(terms, tx, order)
    reason = report.reason or "The payee's bank sent the payment back."
    return await move(tx, replace(order, fail_reason=reason, fail_code=report.reason_code), Status.RETURNED)


def _returned_amount(order: Order, report: PaymentReport) -> Money:
    """What came back: as told, the returning bank may keep a fee; raises InvalidState for more than was sent."""
    try:
        amount = Money.parse(report.amount, order.amount.asset)
    except InvalidAmountError:
        raise InvalidState("The amount that came back cannot be read.") from None
    if report.currency != order.amount.asset.currency or amount > order.amount or amount.minor == 0:
        raise InvalidState("More came back than was sent.")
    return amount
