"""The events of the accounts chapter."""

from __future__ import annotations

from bpn.chapters.accounts import model, schemas
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.wiring.events.event import Event


def account_events(base_url: str) -> list[Event]:
    """Virtual accounts, their orders, invoices, information requests, bank accounts."""

    def account_changed(fact: model.VirtualAccountChanged) -> RenderedEvent:
        account = schemas.VirtualAccount.of(fact.account, base_url)
        return RenderedEvent(account.account_id, account.status, account)

    return [
        Event(
            "OPEN_VIRTUAL_ACCOUNT_STATUS",
            "A virtual account has a new state.",
            schemas.VirtualAccount,
            {model.VirtualAccountChanged: account_changed},
        ),
        Event(
            "VIRTUAL_ACCOUNT_PAYMENT_STATUS",
            "A pay-in, payout, refund or return has a new state.",
            schemas.Order,
            {model.OrderChanged: _order_changed},
        ),
        Event(
            "VIRTUAL_ACCOUNT_INVOICE",
            "An invoice has a new state.",
            schemas.Invoice,
            {model.InvoiceChanged: _invoice_changed},
        ),
        Event(
            "SUB_VIRTUAL_ACCOUNT_RFI",
            "Compliance asks about a virtual account, or has decided on the answers.",
            schemas.InformationRequest,
            {model.InformationRequestChanged: _request_changed},
        ),
        Event(
            "ACCOUNT_STATUS",
            "A bank account has a new state.",
            schemas.BankAccount,
            {model.BankAccountChanged: _bank_account_changed},
        ),
    ]


def _order_changed(fact: model.OrderChanged) -> RenderedEvent:
    order = schemas.Order.of(fact.order)
    return RenderedEvent(order.order_id, order.status, order)


def _invoice_changed(fact: model.InvoiceChanged) -> RenderedEvent:
    invoice = schemas.Invoice.of(fact.invoice)
    return RenderedEvent(invoice.invoice_id, invoice.status, invoice)


def _request_changed(fact: model.InformationRequestChanged) -> RenderedEvent:
    request = schemas.InformationRequest.of(fact.request)
    return RenderedEvent(request.rfi_id, request.status, request)


def _bank_account_changed(fact: model.BankAccountChanged) -> RenderedEvent:
    account = schemas.BankAccount.of(fact.account)
    return RenderedEvent(account.account_id, account.status, account)
