"""The wallet chapter's refusals."""

from bpn.chapters.fx.errors import UnsupportedCurrency
from bpn.controls.errors import LimitExceeded, SecondPersonRequired, ServicePaused
from bpn.kernel.errors import Kind, Refusal
from bpn.ledger.errors import InsufficientBalance

__all__ = [
    "AddressCooling",
    "AddressNotWhitelisted",
    "AmountTooSmall",
    "InsufficientBalance",
    "LimitExceeded",
    "RefundUneconomic",
    "SecondPersonRequired",
    "ServicePaused",
    "TransactionNotFound",
    "UnsupportedCurrency",
    "UnsupportedNetwork",
    "WalletNameTaken",
    "WalletNotFound",
    "WhitelistEntryNotFound",
]


class WalletNotFound(Refusal):
    """This merchant has no such wallet."""

    code = "WALLET_NOT_FOUND"
    kind = Kind.MISSING


class TransactionNotFound(Refusal):
    """This merchant has no such transaction."""

    code = "TRANSACTION_NOT_FOUND"
    kind = Kind.MISSING


class WhitelistEntryNotFound(Refusal):
    """This merchant has no such whitelist entry."""

    code = "WHITELIST_ENTRY_NOT_FOUND"
    kind = Kind.MISSING


class WalletNameTaken(Refusal):
    """Another wallet of the merchant has this name."""

    code = "WALLET_NAME_TAKEN"
    kind = Kind.CONFLICT


class UnsupportedNetwork(Refusal):
    """The network is not offered, or not for this currency."""

    code = "UNSUPPORTED_NETWORK"
    kind = Kind.UNPROCESSABLE


class AddressNotWhitelisted(Refusal):
    """The address is not on the withdrawal whitelist, or not approved."""

    code = "ADDRESS_NOT_WHITELISTED"
    kind = Kind.UNPROCESSABLE


class AddressCooling(Refusal):
    """The address is approved, and usable later."""

    code = "ADDRESS_COOLING"
    kind = Kind.UNPROCESSABLE


class AmountTooSmall(Refusal):
    """Less than the minimum."""

    code = "AMOUNT_TOO_SMALL"
    kind = Kind.UNPROCESSABLE


class RefundUneconomic(Refusal):
    """The network fee would take all that is to be returned."""

    code = "REFUND_UNECONOMIC"
    kind = Kind.UNPROCESSABLE
