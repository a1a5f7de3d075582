"""The facts the accounts chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.accounts.model import (
    BankAccount,
    BankAccountChanged,
    InformationRequest,
    InformationRequestChanged,
    Invoice,
    InvoiceChanged,
    Order,
    OrderChanged,
    VirtualAccount,
    VirtualAccountChanged,
)
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement


async def account_changed(tx: Transaction, account: VirtualAccount) -> None:
    """A virtual account has a new state."""
    await outbox.record(tx, [Announcement(account.merchant_id, account.account_id, VirtualAccountChanged(account))])


async def orders_changed(tx: Transaction, orders: Sequence[Order]) -> None:
    """Orders have a new state."""
    if orders:
        await outbox.record(
            tx, [Announcement(order.merchant_id, order.order_id, OrderChanged(order)) for order in orders]
        )


async def bank_account_changed(tx: Transaction, account: BankAccount) -> None:
    """A bank account has a new state."""
    await outbox.record(tx, [Announcement(account.merchant_id, account.bank_account_id, BankAccountChanged(account))])


async def invoice_changed(tx: Transaction, invoice: Invoice) -> None:
    """An invoice has a new state."""
    await outbox.record(tx, [Announcement(invoice.merchant_id, invoice.invoice_id, InvoiceChanged(invoice))])


async def request_changed(tx: Transaction, request: InformationRequest) -> None:
    """An information request has a new state."""
    await outbox.record(tx, [Announcement(request.merchant_id, request.request_id, InformationRequestChanged(request))])
