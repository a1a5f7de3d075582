"""Pay-ins: from what a bank tells to money in a master account. Written for many at a time.

A pay-in is known by the bank's reference of it, kept in the directory in the transaction that books it: told twice, in
parallel or out of order, it has one effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.errors import InvalidState
from bpn.chapters.accounts.model import (
    FINAL,
    AccountTerms,
    Direction,
    HeldIn,
    InvoiceStatus,
    Order,
    OrderType,
    PaymentState,
    Status,
    VirtualAccount,
)
from bpn.chapters.accounts.operations.exceptions import ExceptionReason, note_exceptions, waiting_reversals
from bpn.chapters.accounts.operations.outgoing import Outgoing, hold, new_order
from bpn.chapters.accounts.rules import InvoiceRule, Verdict
from bpn.chapters.accounts.store import accounts, directory, payments
from bpn.chapters.accounts.store import orders as store
from bpn.chapters.accounts.store.orders import Holds
from bpn.controls.model import INVOICE_ABOVE, INVOICE_FOR_BUSINESS, Operation
from bpn.controls.rules import ControlsView
from bpn.database.pool import Transaction
from bpn.kernel.assets import find_fiat
from bpn.kernel.money import InvalidAmountError, Money
from bpn.ledger import operations as ledger
from bpn.ledger.errors import LedgerFault
from bpn.ledger.model import HOUSE, Account, Movement, Transfer
from bpn.ports.readers import BankParty, PayIn


@dataclass(frozen=True, slots=True)
class _Known:
    """A pay-in whose account is known."""

    entry: PayIn
    amount: Money
    account: VirtualAccount


@dataclass(slots=True)
class _Booking:
    """What changes together: pay-ins made or moved, what is paid back for them, and the movements of it all."""

    made: list[Order] = field(default_factory=list)
    moved: list[Order] = field(default_factory=list)
    returns: list[Order] = field(default_factory=list)
    holds: dict[int, Holds] = field(default_factory=dict)
    chains: list[tuple[Movement, ...]] = field(default_factory=list)


async def record_pay_ins(terms: AccountTerms, tx: Transaction, source: str, entries: Sequence[PayIn]) -> None:
    """Book what a bank tells of pay-ins; what cannot be placed goes to the list of exceptions."""
    known = await _place(terms, tx, source, entries)
    if not known:
        return
    references = [(one.account.merchant_id, one.entry.reference) for one in known]
    fresh = await directory.claim(tx, f"pay_in:{source}", references)
    announced = {}
    if len(fresh) < len(known):
        repeated = [key for key in references if key[1] not in fresh]
        announced = await store.lock_by_reference(tx, terms.cipher, source, repeated)
    reversals = await waiting_reversals(terms, tx, source, list(fresh))
    view = await terms.controls.view(tx)
    owed = await _owed(tx, known)
    booking = _Booking()
    for one in known:
        order = announced.get(one.entry.reference)
        if one.entry.reference in fresh:
            order = _new(tx, source, one)
        elif order is None or order.status is not Status.PROCESSING:
            continue
        if (reason := reversals.get(one.entry.reference)) is not None:
            _put(booking, _ended(tx, order, Status.FAILED, None, reason), made=one.entry.reference in fresh)
            continue
        _book(terms, tx, booking, one, order, view, owed, made=one.entry.reference in fresh)
    await _write(terms, tx, booking)


async def announce_pay_in(
    terms: AccountTerms, tx: Transaction, account: VirtualAccount, amount: Money, payer: BankParty, reference: str
) -> Order:
    """The order of a pay-in that a bank said will come: PROCESSING until it tells it, or as it has told it already."""
    key = (account.merchant_id, reference)
    if not await directory.claim(tx, f"pay_in:{terms.source}", [key]):
        return (await store.lock_by_reference(tx, terms.cipher, terms.source, [key]))[reference]
    entry = PayIn(reference, (), amount.asset.currency, str(amount), payer, None, None, tx.now)
    order = _new(tx, terms.source, _Known(entry, amount, account))
    await store.insert(tx, terms.cipher, [order])
    await events.orders_changed(tx, [order])
    return order


async def _place(terms: AccountTerms, tx: Transaction, source: str, entries: Sequence[PayIn]) -> list[_Known]:
    """The pay-ins whose account and amount are known, each reference once, ordered so that no two workers deadlock."""
    distinct = {entry.reference: entry for entry in entries}
    found = await accounts.find_by_handles(
        tx, terms.cipher, list({handle: None for entry in distinct.values() for handle in entry.handles})
    )
    known, unknown = [], []
    for entry in distinct.values():
        account = next((found[handle] for handle in entry.handles if handle in found), None)
        amount = _amount(entry)
        if account is None:
            unknown.append((entry.reference, ExceptionReason.UNKNOWN_ACCOUNT, entry))
        elif amount is None:
            unknown.append((entry.reference, ExceptionReason.BAD_AMOUNT, entry))
        else:
            known.append(_Known(entry, amount, account))
    await note_exceptions(terms, tx, source, unknown)
    return sorted(known, key=lambda one: (one.account.merchant_id, one.entry.reference))


def _amount(entry: PayIn) -> Money | None:
    asset = find_fiat(entry.currency)
    try:
        amount = None if asset is None else Money.parse(entry.amount, asset)
    except InvalidAmountError:
        return None
    return amount if amount is not None and amount.minor > 0 else None


def _new(tx: Transaction, source: str, known: _Known) -> Order:
    account, entry = known.account, known.entry
    return Order(
        merchant_id=account.merchant_id,
        order_id=tx.ids.next(),
        order_type=OrderType.PAYIN,
        direction=Direction.IN,
        account_id=account.account_id,
        primary_account_id=account.primary_account_id,
        merchant_order_id=None,
        counter_order_id=None,
        amount=known.amount,
        fee=Money.zero(known.amount.asset),
        refunded=0,
        status=Status.PROCESSING,
        invoice_status=InvoiceStatus.NOT_REQUIRED,
        rail=account.rail,
        source=source,
        rail_reference=entry.reference,
        end_to_end_id=entry.end_to_end_id,
        purpose=None,
        remark=entry.remittance,
        charge_bearer=None,
        fail_code=None,
        fail_reason=None,
        party=entry.payer,
        bank_account_id=None,
        earmark=account.earmark,
        held_in=None,
        due_at=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )


async def _owed(tx: Transaction, known: Sequence[_Known]) -> dict[Account, int]:
    """What merchants owe of what rails took back, by receivable account, minor units."""
    receivables = list({rules.receivable_account(one.account.merchant_id, one.amount.asset): None for one in known})
    balances = await ledger.balances(tx, receivables)
    return {account: -balance.posted for account, balance in zip(receivables, balances, strict=True)}


def _book(
    terms: AccountTerms,
    tx: Transaction,
    booking: _Booking,
    known: _Known,
    order: Order,
    view: ControlsView,
    owed: dict[Account, int],
    *,
    made: bool,
) -> None:
    """Decide on one pay-in and add all that follows to the booking."""
    rule = invoice_rule(view, order.merchant_id)
    verdict = rules.judge_pay_in(known.account, known.amount, known.entry.payer, rule, known.entry.booked_at)
    order = replace(
        order,
        amount=known.amount,
        end_to_end_id=known.entry.end_to_end_id,
        due_at=known.account.restricted_until if verdict.status is Status.ON_HOLD else None,
    )
    bank = rules.bank_account(order.merchant_id, order.amount.asset)
    settle(terms, tx, booking, order, verdict, bank, view, owed, made=made)


def settle(
    terms: AccountTerms,
    tx: Transaction,
    booking: _Booking,
    order: Order,
    verdict: Verdict,
    origin: Account,
    view: ControlsView,
    owed: dict[Account, int],
    *,
    made: bool,
) -> None:
    """Add to a booking what a verdict on a pay-in does to its money, which lies in `origin`."""
    asset = order.amount.asset
    ended = _ended(tx, order, verdict.status, verdict.held_in, verdict.reason)
    if verdict.status is Status.SUCCESS:
        fee = view.fee(order.merchant_id, Operation.PAYIN, order.amount)
        ended = replace(ended, fee=min(fee, order.amount, key=lambda money: money.minor))
    target = _place_of(ended)
    movements = _to_target(tx, ended, origin, target, owed)
    if ended.fee.minor:
        fees = rules.fee_account("payin", asset)
        movements += ledger.across(tx, target, fees, ended.fee, "accounts.pay_in_fee", order.order_id)
    if verdict.status is Status.RETURNED:
        back = new_order(terms, tx, _giving_back(ended), Status.PROCESSING)
        booking.holds[back.order_id], held = hold(tx, back)
        booking.returns.append(back)
        movements += held
    booking.chains.append(tuple(movements))
    _put(booking, ended, made=made)


def _to_target(
    tx: Transaction, order: Order, origin: Account, target: Account, owed: dict[Account, int]
) -> list[Movement]:
    """The movements that bring a pay-in where it belongs; from what becomes the merchant's, what it owes is repaid."""
    receivable = rules.receivable_account(order.merchant_id, order.amount.asset)
    repaid = 0 if order.held_in is not None else min(owed.get(receivable, 0), order.amount.minor - order.fee.minor)
    if repaid:
        owed[receivable] -= repaid
    parts = [
        (target, order.amount.minor - repaid, "accounts.pay_in"),
        (receivable, repaid, "accounts.pay_in_owed_repaid"),
    ]
    return [
        Transfer(tx.ids.next(), origin, account, Money(minor, order.amount.asset), code, order.order_id)
        for account, minor, code in parts
        if minor and account != origin
    ]


