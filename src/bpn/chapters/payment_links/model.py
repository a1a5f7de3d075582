"""What the payment links chapter speaks of: links, what was paid to them, abnormal funds, the facts it announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from bpn.chapters.wallet.model import WalletTerms
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money

_BASIS_POINTS = 10_000
EARMARK = "payment_link"
"""What the wallet chapter calls the addresses of links."""


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """What the operator sets about the chapter.

    Attributes:
        wallet: the networks and their tokens.
        base_url: where the hosted pages are reached.
        price_lifetime: how long a price stands once chosen.
        cipher: seals what is known of payers.
    """

    wallet: WalletTerms
    base_url: str
    price_lifetime: timedelta
    cipher: Cipher

    def url(self, token: str) -> str:
        """The hosted page of a public token."""
        return f"{self.base_url}/pay/{token}"


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a merchant's links keep to.

    Attributes:
        tolerance_bps: how far off an amount may be and still count as exact, in hundredths of a percent.
        tolerance_amount: the same in whole units; the larger of the two holds.
        support: where payers are told to write, an address or a URL; None where the merchant has given none.
    """

    tolerance_bps: Decimal = Decimal(0)
    tolerance_amount: Decimal = Decimal(0)
    support: str | None = None

    def slack(self, due: Money) -> int:
        """How far off what is due an amount may be, in minor units."""
        scale = Decimal(10) ** due.asset.scale
        return max(int(due.minor * self.tolerance_bps / _BASIS_POINTS), int(self.tolerance_amount * scale))


class LinkType(StrEnum):
    """Paid once, or any number of times."""

    ONE_TIME = "one_time"
    PERMANENT = "permanent"


class LinkStatus(StrEnum):
    """Where a link stands; `NEXT` says what may follow."""

    INIT = "init"
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


NEXT: Mapping[LinkStatus, frozenset[LinkStatus]] = {
    LinkStatus.INIT: frozenset({LinkStatus.ACTIVE, LinkStatus.COMPLETED, LinkStatus.EXPIRED, LinkStatus.CANCELLED}),
    LinkStatus.ACTIVE: frozenset({LinkStatus.INIT, LinkStatus.COMPLETED, LinkStatus.EXPIRED, LinkStatus.CANCELLED}),
    # By linking an abnormal fund to it.
    LinkStatus.EXPIRED: frozenset({LinkStatus.COMPLETED}),
    LinkStatus.CANCELLED: frozenset({LinkStatus.COMPLETED}),
}
"""The one table of allowed state changes. Only a reorg that takes away what paid a link opens a completed one again."""

OPEN = frozenset({LinkStatus.INIT, LinkStatus.ACTIVE})
"""States in which a link waits for money."""


class Label(StrEnum):
    """What is odd about the money that came for a link; several may hold at once."""

    UNDER = "UNDER"
    OVER = "OVER"
    LATE = "LATE"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    WRONG_NETWORK = "WRONG_NETWORK"
    DUPLICATE = "DUPLICATE"


AMOUNT_LABELS = frozenset({Label.UNDER, Label.OVER})


