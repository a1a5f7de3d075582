"""The wire shapes of the wallet chapter, in the contract's own spelling.

Owns what is read from and written to JSON, and how it is described.
Never decides anything.
"""

from bpn.chapters.wallet.schemas.balances import AssetBalance, AssetBalanceQuery, CurrencyBalance, NetworkBalance
from bpn.chapters.wallet.schemas.networks import NetworkConfig, NetworkConfigList, NetworkConfigQuery
from bpn.chapters.wallet.schemas.senders import DepositSenderRequest, SenderRequiredEvent
from bpn.chapters.wallet.schemas.transactions import (
    HistoryQuery,
    TransactionRecord,
    TransferListQuery,
    TransferQuery,
    TransferRequest,
)
from bpn.chapters.wallet.schemas.wallets import (
    DepositAddressQuery,
    SubAccountQuery,
    SubAccountRequest,
    Wallet,
    WalletAddress,
    WalletQuery,
)
from bpn.chapters.wallet.schemas.whitelist import (
    Beneficiary,
    DeleteWhitelistRequest,
    WhitelistEntry,
    WhitelistQuery,
    WhitelistRequest,
)
from bpn.chapters.wallet.schemas.withdrawals import CancelWithdrawalRequest, Withdrawal, WithdrawRequest

__all__ = [
    "AssetBalance",
    "AssetBalanceQuery",
    "Beneficiary",
    "CancelWithdrawalRequest",
    "CurrencyBalance",
    "DeleteWhitelistRequest",
    "DepositAddressQuery",
    "DepositSenderRequest",
    "HistoryQuery",
    "NetworkBalance",
    "NetworkConfig",
    "NetworkConfigList",
    "NetworkConfigQuery",
    "SenderRequiredEvent",
    "SubAccountQuery",
    "SubAccountRequest",
    "TransactionRecord",
    "TransferListQuery",
    "TransferQuery",
    "TransferRequest",
    "Wallet",
    "WalletAddress",
    "WalletQuery",
    "WhitelistEntry",
    "WhitelistQuery",
    "WhitelistRequest",
    "WithdrawRequest",
    "Withdrawal",
]
