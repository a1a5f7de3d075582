"""Master accounts, virtual accounts, and whom they are for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ports.readers import AccountNumbers


@dataclass(frozen=True, slots=True)
class MasterAccount:
    """A merchant's fiat balance of one currency. `account_id` is the `primaryAccountId` of the wire."""

    merchant_id: int
    account_id: int
    asset: Asset
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MasterBalance:
    """What a master account holds: `available` may be spent; `pending` has come in and is not released."""

    account: MasterAccount
    available: Money
    pending: Money
    held: Money


class SubType(StrEnum):
    """Whether an account is paid any number of times, or shows a code for one payment."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"


class CustomerType(StrEnum):
    """Whom an account is for."""

    CORPORATE = "CORPORATE"
    INDIVIDUAL = "INDIVIDUAL"


class AccountStatus(StrEnum):
    """Where a virtual account stands."""

    INIT = "INIT"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    RESTRICTED = "RESTRICTED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom an account is for, as the merchant told it: personal data.

    `name` is the company's or the person's; `registration_number` the company's number or the person's tax number,
    `registration_country` the country that gave it.
    """

    customer_type: CustomerType | None = None
    name: str | None = None
    industry: str | None = None
    business_platform_url: str | None = None
    registration_number: str | None = None
    registration_country: str | None = None
    email: str | None = None
    wished_pix_key: str | None = None


@dataclass(frozen=True, slots=True)
class VirtualAccount:
    """A fiat receiving handle. `numbers` is None until the bank has opened it.

    Attributes:
        amount: what a dynamic code asks for.
        token: names the account in public URLs.
        earmark: of another chapter: what the account's pay-ins belong to; they wait until their owner releases them.
        restricted_until: pay-ins that come while it is RESTRICTED are given back after this time.
    """

    merchant_id: int
    account_id: int
    primary_account_id: int
    asset: Asset
    country: str
    rail: str
    sub_type: SubType
    status: AccountStatus
    fail_reason: str | None
    sub_user_id: str | None
    customer_type: CustomerType | None
    pix_key_type: str | None
    amount: Money | None
    expires_at: datetime | None
    token: str
    earmark: str | None
    restricted_until: datetime | None
    created_at: datetime
    updated_at: datetime
    numbers: AccountNumbers | None = field(default=None)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which virtual accounts a list is of; None is any."""

    account_id: int | None = None
    sub_user_id: str | None = None
    currency: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """An account that the bank has to open. `holder_name` is whom it is shown to belong to."""

    account: VirtualAccount
    profile: Profile
    holder_name: str


@dataclass(frozen=True, slots=True)
class OpeningReport:
    """What the bank made of a request for an account: numbers, or why not."""

    numbers: AccountNumbers | None
    fail_reason: str | None
