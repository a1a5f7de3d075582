"""What the provider chapter speaks of: sub wallets, collection orders, payouts in dollars, the facts it announces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.wallet.model import WalletTerms
from bpn.kernel.money import Money

EARMARK = "collection"
"""What deposits to customers' addresses are earmarked with."""
PAYOUT_EARMARK = "usd_payout"
"""What payouts of this chapter are earmarked with."""


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What the operator sets about the chapter.

    Attributes:
        wallet: the terms of the wallet chapter.
        accounts: the terms of the accounts chapter.
        orders: the terms of the orders chapter.
        base_url: where public URLs begin.
        needs_approval: whether an operator approves a customer before it gets an address.
        link_lifetime: how long a link for a customer can be opened.
        accept_within: how long an order waits before it is EXPIRED.
        quote_lifetime: how long its quote holds.
    """

    wallet: WalletTerms
    accounts: AccountTerms
    orders: OrderTerms
    base_url: str
    needs_approval: bool
    link_lifetime: timedelta
    accept_within: timedelta
    quote_lifetime: timedelta = timedelta(minutes=15)

    def url(self, token: str) -> str:
        """Where a customer opens its link."""
        return f"{self.base_url}/collect/{token}"


class SubWalletStatus(StrEnum):
    """Where a sub wallet stands."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    CLOSED = "CLOSED"


class Freezer(StrEnum):
    """Who froze a sub wallet: a provider cannot lift the platform's word."""

    PROVIDER = "PROVIDER"
    PLATFORM = "PLATFORM"


@dataclass(frozen=True, slots=True)
class SubWallet:
    """A sub wallet that collects for a customer of a provider, and the link by which the customer opens it.

    Attributes:
        address: the same on every network; None before the wallet is ACTIVE for the first time.
        confirmed_at: when the customer confirmed its name on the page.
    """

    merchant_id: int
    wallet_id: int
    link_id: int
    token: str
    request_id: str
    partner_user_id: str
    account_name: str
    status: SubWalletStatus
    frozen_by: Freezer | None
    reason: str | None
    address: str | None
    return_url: str | None
    locale: str | None
    expires_at: datetime
    confirmed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class OrderStatus(StrEnum):
    """How far an order is."""

    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"


class AcceptStatus(StrEnum):
    """What the provider has said."""

    ACCEPTING = "ACCEPTING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class AmlStatus(StrEnum):
    """What screening says of the payer."""

    PASSED = "PASSED"
    REVIEW = "REVIEW"
    FAILED = "FAILED"


class RiskLevel(StrEnum):
    """How risky a payment is: MEDIUM once an operator has released it."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class RefundStatus(StrEnum):
    """How far the return of a rejected payment is."""

    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class CollectionQuote:
    """What an order brings in dollars while the quote lives: `price` of one unit before the fee."""

    quote_id: str
    price: Decimal
    fee: Money
    received: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CollectionOrder:
    """A payment that came to a customer's address and waits for the provider's word.

    Attributes:
        transaction_id: the deposit.
        reason: why it was rejected or failed.
        refund_transaction_id: the return on chain.
    """

    merchant_id: int
    order_id: int
    wallet_id: int
    account_name: str
    transaction_id: int
    amount: Money
    address: str
    payer_address: str | None
    hash: str | None
    status: OrderStatus
    accept_status: AcceptStatus
    aml_status: AmlStatus
    risk_level: RiskLevel
    quote: CollectionQuote | None
    accept_deadline: datetime
    accepted_at: datetime | None
    reason: str | None
    refund_address: str | None
    refund_transaction_id: int | None
    refund_status: RefundStatus | None
    refund_hash: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsdPayout:
    """A payout from the dollars collected; it is an order of the accounts chapter with the same id."""

    merchant_id: int
    payout_id: int
    merchant_order_id: str
    bank_account_id: int | None
    amount: Money
    fee: Money
    status: str
    reason: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubWalletFilter:
    """Which sub wallets a list is of; None is any."""

    partner_user_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionFilter:
    """Which orders a list is of; None is any."""

    wallet_id: int | None = None
    status: str | None = None
    accept_status: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class PayoutFilter:
    """Which payouts a list is of; None is any."""

    status: str | None = None


@dataclass(frozen=True, slots=True)
class SubWalletChanged:
    """A sub wallet has a new state."""

    name: ClassVar[str] = "provider.sub_wallet.changed"
    wallet: SubWallet


@dataclass(frozen=True, slots=True)
class CollectionOrderChanged:
    """A collection order has a new state."""

    name: ClassVar[str] = "provider.collection_order.changed"
    order: CollectionOrder


@dataclass(frozen=True, slots=True)
class UsdPayoutChanged:
    """A payout in dollars has a new state."""

    name: ClassVar[str] = "provider.usd_payout.changed"
    payout: UsdPayout
