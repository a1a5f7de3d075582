"""What the orders chapter does: one public function per API operation, and those that its jobs and operators call."""

from bpn.chapters.orders.operations.desk import DeskHolding, fund_desk, list_desk
from bpn.chapters.orders.operations.embedding import make_long_quote, take_quote
from bpn.chapters.orders.operations.funding import Funds, expire_orders, receive_funds, record_account
from bpn.chapters.orders.operations.hearing import hear_facts
from bpn.chapters.orders.operations.ordering import OrderCommand, create_stable_order
from bpn.chapters.orders.operations.paying import record_payout
from bpn.chapters.orders.operations.pools import (
    close_pool,
    fund_pool,
    list_pools,
    open_pool,
    require_pool,
    withdraw_pool,
)
from bpn.chapters.orders.operations.quoting import (
    forget_old_quotes,
    get_stablecoin_quote,
    get_stablecoin_quote_by_query,
)
from bpn.chapters.orders.operations.reading import cancel_stable_order, get_stable_order, list_stable_orders
from bpn.chapters.orders.operations.sweeping import list_waiting_deposits

__all__ = [
    "DeskHolding",
    "Funds",
    "OrderCommand",
    "cancel_stable_order",
    "close_pool",
    "create_stable_order",
    "expire_orders",
    "forget_old_quotes",
    "fund_desk",
    "fund_pool",
    "get_stable_order",
    "get_stablecoin_quote",
    "get_stablecoin_quote_by_query",
    "hear_facts",
    "list_desk",
    "list_pools",
    "list_stable_orders",
    "list_waiting_deposits",
    "make_long_quote",
    "open_pool",
    "receive_funds",
    "record_account",
    "record_payout",
    "require_pool",
    "take_quote",
    "withdraw_pool",
]
