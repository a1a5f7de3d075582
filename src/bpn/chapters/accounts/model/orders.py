"""Orders: what came in through a rail, and what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bpn.kernel.money import Money
from bpn.ports.readers import BankParty


class OrderType(StrEnum):
    """What an order is. ORDER is a debit or credit that a chapter above has made."""

    PAYIN = "PAYIN"
    PAYOUT = "PAYOUT"
    REFUND = "REFUND"
    RETURN = "RETURN"
    ORDER = "ORDER"


class Direction(StrEnum):
    """Whether an order brings money or takes it."""

    IN = "IN"
    OUT = "OUT"


class Status(StrEnum):
    """States of all types of order; `NEXT` says which may follow which."""

    PROCESSING = "PROCESSING"
    INVOICE_REQUIRED = "INVOICE_REQUIRED"
    ON_HOLD = "ON_HOLD"
    REVIEWING = "REVIEWING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"


_PAID_OUT: Mapping[Status, frozenset[Status]] = {
    Status.REVIEWING: frozenset({Status.PROCESSING, Status.REJECTED}),
    Status.PROCESSING: frozenset({Status.REVIEWING, Status.SUCCESS, Status.FAILED}),
    Status.SUCCESS: frozenset({Status.RETURNED}),
}
NEXT: Mapping[OrderType, Mapping[Status, frozenset[Status]]] = {
    OrderType.PAYIN: {
        Status.PROCESSING: frozenset(
            {Status.SUCCESS, Status.INVOICE_REQUIRED, Status.ON_HOLD, Status.RETURNED, Status.FAILED}
        ),
        Status.INVOICE_REQUIRED: frozenset({Status.SUCCESS, Status.RETURNED, Status.FAILED}),
        Status.ON_HOLD: frozenset({Status.SUCCESS, Status.INVOICE_REQUIRED, Status.RETURNED, Status.FAILED}),
        Status.SUCCESS: frozenset({Status.FAILED}),
    },
    OrderType.PAYOUT: _PAID_OUT,
    OrderType.REFUND: _PAID_OUT,
    OrderType.RETURN: _PAID_OUT,
}
"""The one table of allowed state changes. A pay-in that succeeded fails when its rail takes it back."""

FINAL = frozenset({Status.SUCCESS, Status.FAILED, Status.REJECTED, Status.RETURNED})


class InvoiceStatus(StrEnum):
    """Whether a pay-in needs an invoice, and how that stands."""

    NOT_REQUIRED = "NOT_REQUIRED"
    REQUIRED = "REQUIRED"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class HeldIn(StrEnum):
    """Where the money of a pay-in waits outside what the master may spend."""

    INCOMING = "incoming"
    SUSPENSE = "suspense"


class PaymentState(StrEnum):
    """How far the payment of an order is on its way to the bank."""

    WAITING = "waiting"
    """For the operator."""
    SCREENING = "screening"
    READY = "ready"
    GIVEN = "given"
    """In a batch, for ever: the bank says what becomes of it."""
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Order:
    """One line of a merchant's fiat history.

    Attributes:
        account_id: the virtual account that was paid, or the master that pays.
        counter_order_id: the pay-in of a refund or return, the payout of a return.
        refunded: of a pay-in: minor units given back or on their way.
        source: the bank that tells or makes the payment.
        rail_reference: the rail's own reference.
        end_to_end_id: the payer's bank's of a pay-in, ours of what we send.
        party: the payer, or who is paid; None for ORDER.
        earmark: of another chapter: what the order belongs to.
        held_in: where the money waits; None when it is the master's, or gone.
        due_at: of an order ON_HOLD: after this time it is given back.
    """

    merchant_id: int
    order_id: int
    order_type: OrderType
    direction: Direction
    account_id: int
    primary_account_id: int
    merchant_order_id: str | None
    counter_order_id: int | None
    amount: Money
    fee: Money
    refunded: int
    status: Status
    invoice_status: InvoiceStatus
    rail: str
    source: str
    rail_reference: str | None
    end_to_end_id: str | None
    purpose: str | None
    remark: str | None
    charge_bearer: str | None
    fail_code: str | None
    fail_reason: str | None
    party: BankParty | None
    bank_account_id: int | None
    earmark: str | None
    held_in: HeldIn | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list is of; None is any."""

    order_id: int | None = None
    merchant_order_id: str | None = None
    account_id: int | None = None
    sub_user_id: str | None = None
    order_type: str | None = None
    currency: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutgoingPayment:
    """The payment of an order, as it leaves.

    `payer_name` is the merchant's; `pay_in_reference` the rail's reference of the pay-in that is given back.
    """

    order: Order
    payer_name: str
    pay_in_reference: str | None


@dataclass(frozen=True, slots=True)
class OutgoingBatch:
    """Payments that leave together, decided for ever."""

    batch_id: int
    created_at: datetime
    payments: tuple[OutgoingPayment, ...]
