"""The wire shapes of the orders chapter."""

from bpn.chapters.orders.schemas.orders import (
    OrderListQuery,
    OrderQuery,
    OrderRequest,
    StableOrder,
)
from bpn.chapters.orders.schemas.quotes import QuoteQuery, QuoteRequest, StableQuote

__all__ = [
    "OrderListQuery",
    "OrderQuery",
    "OrderRequest",
    "QuoteQuery",
    "QuoteRequest",
    "StableOrder",
    "StableQuote",
]
