"""What can be controlled: operations, fees, limits, pauses, settings of merchants; and one version of a control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from bpn.kernel.assets import Asset

Value_co = TypeVar("Value_co", covariant=True)
ALL_MERCHANTS = 0
"""The merchant id of what holds for every merchant."""


class Operation(StrEnum):
    """What a fee, a limit or a pause is about."""

    WITHDRAWAL = "WITHDRAWAL"
    DEPOSIT = "DEPOSIT"
    INTERNAL_TRANSFER = "INTERNAL_TRANSFER"
    PAYIN = "PAYIN"
    PAYOUT = "PAYOUT"
    REFUND = "REFUND"
    ORDER = "ORDER"
    PAYMENT_LINK = "PAYMENT_LINK"
    COLLECTION = "COLLECTION"
    USD_PAYOUT = "USD_PAYOUT"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what a control holds for; None is every currency, or every network of the currency."""

    merchant_id: int = ALL_MERCHANTS
    currency: str | None = None
    network: str | None = None

    @classmethod
    def of(cls, merchant_id: int, asset: Asset) -> Scope:
        """One merchant and one asset."""
        return cls(merchant_id, asset.currency, asset.network)

    def __str__(self) -> str:
        """In words: `USDT@BSC of merchant 1`."""
        what = f"{self.currency or 'every currency'}{f'@{self.network}' if self.network else ''}"
        return f"{what} of {f'merchant {self.merchant_id}' if self.merchant_id else 'all merchants'}"


EVERYTHING = Scope()
"""Every merchant, currency and network."""


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """A fee of `flat` and `bps` hundredths of a percent of the amount, within `minimum` and `maximum`; whole units."""

    flat: Decimal = Decimal(0)
    bps: Decimal | int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that one operation, or all of a UTC day together, may move, in whole units; None is no limit."""

    per_transaction: Decimal | None = None
    per_day: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Something switched off: an operation (None is every one) within a scope."""

    operation: Operation | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class MerchantSetting(Generic[Value_co]):
    """Something about a merchant that the operator sets.

    Attributes:
        name: how operators spell it.
        type: of its values: Decimal, int, bool, str, or tuple (of words).
        default: what holds where nobody has set it.
        meaning: one sentence.
        set_by: the command that sets it, where that is more than writing it down.
    """

    name: str
    type: type
    default: Value_co
    meaning: str
    set_by: str | None = None


AUTO_REVIEW_ABOVE: MerchantSetting[Decimal | None] = MerchantSetting(
    "AUTO_REVIEW_ABOVE",
    Decimal,
    None,
    "Withdrawals of more whole units wait for the operator; BPN_REVIEW_ABOVE holds if unset.",
)
INVOICE_ABOVE: MerchantSetting[Decimal | None] = MerchantSetting(
    "INVOICE_ABOVE", Decimal, None, "Pay-ins of at least so many whole units need an invoice; none does if unset."
)
INVOICE_FOR_BUSINESS: MerchantSetting[bool] = MerchantSetting(
    "INVOICE_FOR_BUSINESS", bool, False, "Whether pay-ins of businesses need an invoice."
)
EMAIL_CODE_FOR: MerchantSetting[tuple[str, ...]] = MerchantSetting(
    "EMAIL_CODE_FOR", tuple, (), "The scenes that ask for a code sent by mail, such as PAYOUT."
)
REGISTERED_EMAIL: MerchantSetting[str | None] = MerchantSetting(
    "REGISTERED_EMAIL", str, None, "The address that codes for payouts are sent to."
)
LINK_TOLERANCE_BPS: MerchantSetting[Decimal] = MerchantSetting(
    "LINK_TOLERANCE_BPS",
    Decimal,
    Decimal(0),
    "How far a payment may miss a link's amount and still complete it.",
)
LINK_TOLERANCE_AMOUNT: MerchantSetting[Decimal] = MerchantSetting(
    "LINK_TOLERANCE_AMOUNT", Decimal, Decimal(0), "The same in whole units; the larger of the two holds."
)
SUPPORT_CONTACT: MerchantSetting[str | None] = MerchantSetting(
    "SUPPORT_CONTACT", str, None, "Where payers turn to, shown on hosted pages."
)
DESK_SPREAD_BPS: MerchantSetting[Decimal | None] = MerchantSetting(
    "DESK_SPREAD_BPS", Decimal, None, "How far the desk's price is from the middle; the desk's own if unset."
)
WHITELIST_COOLING_SECONDS: MerchantSetting[int | None] = MerchantSetting(
    "WHITELIST_COOLING_SECONDS",
    int,
    None,
    "From approval until an address is usable; BPN_WHITELIST_COOLING_SECONDS holds if unset.",
    set_by="bpn whitelist cooling",
)

MERCHANT_SETTINGS: Mapping[str, MerchantSetting[object]] = {
    setting.name: setting
    for setting in (
        AUTO_REVIEW_ABOVE,
        INVOICE_ABOVE,
        INVOICE_FOR_BUSINESS,
        EMAIL_CODE_FOR,
        REGISTERED_EMAIL,
        LINK_TOLERANCE_BPS,
        LINK_TOLERANCE_AMOUNT,
        SUPPORT_CONTACT,
        DESK_SPREAD_BPS,
        WHITELIST_COOLING_SECONDS,
    )
}
"""Every setting of merchants, by name."""


class Kind(StrEnum):
    """What a version is of."""

    FEE = "fee"
    LIMIT = "limit"
    PAUSE = "pause"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a control, never changed once written.

    Attributes:
        control_id: grows with time.
        kind: what it is of.
        name: the operation or the setting; empty for a pause of every operation.
        scope: whom and what it holds for.
        value: its terms, amounts as decimal strings; None takes the control back, so that the less specific holds.
        valid_from: business time from which it holds, until a newer one does.
        maker: who asked for it.
        checker: the second person, where one was needed.
        reason: why.
        proposal: it waits for a second person, and does not hold.
        created_at: business time of writing.
    """

    control_id: int
    kind: Kind
    name: str
    scope: Scope
    value: Mapping[str, str | None] | None
    valid_from: datetime
    maker: str
    checker: str | None
    reason: str | None
    proposal: bool
    created_at: datetime
