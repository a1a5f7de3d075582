"""Invoices: what a merchant shows for a pay-in that waits for one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts import events
from bpn.chapters.accounts.errors import InvalidState, InvoiceNotFound, OrderNotFound
from bpn.chapters.accounts.model import (
    AccountTerms,
    Invoice,
    InvoicePaperStatus,
    InvoiceStatus,
    Order,
    OrderType,
    Status,
)
from bpn.chapters.accounts.operations.history import require_order
from bpn.chapters.accounts.operations.payins import let_through
from bpn.chapters.accounts.store import orders
from bpn.chapters.accounts.store import papers as store
from bpn.database.pool import Transaction
from bpn.files import operations as files
from bpn.files.model import Upload
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money

_REFUSING_NUMBER = "REJECT"
"""A sandbox refuses an invoice whose number begins so, and approves every other."""


@dataclass(frozen=True, slots=True)
class InvoiceCommand:
    """Show an invoice for a pay-in. `content` is JSON: buyer, seller, items."""

    merchant_id: int
    order_id: int
    invoice_number: str
    invoice_date: date
    amount: Money
    content: str
    file: Upload


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A page of invoices and how many match."""

    total: int
    invoices: list[Invoice]


async def submit_invoice(terms: AccountTerms, tx: Transaction, command: InvoiceCommand) -> Invoice:
    """Show an invoice for a pay-in; the operator decides, a sandbox at once.

    Raises:
        OrderNotFound: no such pay-in.
        InvalidState: it needs no invoice, or one is being looked at.
        InvalidRequest: another currency than the pay-in's, less than it, or a file that is none.
    """
    order = await require_order(terms, tx, command.merchant_id, command.order_id)
    if order.order_type is not OrderType.PAYIN:
        raise OrderNotFound(f"There is no pay-in {command.order_id}.", [FieldError("orderId", "is not a pay-in")])
    if order.status is not Status.INVOICE_REQUIRED or order.invoice_status is InvoiceStatus.SUBMITTED:
        raise InvalidState(
            f"The pay-in is {order.status}, its invoice {order.invoice_status}; none is waited for just now."
        )
    _check_amount(order, command.amount)
    file = await files.keep(terms.files, tx, command.merchant_id, command.file)
    invoice = Invoice(
        merchant_id=command.merchant_id,
        invoice_id=tx.ids.next(),
        order_id=order.order_id,
        invoice_number=command.invoice_number,
        invoice_date=command.invoice_date,
        amount=command.amount,
        content=command.content,
        file_id=file.file_id,
        status=InvoicePaperStatus.SUBMITTED,
        fail_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await store.insert_invoice(tx, terms.cipher, invoice)
    await _note(tx, order, InvoiceStatus.SUBMITTED)
    await events.invoice_changed(tx, invoice)
    if not terms.decides_by_itself:
        return invoice
    approved = not command.invoice_number.upper().startswith(_REFUSING_NUMBER)
    decision = Decision(approved, "sandbox", None if approved else "The sandbox was told REJECT.")
    return await decide_invoice(terms, tx, command.merchant_id, invoice.invoice_id, decision)


def _check_amount(order: Order, amount: Money) -> None:
    currency = order.amount.asset.currency
    if amount.asset != order.amount.asset:
        raise InvalidRequest.of("currency", f"is not that of the pay-in, which is {currency}")
    if amount < order.amount:
        raise InvalidRequest.of("amount", f"must cover the pay-in of {order.amount} {currency}")


async def _note(tx: Transaction, order: Order, status: InvoiceStatus) -> Order:
    noted = replace(order, invoice_status=status, updated_at=tx.now)
    await orders.save(tx, [noted])
    return noted


async def list_invoices(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    *,
    invoice_id: int | None,
    order_id: int | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> InvoicePage:
    """The invoices of a merchant, newest first."""
    total, found = await store.page_invoices(
        tx,
        terms.cipher,
        merchant_id,
        invoice_id=invoice_id,
        order_id=order_id,
        status=status,
        before=before,
        offset=offset,
        limit=limit,
    )
    return InvoicePage(total, found)


async def list_submitted_invoices(terms: AccountTerms, tx: Transaction) -> list[Invoice]:
    """Invoices of all merchants that wait for the operator, oldest first."""
    return await store.submitted_invoices(tx, terms.cipher)


async def decide_invoice(
    terms: AccountTerms, tx: Transaction, merchant_id: int, invoice_id: int, decision: Decision
) -> Invoice:
    """Decide on an invoice: approved, the pay-in is the merchant's; rejected, it waits for another.

    Raises:
        InvoiceNotFound: no such invoice.
        InvalidState: it was decided before, or the pay-in waits no longer.
    """
    known = await store.lock_invoice(tx, terms.cipher, merchant_id, invoice_id)
    if known is None:
        raise InvoiceNotFound(f"There is no invoice {invoice_id}.")
    if known.status is not InvoicePaperStatus.SUBMITTED:
        raise InvalidState(f"The invoice is {known.status} already.")
    order = await require_order(terms, tx, merchant_id, known.order_id)
    if order.status is not Status.INVOICE_REQUIRED:
        raise InvalidState(f"The pay-in is {order.status}; it waits for no invoice.")
    decided = replace(
        known,
        status=InvoicePaperStatus.APPROVED if decision.approved else InvoicePaperStatus.REJECTED,
        fail_reason=None if decision.approved else decision.reason,
        updated_at=tx.now,
    )
    await store.save_invoice(tx, decided)
    noted = await _note(tx, order, InvoiceStatus.APPROVED if decision.approved else InvoiceStatus.REJECTED)
    if decision.approved:
        await let_through(terms, tx, noted, invoiced=True)
    await events.invoice_changed(tx, decided)
    await audit.record(
        tx,
        decision,
        merchant_id=merchant_id,
        action="invoice.approve" if decision.approved else "invoice.reject",
        subject_id=invoice_id,
        before=known.status,
        after=decided.status,
    )
    return decided