def _place_of(order: Order) -> Account:
    """Where the money of a pay-in lies."""
    merchant_id, asset = order.merchant_id, order.amount.asset
    if order.held_in is HeldIn.SUSPENSE:
        return rules.suspense_account(merchant_id, asset)
    if order.held_in is HeldIn.INCOMING:
        return rules.incoming_account(merchant_id, order.primary_account_id, asset)
    return rules.master_account(merchant_id, order.primary_account_id, asset)


def _giving_back(order: Order) -> Outgoing:
    return Outgoing(
        merchant_id=order.merchant_id,
        order_type=OrderType.RETURN,
        account_id=order.account_id,
        primary_account_id=order.primary_account_id,
        merchant_order_id=None,
        amount=order.amount,
        fee=Money.zero(order.amount.asset),
        rail=order.rail,
        party=order.party or BankParty(),
        counter_order_id=order.order_id,
        remark=order.fail_reason,
        earmark=order.earmark,
    )


def _ended(tx: Transaction, order: Order, status: Status, held_in: HeldIn | None, reason: str | None) -> Order:
    rules.check_transition(order.order_type, order.status, status)
    required = status is Status.INVOICE_REQUIRED
    return replace(
        order,
        status=status,
        held_in=held_in,
        invoice_status=InvoiceStatus.REQUIRED if required else order.invoice_status,
        due_at=order.due_at if status is Status.ON_HOLD else None,
        fail_reason=reason,
        updated_at=tx.now,
        completed_at=tx.now if status in FINAL else None,
    )


