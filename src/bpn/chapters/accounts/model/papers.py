"""Bank accounts of a merchant, invoices, information requests, email codes, and what nobody could place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bpn.kernel.money import Money
from bpn.ports.readers import BankParty


class BankAccountStatus(StrEnum):
    """Whether a bank account may be paid."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account at some bank that the merchant is paid from (`payer`) or pays to (`beneficiary`).

    `info` is what the merchant gave, in the keys of the wire; `party` is how a payment names it.
    """

    merchant_id: int
    bank_account_id: int
    account_type: str
    network_type: str
    country: str
    currency: str
    info: Mapping[str, str]
    party: BankParty
    status: BankAccountStatus
    fail_reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BankAccountFilter:
    """Which bank accounts a list is of; None is any."""

    bank_account_id: int | None = None
    account_type: str | None = None
    network_type: str | None = None
    country: str | None = None
    currency: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class InvoicePaperStatus(StrEnum):
    """Where an invoice stands."""

    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a merchant shows for a pay-in. `content` is JSON: buyer, seller, items."""

    merchant_id: int
    invoice_id: int
    order_id: int
    invoice_number: str
    invoice_date: date
    amount: Money
    content: str
    file_id: int
    status: InvoicePaperStatus
    fail_reason: str | None
    created_at: datetime
    updated_at: datetime


class FieldKind(StrEnum):
    """What a field of a template takes."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class TemplateField:
    """One question. `choices` of a CHOICE."""

    name: str
    label: str
    kind: FieldKind
    required: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InformationTemplate:
    """What compliance may ask, by name."""

    name: str
    title: str
    fields: tuple[TemplateField, ...]


class RequestStatus(StrEnum):
    """Where an information request stands."""

    OPEN = "OPEN"
    SUBMITTED = "SUBMITTED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"


@dataclass(frozen=True, slots=True)
class InformationRequest:
    """What compliance asks about a virtual account; `reason` is why an answer was not enough."""

    merchant_id: int
    request_id: int
    account_id: int
    template: str
    question: str | None
    status: RequestStatus
    reason: str | None
    due_at: datetime
    created_at: datetime
    updated_at: datetime


class EmailScene(StrEnum):
    """What an email code is asked for."""

    CREATE_ACCOUNT = "CREATE_ACCOUNT"
    PAYOUT = "PAYOUT"
    ADD_BANK_ACCOUNT = "ADD_BANK_ACCOUNT"


@dataclass(frozen=True, slots=True)
class BankException:
    """Something a bank told that could not be placed; nothing is lost, an operator looks at it."""

    merchant_id: int
    exception_id: int
    source: str
    rail_reference: str
    reason: str
    detail: str
    created_at: datetime