@dataclass(frozen=True, slots=True)
class Choice:
    """What the payer chose to pay with: an exact amount, at a price (fiat per unit) that stands until a time."""

    amount: Money
    price: Decimal
    price_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: what the travel rule asks. `name_unavailable`: the merchant says that it does not know."""

    name_unavailable: bool = False
    company: bool = False
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    country: str | None = None
    platform: str | None = None
    """The exchange or platform that the money comes from; None is a wallet of the payer's own."""

    @property
    def named(self) -> bool:
        """Whether enough is known to say who sent a payment."""
        names = self.company_name if self.company else self.first_name and self.last_name
        return bool(names and self.country)


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """A link, or the order that one payment to a permanent link makes (`reference_payment_id` is the link then).

    Attributes:
        fiat: what is to be paid; None where the payer names the amount. Its asset is a national currency.
        choice: what it is paid with; None until the payer has chosen.
        address: where to send it, on the network chosen.
        payer_known: whether the payer's details are kept.
        seen_at: when money for it was first seen; the choice stands from then on.
        effective_at: from when on it may be paid.
        expires_at: until when; None for a permanent link.
    """

    merchant_id: int
    payment_id: int
    reference_payment_id: int | None
    token: str
    link_type: LinkType
    status: LinkStatus
    user_order_no: str | None
    recipient_name: str
    wallet_id: int
    product_remark: str | None
    fiat_asset: Asset
    fiat: Money | None
    currencies: tuple[str, ...]
    networks: tuple[str, ...]
    valid_minutes: int
    return_url: str | None
    choice: Choice | None
    address: str | None
    payer_known: bool
    labels: tuple[Label, ...]
    seen_at: datetime | None
    effective_at: datetime
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    cancelled_at: datetime | None = None


class PaymentStatus(StrEnum):
    """How far a payment to a link's address has come."""

    CONFIRMING = "CONFIRMING"
    REVIEWING = "REVIEWING"
    """Confirmed; who sent it is asked for or looked up."""
    FROZEN = "FROZEN"
    """Screening hit; the operator decides."""
    READY = "READY"
    """Cleared, and kept until what came suffices."""
    RECEIVED = "RECEIVED"
    """Counted, and given to the wallet."""
    ABNORMAL = "ABNORMAL"
    ORPHANED = "ORPHANED"