def _put(booking: _Booking, order: Order, *, made: bool) -> None:
    (booking.made if made else booking.moved).append(order)


async def _write(terms: AccountTerms, tx: Transaction, booking: _Booking) -> None:
    outcomes = await ledger.post(tx, booking.chains)
    if not all(outcome.accepted for outcome in outcomes):
        raise LedgerFault(f"a pay-in was not booked: {[outcome.value for outcome in outcomes]}")
    made = [*booking.made, *booking.returns]
    if made:
        await store.insert(tx, terms.cipher, made, booking.holds)
    if booking.moved:
        await store.save(tx, booking.moved)
    if booking.returns:
        await payments.insert(tx, booking.returns, PaymentState.READY)
    await events.orders_changed(tx, [*booking.made, *booking.moved, *booking.returns])


def invoice_rule(view: ControlsView, merchant_id: int) -> InvoiceRule:
    """When pay-ins of a merchant need an invoice."""
    return InvoiceRule(
        view.merchant_setting(merchant_id, INVOICE_ABOVE), view.merchant_setting(merchant_id, INVOICE_FOR_BUSINESS)
    )


async def give_back(terms: AccountTerms, tx: Transaction, order: Order, reason: str) -> Order:
    """Pay a pay-in that waits back to its payer: RETURNED, with a RETURN of its own. The caller holds its row."""
    return await _decide(terms, tx, order, Verdict(Status.RETURNED, HeldIn.SUSPENSE, reason))


