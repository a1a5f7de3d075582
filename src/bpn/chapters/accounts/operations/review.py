"""What waits for the operator, and the operator's decisions; each is written into the audit log with its change."""

from __future__ import annotations

from dataclasses import replace

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.errors import BankAccountNotFound, InvalidState, OrderNotFound
from bpn.chapters.accounts.model import (
    AccountTerms,
    BankAccount,
    BankAccountStatus,
    Order,
    OrderType,
    PaymentState,
    Status,
)
from bpn.chapters.accounts.operations.history import require_order
from bpn.chapters.accounts.operations.outgoing import move, release
from bpn.chapters.accounts.operations.payins import give_back
from bpn.chapters.accounts.store import orders, papers, payments
from bpn.controls.errors import SecondPersonRequired
from bpn.database.pool import Transaction

_APPROVE = "payout.approve"
_SENT = (OrderType.PAYOUT, OrderType.REFUND, OrderType.RETURN)


async def list_reviewing_payouts(terms: AccountTerms, tx: Transaction) -> list[Order]:
    """Payouts and refunds of all merchants that wait for the operator, oldest first."""
    return await orders.lock_open(tx, terms.cipher, _SENT, Status.REVIEWING)


async def decide_payout(
    terms: AccountTerms, tx: Transaction, merchant_id: int, order_id: int, decision: Decision
) -> Order:
    """Decide on a payout or refund under review; twice the same click is one decision.

    Above `second_person_above` the first approval only counts: it stays REVIEWING until another person approves.

    Raises:
        OrderNotFound: no such order.
        InvalidState: it was decided before.
        SecondPersonRequired: the same person approves twice.
    """
    order = await require_order(terms, tx, merchant_id, order_id)
    if order.status is not Status.REVIEWING:
        raise InvalidState(f"The order is {order.status}; only one that is REVIEWING can be decided.")
    if not decision.approved:
        decided = await release(terms, tx, order, Status.REJECTED, decision.reason)
    elif await _needs_another_person(terms, tx, order, decision):
        decided = order
    else:
        _, screened = await payments.standing(tx, merchant_id, order_id)
        following = PaymentState.READY if screened else PaymentState.SCREENING
        await payments.set_state(tx, merchant_id, order_id, following)
        decided = await move(tx, replace(order, fail_reason=None), Status.PROCESSING)
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action=_APPROVE if decision.approved else "payout.reject",
        subject_id=order_id,
        before=order.status,
        after=decided.status,
    )
    return decided


async def _needs_another_person(terms: AccountTerms, tx: Transaction, order: Order, decision: Decision) -> bool:
    if not rules.needs_second_person(terms, order.amount):
        return False
    before = await audit.actors_of(tx, order.merchant_id, _APPROVE, order.order_id)
    if decision.actor in before:
        raise SecondPersonRequired(f"{decision.actor} has approved already; another person must.")
    return not before


async def list_pending_bank_accounts(terms: AccountTerms, tx: Transaction) -> list[BankAccount]:
    """Bank accounts of all merchants that wait for the operator, oldest first."""
    return await papers.pending_bank_accounts(tx, terms.cipher)


async def decide_bank_account(
    terms: AccountTerms, tx: Transaction, merchant_id: int, bank_account_id: int, decision: Decision
) -> BankAccount:
    """Decide on a bank account.

    Raises:
        BankAccountNotFound: no such bank account.
        InvalidState: it was decided before.
    """
    account = await papers.find_bank_account(tx, terms.cipher, merchant_id, bank_account_id, held=True)
    if account is None:
        raise BankAccountNotFound(f"There is no bank account {bank_account_id}.")
    if account.status is not BankAccountStatus.PENDING:
        raise InvalidState(f"The bank account is {account.status} already.")
    decided = replace(
        account,
        status=BankAccountStatus.APPROVED if decision.approved else BankAccountStatus.REJECTED,
        fail_reason=None if decision.approved else decision.reason,
    )
    await papers.save_bank_account(tx, decided)
    await events.bank_account_changed(tx, decided)
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action="bank_account.approve" if decision.approved else "bank_account.reject",
        subject_id=bank_account_id,
        before=account.status,
        after=decided.status,
    )
    return decided


async def list_waiting_pay_ins(terms: AccountTerms, tx: Transaction) -> list[Order]:
    """Pay-ins of all merchants that wait for an invoice, oldest first."""
    return await orders.lock_open(tx, terms.cipher, [OrderType.PAYIN], Status.INVOICE_REQUIRED)


async def return_pay_in(
    terms: AccountTerms, tx: Transaction, merchant_id: int, order_id: int, decision: Decision
) -> Order:
    """Give a pay-in that waits (for an invoice, for answers) back to its payer.

    Raises:
        OrderNotFound: no such pay-in.
        InvalidState: it does not wait.
    """
    order = await require_order(terms, tx, merchant_id, order_id)
    if order.order_type is not OrderType.PAYIN:
        raise OrderNotFound(f"There is no pay-in {order_id}.")
    if order.status not in {Status.INVOICE_REQUIRED, Status.ON_HOLD}:
        raise InvalidState(f"The pay-in is {order.status}; only one that waits can be given back.")
    decided = await give_back(terms, tx, order, decision.reason or "Given back by the operator.")
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action="pay_in.return",
        subject_id=order_id,
        before=order.status,
        after=decided.status,
    )
    return decided
