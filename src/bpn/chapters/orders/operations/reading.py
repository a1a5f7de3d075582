"""Looking orders up, and cancelling one that waits."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.chapters.orders.errors import OrderNotFound
from bpn.chapters.orders.model import OrderFilter, OrderTerms, StableOrder, Status
from bpn.chapters.orders.operations.funding import cancel_order
from bpn.chapters.orders.store import orders as store
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidRequest, InvalidState


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of orders and how many match."""

    total: int
    orders: list[StableOrder]


async def get_stable_order(
    terms: OrderTerms, tx: Transaction, merchant_id: int, *, order_id: int | None, merchant_order_id: str | None
) -> StableOrder:
    """An order by our id or by the merchant's.

    Raises:
        InvalidRequest: both or neither are given.
        OrderNotFound: no such order.
    """
    if (order_id is None) == (merchant_order_id is None):
        raise InvalidRequest.of("orderId", "or merchantOrderId must be given, exactly one of them")
    order = await store.find(tx, terms.assets, merchant_id, order_id=order_id, merchant_order_id=merchant_order_id)
    if order is None:
        raise OrderNotFound("There is no such order.")
    return order


async def list_stable_orders(
    terms: OrderTerms,
    tx: Transaction,
    merchant_id: int,
    filters: OrderFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> OrderPage:
    """The orders of a merchant, newest first."""
    total, orders = await store.page(tx, terms.assets, merchant_id, filters, before=before, offset=offset, limit=limit)
    return OrderPage(total, orders)


async def cancel_stable_order(
    terms: OrderTerms, tx: Transaction, merchant_id: int, *, order_id: int | None, merchant_order_id: str | None
) -> StableOrder:
    """End an order that waits for funds. It becomes FAILED; what has come of them stays with the merchant.

    Raises:
        InvalidRequest: both or neither id is given.
        OrderNotFound: no such order.
        InvalidState: it does not wait for funds.
    """
    found = await get_stable_order(terms, tx, merchant_id, order_id=order_id, merchant_order_id=merchant_order_id)
    order = await store.lock(tx, terms.assets, merchant_id, found.order_id) or found
    if order.status is not Status.AWAITING_FUNDS:
        raise InvalidState(f"The order is {order.status}; only one that waits for funds can be cancelled.")
    return await cancel_order(terms, tx, order)
