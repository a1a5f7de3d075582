"""The provider chapter's refusals."""

from bpn.chapters.orders.errors import LiquidityUnavailable, QuoteExpired, QuoteNotFound, QuoteUsed
from bpn.chapters.wallet.errors import RefundUneconomic
from bpn.kernel.errors import Kind, Refusal

__all__ = [
    "CollectionOrderNotFound",
    "LiquidityUnavailable",
    "QuoteExpired",
    "QuoteNotFound",
    "QuoteUsed",
    "RefundUneconomic",
    "SubWalletNotFound",
    "UsdPayoutNotFound",
]


class SubWalletNotFound(Refusal):
    """This merchant has no such sub wallet."""

    code = "SUB_WALLET_NOT_FOUND"
    kind = Kind.MISSING


class CollectionOrderNotFound(Refusal):
    """This merchant has no such collection order."""

    code = "COLLECTION_ORDER_NOT_FOUND"
    kind = Kind.MISSING


class UsdPayoutNotFound(Refusal):
    """This merchant has no such payout in dollars."""

    code = "USD_PAYOUT_NOT_FOUND"
    kind = Kind.MISSING
