"""The orders chapter's refusals."""

from bpn.controls.errors import LimitExceeded, ServicePaused
from bpn.kernel.errors import Kind, Refusal
from bpn.ledger.errors import InsufficientBalance

__all__ = [
    "AmountTooSmall",
    "ExposureExceeded",
    "InsufficientBalance",
    "LimitExceeded",
    "LiquidityUnavailable",
    "OrderNotFound",
    "PoolNotFound",
    "QuoteExpired",
    "QuoteNotFound",
    "QuotePriceMoved",
    "QuoteUsed",
    "ServicePaused",
]


class QuoteNotFound(Refusal):
    """This merchant has no such quote."""

    code = "QUOTE_NOT_FOUND"
    kind = Kind.MISSING


class QuoteExpired(Refusal):
    """The quote's time is over; ask for a new one."""

    code = "QUOTE_EXPIRED"
    kind = Kind.UNPROCESSABLE


class QuoteUsed(Refusal):
    """An order was made of this quote before."""

    code = "QUOTE_USED"
    kind = Kind.UNPROCESSABLE


class QuotePriceMoved(Refusal):
    """The market has moved too far since the quote; ask for a new one."""

    code = "QUOTE_PRICE_MOVED"
    kind = Kind.UNPROCESSABLE


class AmountTooSmall(Refusal):
    """The amount is below the minimum, or rounds to nothing."""

    code = "AMOUNT_TOO_SMALL"
    kind = Kind.UNPROCESSABLE


class LiquidityUnavailable(Refusal):
    """Neither the desk nor a pool can fill this now; nothing moved."""

    code = "LIQUIDITY_UNAVAILABLE"
    kind = Kind.UNPROCESSABLE


class ExposureExceeded(LimitExceeded):
    """More than may stand open in quotes at once; use them or let them expire."""


class OrderNotFound(Refusal):
    """This merchant has no such order."""

    code = "ORDER_NOT_FOUND"
    kind = Kind.MISSING


class PoolNotFound(Refusal):
    """There is no such pool."""

    code = "POOL_NOT_FOUND"
    kind = Kind.MISSING
