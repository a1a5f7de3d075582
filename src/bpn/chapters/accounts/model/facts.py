"""The facts that the accounts chapter announces; chapters above listen by these types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bpn.chapters.accounts.model.accounts import VirtualAccount
from bpn.chapters.accounts.model.orders import Order
from bpn.chapters.accounts.model.papers import BankAccount, InformationRequest, Invoice


@dataclass(frozen=True, slots=True)
class VirtualAccountChanged:
    """A virtual account has a new state."""

    name: ClassVar[str] = "accounts.virtual_account.changed"
    account: VirtualAccount


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order has a new state.

    A chapter above that set an `earmark` (on an account or a payout) knows its own by `order.earmark`: a pay-in that is
    SUCCESS and still `held_in` waits to be released by it; a payout ends SUCCESS, FAILED, REJECTED or RETURNED.
    """

    name: ClassVar[str] = "accounts.order.changed"
    order: Order


@dataclass(frozen=True, slots=True)
class BankAccountChanged:
    """A bank account of the merchant has a new state."""

    name: ClassVar[str] = "accounts.bank_account.changed"
    account: BankAccount


@dataclass(frozen=True, slots=True)
class InvoiceChanged:
    """An invoice has a new state."""

    name: ClassVar[str] = "accounts.invoice.changed"
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class InformationRequestChanged:
    """Compliance asks, or has decided on an answer."""

    name: ClassVar[str] = "accounts.information_request.changed"
    request: InformationRequest
