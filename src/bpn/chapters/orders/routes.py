"""The orders chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from bpn.api.fields import Page, PageRequest, page_of
from bpn.api.route import Call, Merchant, Permission, Transaction, get, post
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.errors import MasterAccountNotProvisioned
from bpn.chapters.fx.errors import RateUnavailable, UnsupportedCurrency
from bpn.chapters.orders import errors, operations, schemas
from bpn.chapters.orders.model import Funding, OrderTerms, Quote, QuoteCommand
from bpn.chapters.orders.operations import OrderCommand
from bpn.chapters.orders.schemas.quotes import QuoteFields
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedNetwork, WalletNotFound
from bpn.kernel.assets import Asset
from bpn.kernel.errors import IdempotencyConflict, InvalidState, Refusal

_PRICED = (
    UnsupportedCurrency,
    UnsupportedNetwork,
    WalletNotFound,
    RateUnavailable,
    errors.LiquidityUnavailable,
    errors.AmountTooSmall,
    errors.LimitExceeded,
    errors.ServicePaused,
)
Fields = TypeVar("Fields", bound=QuoteFields)
_QuoteMany = Callable[[OrderTerms, Transaction, Sequence[QuoteCommand]], Awaitable[list[Quote | Refusal]]]


class OrderRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: OrderTerms) -> None:
        self._terms = terms

    @post(
        "/v1/stable/get-quote",
        title="Get Stablecoin Quote",
        source="public",
        permission=Permission.READ,
        reading=True,
        batches=True,
        refusals=_PRICED,
    )
    async def get_stablecoin_quote(
        self, tx: Transaction, calls: Sequence[Call[schemas.QuoteRequest]]
    ) -> list[schemas.StableQuote | Refusal]:
        """A price that holds for a while, of fiat against a stablecoin or of two stablecoins."""
        return await self._quotes(tx, calls, operations.get_stablecoin_quote)

    @get(
        "/v1/stable/get-quote",
        title="Get Stablecoin Quote (older form)",
        source="public",
        batches=True,
        refusals=_PRICED,
    )
    async def get_stablecoin_quote_by_query(
        self, tx: Transaction, calls: Sequence[Call[schemas.QuoteQuery]]
    ) -> list[schemas.StableQuote | Refusal]:
        """The same by query."""
        return await self._quotes(tx, calls, operations.get_stablecoin_quote_by_query)

    async def _quotes(
        self, tx: Transaction, calls: Sequence[Call[Fields]], quote_many: _QuoteMany
    ) -> list[schemas.StableQuote | Refusal]:
        results: dict[int, schemas.StableQuote | Refusal] = {}
        commands: dict[int, QuoteCommand] = {}
        for place, call in enumerate(calls):
            try:
                commands[place] = self._quote_command(call.merchant, call.request)
            except Refusal as refusal:
                results[place] = refusal
        quotes = await quote_many(self._terms, tx, list(commands.values()))
        for place, quote in zip(commands, quotes, strict=True):
            results[place] = quote if isinstance(quote, Refusal) else schemas.StableQuote.of(quote)
        return [results[place] for place in range(len(calls))]

    def _quote_command(self, merchant: Merchant, fields: QuoteFields) -> QuoteCommand:
        return fields.command(merchant.merchant_id, self._find_token, accounts.find_asset)

    def _find_token(self, currency: str, network: str | None) -> Asset:
        return wallet.find_token(self._terms.wallet, currency, network).asset

    @post(
        "/v1/stable/create-order",
        title="Create Stable Order",
        source="public",
        permission=Permission.TRADE,
        claim_field="merchantOrderId",
        batches=True,
        refusals=(
            *_PRICED,
            errors.QuoteNotFound,
            errors.QuoteExpired,
            errors.QuoteUsed,
            errors.QuotePriceMoved,
            errors.InsufficientBalance,
            MasterAccountNotProvisioned,
            IdempotencyConflict,
            InvalidState,
        ),
    )
    async def create_stable_order(
        self, tx: Transaction, calls: Sequence[Call[schemas.OrderRequest]]
    ) -> list[schemas.StableOrder | Refusal]:
        """Carry out a quote, or price and carry out at once. From a balance all legs move together, or none does."""
        results: dict[int, schemas.StableOrder | Refusal] = {}
        commands: dict[int, OrderCommand] = {}
        for place, call in enumerate(calls):
            try:
                commands[place] = self._order_command(call)
            except Refusal as refusal:
                results[place] = refusal
        outcomes = await operations.create_stable_order(self._terms, tx, list(commands.values()))
        for place, outcome in zip(commands, outcomes, strict=True):
            results[place] = outcome if isinstance(outcome, Refusal) else schemas.StableOrder.of(outcome)
        return [results[place] for place in range(len(calls))]

    def _order_command(self, call: Call[schemas.OrderRequest]) -> OrderCommand:
        request = call.request
        inline = request.quote_id is None and request.asks_for_a_quote()
        payout = request.payout_bank_account_id
        return OrderCommand(
            merchant_id=call.merchant.merchant_id,
            merchant_order_id=request.merchant_order_id,
            quote_id=request.quote_id,
            quote=self._quote_command(call.merchant, request) if inline else None,
            funding=Funding(request.funding_source),
            wallet_id=request.wallet_id,
            target_wallet_id=request.to_wallet_id,
            sub_user_id=request.sub_user_id,
            payout_bank_account_id=None if payout is None else int(payout),
            remark=request.remark,
        )

    @get(
        "/v1/stable/order-detail",
        title="Get Order (Single) Detail",
        source="public",
        refusals=(errors.OrderNotFound,),
    )
    async def get_stable_order(
        self, tx: Transaction, merchant: Merchant, query: schemas.OrderQuery
    ) -> schemas.StableOrder:
        """One order, by `orderId` or by `merchantOrderId`."""
        order = await operations.get_stable_order(
            self._terms,
            tx,
            merchant.merchant_id,
            order_id=query.own_id,
            merchant_order_id=query.merchant_order_id,
        )
        return schemas.StableOrder.of(order)

    @get("/v1/stable/order-list", title="List Orders(Batch)", source="public-name")
    async def list_stable_orders(
        self, tx: Transaction, merchant: Merchant, query: schemas.OrderListQuery
    ) -> Page[schemas.StableOrder]:
        """The orders of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_stable_orders(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.orders, schemas.StableOrder.of, lambda order: order.order_id)

    @post(
        "/v1/stable/cancel-order",
        title="Cancel Stable Order",
        source="ours",
        permission=Permission.TRADE,
        refusals=(errors.OrderNotFound, InvalidState),
    )
    async def cancel_stable_order(
        self, tx: Transaction, merchant: Merchant, request: schemas.OrderQuery
    ) -> schemas.StableOrder:
        """End an order that waits for funds; what has come of them stays in the merchant's balance."""
        order = await operations.cancel_stable_order(
            self._terms,
            tx,
            merchant.merchant_id,
            order_id=request.own_id,
            merchant_order_id=request.merchant_order_id,
        )
        return schemas.StableOrder.of(order)
