"""The provider's word on an order: a quote, then accept it into dollars, or send it back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import Direction
from bpn.chapters.accounts.operations import OrderEntry
from bpn.chapters.orders import operations as orders
from bpn.chapters.orders.model import QuoteCommand, Side
from bpn.chapters.provider import rules
from bpn.chapters.provider.errors import CollectionOrderNotFound, QuoteExpired, QuoteNotFound
from bpn.chapters.provider.model import (
    AcceptStatus,
    CollectionFilter,
    CollectionOrder,
    CollectionQuote,
    OrderStatus,
    ProviderTerms,
    RefundStatus,
)
from bpn.chapters.provider.operations.receiving import save_order
from bpn.chapters.provider.operations.wallets import get_sub_wallet
from bpn.chapters.provider.store import orders as store
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import OrderLeg
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """A page of orders and how many match."""

    total: int
    orders: list[CollectionOrder]


async def get_collection_order(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, order_id: int
) -> CollectionOrder:
    """An order; raises CollectionOrderNotFound."""
    return _found(await store.find(tx, terms.orders.assets, merchant_id, order_id), order_id)


async def list_collection_orders(
    terms: ProviderTerms,
    tx: Transaction,
    merchant_id: int,
    filters: CollectionFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> CollectionPage:
    """The orders of a merchant, newest first."""
    assets = terms.orders.assets
    total, found = await store.page(tx, assets, merchant_id, filters, before=before, offset=offset, limit=limit)
    return CollectionPage(total, found)


async def get_collection_quote(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, order_id: int
) -> CollectionOrder:
    """The order with a quote that lives: the one that it has, or a new one where that is over.

    Raises:
        CollectionOrderNotFound: no such order.
        InvalidState: it is decided, or its payer's screening is not passed, or its wallet is not ACTIVE.
        RateUnavailable, LiquidityUnavailable, AmountTooSmall, LimitExceeded, ServicePaused: it cannot be priced now.
    """
    # A reading opens no transaction of its own, and a quote is kept.
    async with tx.connection.transaction():
        order = await _lock(terms, tx, merchant_id, order_id)
        rules.check_acceptable(order, await get_sub_wallet(tx, merchant_id, order.wallet_id))
        if order.quote is not None and tx.now < order.quote.expires_at:
            return order
        quote = await orders.make_long_quote(
            terms.orders,
            tx,
            QuoteCommand(merchant_id, Side.SELL, order.amount.asset, accounts.find_asset("USD"), order.amount, None),
            terms.quote_lifetime,
        )
        kept = CollectionQuote(quote.quote_id, quote.price, quote.fee, quote.received, quote.expires_at)
        quoted = replace(order, quote=kept)
        await store.save(tx, quoted)
        return quoted


async def accept_collection_order(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, order_id: int, quote_id: str
) -> CollectionOrder:
    """Turn an order into dollars at its quote: release, conversion and fee are one chain, or nothing happens.

    Raises:
        CollectionOrderNotFound: no such order.
        InvalidState: it is decided, or its payer's screening is not passed, or its wallet is not ACTIVE.
        QuoteNotFound: the quote is not this order's.
        QuoteExpired, QuoteUsed: it cannot be used any more.
        MasterAccountNotProvisioned: the merchant has no account in dollars.
        LiquidityUnavailable, InsufficientBalance: the desk, or what the merchant owes, does not let it happen.
        ServicePaused: the chain is in doubt, or orders are switched off.
    """
    order = await _lock(terms, tx, merchant_id, order_id)
    rules.check_acceptable(order, await get_sub_wallet(tx, merchant_id, order.wallet_id))
    if order.quote is None or order.quote.quote_id != quote_id:
        raise QuoteNotFound("This is not the quote of the order; ask for its quote.")
    if order.quote.expires_at <= tx.now:
        raise QuoteExpired("The quote's time is over; ask for a new one.")
    master = await accounts.require_master(tx, merchant_id, order.quote.received.asset)
    payer = wallet.wallet_account(merchant_id, order.wallet_id, order.amount.asset)
    payee = accounts.master_ledger_account(master)
    quote, movements = await orders.take_quote(terms.orders, tx, merchant_id, quote_id, payer, payee, order_id)
    await wallet.assign_deposit(tx, merchant_id, order.transaction_id, movements)
    leg = OrderLeg(merchant_id, order.wallet_id, order.amount, False, "USD", order_id, None)
    await wallet.record_order_legs(tx, [leg])
    entry = OrderEntry(
        master=master,
        direction=Direction.IN,
        amount=quote.received,
        fee=Money.zero(quote.received.asset),
        earmark=f"collection/{order_id}",
    )
    await accounts.record_order_entries(terms.accounts, tx, [entry])
    accepted = replace(
        order,
        status=OrderStatus.COMPLETED,
        accept_status=AcceptStatus.ACCEPTED,
        accepted_at=tx.now,
        completed_at=tx.now,
    )
    return await save_order(tx, accepted)


async def reject_collection_order(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, order_id: int, reason: str, refund_address: str | None
) -> CollectionOrder:
    """Send an order's money back, less the network's fee; the address is screened before it leaves.

    Where the return failed, it may be asked for again with another address.

    Raises:
        CollectionOrderNotFound: no such order.
        InvalidState: it is decided, or its payer's screening is not passed.
        InvalidRequest: no address is given, or one that is mistyped or the platform's own. Nobody knows that the
            sending address is its owner's and not an exchange's.
        RefundUneconomic: the fee takes all.
        ServicePaused: refunds are switched off.
    """
    order = await _lock(terms, tx, merchant_id, order_id)
    again = rules.returns_again(order)
    if not again:
        rules.check_open(order)
    if refund_address is None:
        raise InvalidRequest.of("refundAddress", "must be given: the sending address may be an exchange's")
    if not again:
        await wallet.set_deposit_aside(tx, merchant_id, order.transaction_id, reason)
    refund = await wallet.request_refund(terms.wallet, tx, merchant_id, order.transaction_id, refund_address)
    rejected = replace(
        order,
        status=OrderStatus.REJECTED,
        accept_status=AcceptStatus.REJECTED,
        reason=reason,
        refund_address=refund.to_address,
        refund_transaction_id=refund.transaction_id,
        refund_status=RefundStatus.PROCESSING,
        refund_hash=None,
        completed_at=tx.now,
    )
    return await save_order(tx, rejected)


async def _lock(terms: ProviderTerms, tx: Transaction, merchant_id: int, order_id: int) -> CollectionOrder:
    return _found(await store.lock(tx, terms.orders.assets, merchant_id, order_id), order_id)


def _found(order: CollectionOrder | None, order_id: int) -> CollectionOrder:
    if order is None:
        raise CollectionOrderNotFound(f"There is no collection order {order_id}.")
    return order
