"""What the orders chapter speaks of: quotes, routes, orders and their states, pools, the facts it announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar

from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.fx.model import FxTerms
from bpn.chapters.orders.model.reserves import Reserves
from bpn.chapters.wallet.model import WalletTerms
from bpn.controls.operations import Controls
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.money import Money

EARMARK = "stable_order"
"""What deposits and pay-ins of orders are earmarked with."""


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What the operator sets about the chapter.

    Attributes:
        assets: every fiat currency and every token.
        accounts: the terms of the accounts chapter.
        wallet: the terms of the wallet chapter.
        fx: the terms of the fx chapter.
        controls: fees, limits and pauses.
        quote_lifetime: how long a quote can be used.
        exposure_limit_usd: what a merchant's open quotes may come to together.
        price_tolerance_bps: how far the rate may move between quote and order.
        guard_bps: how far a pool's price may be from the rate.
        fee_bps: of an order, where the operator has set no other fee.
    """

    assets: Assets
    accounts: AccountTerms
    wallet: WalletTerms
    fx: FxTerms
    controls: Controls
    quote_lifetime: timedelta
    exposure_limit_usd: Decimal
    price_tolerance_bps: int
    guard_bps: int
    fee_bps: Decimal


class Side(StrEnum):
    """What a merchant does with the stablecoin; a SWAP is of one stablecoin against another."""

    BUY = "BUY"
    SELL = "SELL"
    SWAP = "SWAP"


class Venue(StrEnum):
    """Who fills."""

    DESK = "DESK"
    POOL = "POOL"


@dataclass(frozen=True, slots=True)
class Hop:
    """One conversion on a way: who fills it, what goes in and what comes out."""

    venue: Venue
    pool_id: int | None
    paid: Money
    received: Money


Route = tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool: the shares of its two assets, and its terms."""

    pool_id: int
    assets: tuple[Asset, Asset]
    reserves: Reserves
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as an operator sees it. `price`: one unit of the first asset in the second."""

    state: PoolState
    supply: int
    price: Fraction | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QuoteCommand:
    """Price a conversion of exactly one amount: what is paid in all, or what arrives."""

    merchant_id: int
    side: Side
    source: Asset
    target: Asset
    paid: Money | None
    received: Money | None
    wallet_id: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A price that holds for a while. `paid` and `received` are what leaves and what reaches the merchant.

    The fee is of the fiat side: within `paid` of a BUY, kept from what a SELL brings; of a SWAP within `paid`.
    `mid` is the rate it was made at: one unit of the asset paid in the one received.
    """

    merchant_id: int
    quote_id: str
    side: Side
    paid: Money
    received: Money
    fee: Money
    price: Decimal
    mid: Decimal
    route: Route
    wallet_id: int | None
    exposure_cents: int
    created_at: datetime
    expires_at: datetime
    order_id: int | None = None


class Funding(StrEnum):
    """Where the money of an order comes from."""

    BALANCE = "BALANCE"
    PAYIN = "PAYIN"
    DEPOSIT = "DEPOSIT"


class Status(StrEnum):
    """States of an order; `NEXT` says which may follow which."""

    CREATED = "CREATED"
    AWAITING_FUNDS = "AWAITING_FUNDS"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    REFUNDED = "REFUNDED"


NEXT: Mapping[Status, frozenset[Status]] = {
    Status.CREATED: frozenset({Status.AWAITING_FUNDS, Status.PROCESSING, Status.SUCCESS}),
    Status.AWAITING_FUNDS: frozenset({Status.PROCESSING, Status.SUCCESS, Status.FAILED, Status.EXPIRED}),
    Status.PROCESSING: frozenset({Status.SUCCESS, Status.FAILED}),
    Status.SUCCESS: frozenset({Status.FAILED}),
    Status.EXPIRED: frozenset({Status.REFUNDED}),
    Status.FAILED: frozenset({Status.REFUNDED}),
}
"""The one table of allowed state changes. A success fails when a bank takes its payout back."""

FINAL = frozenset({Status.SUCCESS, Status.FAILED, Status.EXPIRED, Status.REFUNDED})


class Oddity(StrEnum):
    """What was not as ordered about funds, and why; the money is always told of."""

    LATE = "LATE"
    SHORT = "SHORT"
    OVER = "OVER"
    WRONG_ASSET = "WRONG_ASSET"
    REQUOTED = "REQUOTED"
    NOT_CONVERTED = "NOT_CONVERTED"


@dataclass(frozen=True, slots=True)
class Abnormal:
    """One odd thing: an amount of an asset that came and was kept in the merchant's balance, or converted anew."""

    oddity: Oddity
    currency: str
    network: str | None
    amount: str
    action: str
    source_id: str
    time: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """Funds that came in time and wait for the rest: a deposit's or a pay-in's id, minor units."""

    source_id: int
    minor: int


@dataclass(frozen=True, slots=True)
class StableOrder:
    """An order: a quote that is carried out.

    Attributes:
        settled: what has reached the merchant, None before.
        instructions: where the funds are to be sent, None when they are there.
        arrivals: funds that came in time and wait for the rest.
        abnormal: what was not as ordered.
        payout_order_id: the payout that carries the fiat on.
    """

    merchant_id: int
    order_id: int
    merchant_order_id: str
    quote_id: str | None
    side: Side
    funding: Funding
    paid: Money
    received: Money
    fee: Money
    price: Decimal
    mid: Decimal
    route: Route
    wallet_id: int
    target_wallet_id: int | None
    sub_user_id: str | None
    payout_bank_account_id: int | None
    payout_order_id: int | None
    status: Status
    settled: Money | None
    instructions: Mapping[str, Any] | None
    arrivals: tuple[Arrival, ...]
    abnormal: tuple[Abnormal, ...]
    fail_reason: str | None
    remark: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list is of; None is any."""

    status: str | None = None
    side: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class StableOrderChanged:
    """An order has a new state."""

    name: ClassVar[str] = "orders.stable_order.changed"
    order: StableOrder


@dataclass(frozen=True, slots=True)
class StableOrderEnded:
    """An order has come to its end."""

    name: ClassVar[str] = "orders.stable_order.ended"
    order: StableOrder
