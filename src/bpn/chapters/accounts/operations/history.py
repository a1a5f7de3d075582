"""A merchant's orders, one by one and listed."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.chapters.accounts import rules
from bpn.chapters.accounts.errors import OrderNotFound
from bpn.chapters.accounts.model import AccountTerms, Order, OrderFilter
from bpn.chapters.accounts.store import orders as store
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of orders and how many match."""

    total: int
    orders: list[Order]


async def get_account_order(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    *,
    order_id: int | None,
    merchant_order_id: str | None,
) -> Order:
    """An order by our id or by the merchant's.

    Raises:
        InvalidRequest: both or neither are given.
        OrderNotFound: no such order.
    """
    if (order_id is None) == (merchant_order_id is None):
        raise InvalidRequest.of("orderId", "or merchantOrderId must be given, exactly one of them")
    order = await store.find(tx, terms.cipher, merchant_id, order_id=order_id, merchant_order_id=merchant_order_id)
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order


async def list_account_orders(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    filters: OrderFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> OrderPage:
    """Orders of a merchant that match all filters, newest first.

    Raises:
        UnsupportedCurrency: accounts of the currency asked for are not offered.
    """
    if filters.currency is not None:
        rules.find_asset(filters.currency)
    total, orders = await store.page(tx, terms.cipher, merchant_id, filters, before=before, offset=offset, limit=limit)
    return OrderPage(total, orders)


async def require_order(terms: AccountTerms, tx: Transaction, merchant_id: int, order_id: int) -> Order:
    """An order of the merchant, held until this transaction ends; raises OrderNotFound."""
    order = await store.lock(tx, terms.cipher, merchant_id, order_id)
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    return order