SETTLING = frozenset({PaymentStatus.CONFIRMING, PaymentStatus.REVIEWING, PaymentStatus.FROZEN})
"""Not decided yet."""
COUNTING = SETTLING | {PaymentStatus.READY, PaymentStatus.RECEIVED}


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came to an address of a link: one deposit.

    `counted` is the part of `amount` that was given to the wallet. `block_time`: of the block that holds it.
    """

    merchant_id: int
    payment_id: int
    transaction_id: int
    amount: Money
    counted: Money
    status: PaymentStatus
    labels: tuple[Label, ...]
    hash: str
    from_address: str | None
    to_address: str
    block_time: datetime
    confirmations: int
    required_confirmations: int
    created_at: datetime
    updated_at: datetime


class Amount(StrEnum):
    """What came, against what is due."""

    UNDER = "under"
    EXACT = "exact"
    OVER = "over"


class Timing(StrEnum):
    """When it came."""

    IN_TIME = "in_time"
    LATE = "late"
    AFTER_COMPLETION = "after_completion"


class Number(StrEnum):
    """In how many transactions."""

    ONE = "one"
    SEVERAL = "several"


class TokenKind(StrEnum):
    """Of what it is."""

    RIGHT = "right"
    OTHER = "other"
    OTHER_NETWORK = "other_network"
    UNKNOWN = "unknown"


class Abnormal(StrEnum):
    """Which part of a payment is abnormal."""

    NONE = "none"
    REST = "rest"
    ALL = "all"


class Action(StrEnum):
    """What may be done then."""

    PAY = "PAY"
    CANCEL = "CANCEL"
    LINK = "LINK"
    REFUND = "REFUND"
    CREDIT = "CREDIT"


@dataclass(frozen=True, slots=True)
class Case:
    """A cell's place in the matrix."""

    amount: Amount
    time: Timing
    number: Number
    token: TokenKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the matrix says of a case."""

    status: LinkStatus
    labels: tuple[Label, ...]
    abnormal: Abnormal
    fund_labels: tuple[Label, ...]
    actions: frozenset[Action]


class FundStatus(StrEnum):
    """Where an abnormal fund stands; `NEXT_OF_FUND` says what may follow."""

    PENDING = "PENDING"
    LINKED = "LINKED"
    SUBMITTED = "SUBMITTED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"
    CREDITED = "CREDITED"
    FROZEN = "FROZEN"
    ORPHANED = "ORPHANED"


NEXT_OF_FUND: Mapping[FundStatus, frozenset[FundStatus]] = {
    FundStatus.PENDING: frozenset({FundStatus.LINKED, FundStatus.SUBMITTED, FundStatus.ORPHANED}),
    FundStatus.LINKED: frozenset({FundStatus.SUBMITTED, FundStatus.ORPHANED}),
    FundStatus.SUBMITTED: frozenset(
        {FundStatus.REFUNDING, FundStatus.CREDITED, FundStatus.PENDING, FundStatus.FROZEN, FundStatus.ORPHANED}
    ),
    FundStatus.REFUNDING: frozenset({FundStatus.REFUNDED, FundStatus.REFUND_FAILED}),
    FundStatus.REFUND_FAILED: frozenset({FundStatus.SUBMITTED, FundStatus.REFUNDING, FundStatus.CREDITED}),
    FundStatus.FROZEN: frozenset({FundStatus.REFUNDING, FundStatus.CREDITED, FundStatus.ORPHANED}),
}


class FundAction(StrEnum):
    """What the platform is asked to do with a fund."""

    REFUND = "REFUND"
    CREDIT = "CREDIT"


@dataclass(frozen=True, slots=True)
class AbnormalFund:
    """Money that came for a link and did not complete it; it lies in suspense until somebody decides.

    Attributes:
        transaction_id: the deposit it came with.
        part: which fund of that deposit; one deposit may leave two, when part of the first is linked.
        payment_id: the link whose address it came to.
        linked_payment_id: the link it was linked to.
        fee: the network's, taken from the amount when it is refunded.
        refund_transaction_id: the withdrawal that refunds it.
    """

    merchant_id: int
    abnormal_fund_id: int
    transaction_id: int
    part: int
    payment_id: int
    linked_payment_id: int | None
    wallet_id: int
    amount: Money
    hash: str
    from_address: str | None
    labels: tuple[Label, ...]
    status: FundStatus
    action: FundAction | None
    refund_address: str | None
    reason: str | None
    fee: Money | None
    refund_transaction_id: int | None
    refund_hash: str | None
    created_at: datetime
    updated_at: datetime


class MatchReason(StrEnum):
    """Why a fund may belong to a link, the strongest first."""

    SAME_ADDRESS = "SAME_ADDRESS"
    EXACT_AMOUNT = "EXACT_AMOUNT"
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    REMAINING_AMOUNT = "REMAINING_AMOUNT"
    NEAR_AMOUNT = "NEAR_AMOUNT"
    SAME_NETWORK = "SAME_NETWORK"
    CLOSE_IN_TIME = "CLOSE_IN_TIME"


@dataclass(frozen=True, slots=True)
class Match:
    """A link that a fund could pay. `due`: what it asks in the fund's asset."""

    link: PaymentLink
    due: Money
    reasons: tuple[MatchReason, ...]


@dataclass(frozen=True, slots=True)
class LinkFilter:
    """Which links a list is of; None is any."""

    status: str | None = None
    link_type: str | None = None
    user_order_no: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class FundFilter:
    """Which funds a list is of; None is any."""

    status: str | None = None
    payment_id: int | None = None
    currency: str | None = None
    network: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with all that came for it, oldest first, and the payer's details where they were asked for."""

    link: PaymentLink
    payments: tuple[Payment, ...]
    linked: tuple[AbnormalFund, ...] = ()
    payer: Payer | None = None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A link has a new state, or its money has."""

    name: ClassVar[str] = "payment_links.link.changed"
    link: PaymentLink
    url: str
    payer_name_unavailable: bool | None


@dataclass(frozen=True, slots=True)
class PaymentChanged:
    """A payment to a link has a new state."""

    name: ClassVar[str] = "payment_links.payment.changed"
    payment: Payment
    reference_payment_id: int | None
    wallet_id: int


@dataclass(frozen=True, slots=True)
class FundChanged:
    """An abnormal fund has a new state."""

    name: ClassVar[str] = "payment_links.fund.changed"
    fund: AbnormalFund