async def let_through(terms: AccountTerms, tx: Transaction, order: Order, *, invoiced: bool) -> Order:
    """End the wait of a pay-in; it may still need an invoice, unless `invoiced`. The caller holds its row."""
    view = await terms.controls.view(tx)
    if not invoiced and invoice_rule(view, order.merchant_id).asks(order.amount, order.party):
        return await _decide(terms, tx, order, Verdict(Status.INVOICE_REQUIRED, HeldIn.INCOMING))
    held_in = None if order.earmark is None else HeldIn.INCOMING
    return await _decide(terms, tx, order, Verdict(Status.SUCCESS, held_in))


async def _decide(terms: AccountTerms, tx: Transaction, order: Order, verdict: Verdict) -> Order:
    booking = _Booking()
    view = await terms.controls.view(tx)
    receivable = rules.receivable_account(order.merchant_id, order.amount.asset)
    (balance,) = await ledger.balances(tx, [receivable])
    settle(terms, tx, booking, order, verdict, _place_of(order), view, {receivable: -balance.posted}, made=False)
    booking.chains = [chain for chain in booking.chains if chain]
    await _write(terms, tx, booking)
    return booking.moved[0]


async def release_pay_ins(
    terms: AccountTerms, tx: Transaction, targets: Mapping[tuple[int, int], Account | None]
) -> list[Order]:
    """Move earmarked pay-ins that are SUCCESS out of where they wait: to a ledger account, or (None) to the master.

    Args:
        terms: the chapter's terms.
        tx: the transaction of the chapter whose earmark it is.
        targets: by merchant and order id, where to; of the merchant's book or the house's.

    Raises:
        InvalidState: a pay-in is not SUCCESS, or does not wait (any more).
    """
    found = await store.lock_many(tx, terms.cipher, list(targets))
    chains, released = [], []
    for (merchant_id, order_id), target in targets.items():
        order = found.get(order_id)
        if order is None or order.status is not Status.SUCCESS or order.held_in is None:
            raise InvalidState(f"The pay-in {order_id} does not wait to be released.")
        after = replace(order, held_in=None, updated_at=tx.now)
        amount = order.amount - order.fee
        place = target or _place_of(after)
        if place.merchant_id not in {merchant_id, HOUSE}:
            raise InvalidState(f"The pay-in {order_id} is of another merchant.")
        if amount.minor:
            chains.append(ledger.across(tx, _place_of(order), place, amount, "accounts.pay_in_released", order_id))
        released.append(after)
    outcomes = await ledger.post(tx, chains)
    if not all(outcome.accepted for outcome in outcomes):
        raise LedgerFault(f"a pay-in was not released: {[outcome.value for outcome in outcomes]}")
    await store.save(tx, released)
    return released


async def release_held(terms: AccountTerms, tx: Transaction, limit: int = 100) -> int:
    """Let pay-ins through whose account is not restricted any more; give back those whose time is over."""
    free = await store.lock_releasable(tx, terms.cipher, limit)
    for order in free:
        await let_through(terms, tx, order, invoiced=False)
    overdue = await store.lock_overdue(tx, terms.cipher, tx.now, limit)
    for order in overdue:
        await give_back(terms, tx, order, "What was asked about the account was not answered in time.")
    return max(len(free), len(overdue))
