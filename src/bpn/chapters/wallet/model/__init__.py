"""What the wallet chapter speaks of: wallets, transactions and their states, addresses, the facts it announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from bpn.chapters.fx.model import FxTerms
from bpn.chapters.wallet.model.outgoing import GasTerms
from bpn.chapters.wallet.model.sweeping import SweepTerms
from bpn.controls.operations import Controls
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money
from bpn.ledger.model import Balance


@dataclass(frozen=True, slots=True)
class Token:
    """A stablecoin on a network, and its terms: amounts in the asset, `bps` hundredths of a percent."""

    asset: Asset
    contract: str
    minimum_deposit: Money
    minimum_withdrawal: Money
    withdrawal_fee: Money
    deposits_enabled: bool = True
    withdrawals_enabled: bool = True
    withdrawal_fee_bps: Decimal = Decimal(0)
    minimum_sweep: Money | None = None
    """Less stays at its deposit address; None: anything worth its gas."""
    verify_received: bool = False
    """Whether a deposit's amount is compared with what the balance rose by: a token may keep a fee and not tell."""


class Finality(StrEnum):
    """What makes a block final: enough confirmations, or the block that the network itself calls so."""

    CONFIRMATIONS = "confirmations"
    SAFE = "safe"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class Network:
    """A network as configured.

    Attributes:
        name: ours.
        chain_id: EIP-155.
        native: the coin that gas is paid in.
        confirmations: blocks, the one with the transaction included.
        block_seconds: between two blocks.
        explorer_url: shows a transaction under `/tx/`.
        tokens: by currency.
        gas: what transfers may cost.
        finality: what makes a deposit final.
        reorg_depth: blocks back from the head whose hashes are kept; a reorg that goes deeper stops the reading.
        read_range: the most blocks read at once.
        head_lag: while the newest block is older, nothing is released.
    """

    name: str
    chain_id: int
    native: Asset
    confirmations: int
    block_seconds: Decimal
    explorer_url: str | None
    tokens: Mapping[str, Token]
    gas: GasTerms = field(default_factory=GasTerms)
    finality: Finality = Finality.CONFIRMATIONS
    reorg_depth: int = 128
    read_range: int = 500
    head_lag: timedelta = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class WalletTerms:
    """What the operator sets about the chapter.

    Attributes:
        networks: by name, in the order shown.
        home_network: what a request means that names none.
        currency_names: full names by currency.
        account_public_key: BIP-32 extended public key (m/44'/60'/0') that deposit addresses derive from.
        hot_address: where withdrawals leave from, on every network.
        review_above: withdrawals of more whole units than this wait for the operator.
        second_person_above: of those, which need two people; None asks for one only.
        whitelist_needs_approval: whether a person approves addresses.
        whitelist_cooling: from approval until an address is usable.
        sender_deadline: how long a deposit waits for its sender's details.
        fx: how a price in USD is found.
        cipher: seals personal data at rest.
        controls: fees, limits, pauses, settings of merchants.
        sweeping: how deposit addresses are swept.
    """

    networks: Mapping[str, Network]
    home_network: str
    currency_names: Mapping[str, str]
    account_public_key: str
    hot_address: str
    review_above: Decimal
    second_person_above: Decimal | None
    whitelist_needs_approval: bool
    whitelist_cooling: timedelta
    sender_deadline: timedelta
    fx: FxTerms
    cipher: Cipher
    controls: Controls
    sweeping: SweepTerms = field(default_factory=SweepTerms)

    @property
    def assets(self) -> Assets:
        """Every token, and every network's native coin."""
        tokens = [token.asset for network in self.networks.values() for token in network.tokens.values()]
        return Assets([*tokens, *(network.native for network in self.networks.values())])


class WalletType(StrEnum):
    """What a wallet is for."""

    PRIMARY = "primary"
    SUB = "sub"
    COLLECTION_SUB = "collection_sub"


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet of a merchant. All its addresses on EVM networks derive from `address_index`."""

    merchant_id: int
    wallet_id: int
    wallet_type: WalletType
    name: str
    merchant_user_id: str | None
    address_index: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DepositAddress:
    """Where to send a currency on a network so that it reaches a wallet."""

    wallet_id: int
    token: Token
    confirmations: int
    address: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Earmark:
    """What deposits to an address of its own are for: a thing of a higher chapter, by kind and id."""

    kind: str
    subject_id: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an address is: the wallet that deposits to it reach, and the earmark, if it has one."""

    merchant_id: int
    wallet_id: int
    merchant_user_id: str | None
    earmark: Earmark | None


class TransactionType(StrEnum):
    """What a transaction is; later chapters add theirs to a merchant's history."""

    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    INTERNAL_TRANSFER = "INTERNAL_TRANSFER"
    ORDER = "ORDER"
    REFUND = "REFUND"


class Status(StrEnum):
    """States of all types of transaction; `NEXT` says which may follow which."""

    CONFIRMING = "CONFIRMING"
    SENDER_REQUIRED = "SENDER_REQUIRED"
    SCREENING = "SCREENING"
    COMPLETED = "COMPLETED"
    FROZEN = "FROZEN"
    ORPHANED = "ORPHANED"
    REVIEWING = "REVIEWING"
    PROCESSING = "PROCESSING"
    BROADCAST = "BROADCAST"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"


_ON_CHAIN: Mapping[Status, frozenset[Status]] = {
    Status.PROCESSING: frozenset({Status.BROADCAST, Status.REJECTED}),
    Status.BROADCAST: frozenset({Status.CONFIRMING, Status.FAILED}),
    Status.CONFIRMING: frozenset({Status.SUCCESS, Status.FAILED, Status.BROADCAST}),
}
"""What leaves the hot wallet, whatever it is for."""

NEXT: Mapping[TransactionType, Mapping[Status, frozenset[Status]]] = {
    TransactionType.DEPOSIT: {
        Status.CONFIRMING: frozenset({Status.SENDER_REQUIRED, Status.SCREENING, Status.ORPHANED, Status.REJECTED}),
        Status.SENDER_REQUIRED: frozenset({Status.SCREENING, Status.ORPHANED, Status.REJECTED}),
        Status.SCREENING: frozenset({Status.COMPLETED, Status.FROZEN, Status.ORPHANED, Status.REJECTED}),
        Status.FROZEN: frozenset({Status.COMPLETED, Status.SCREENING, Status.REJECTED, Status.ORPHANED}),
        Status.COMPLETED: frozenset({Status.ORPHANED}),
        Status.REJECTED: frozenset({Status.COMPLETED, Status.RETURNING, Status.ORPHANED}),
        Status.RETURNING: frozenset({Status.RETURNED, Status.REJECTED, Status.ORPHANED}),
        Status.RETURNED: frozenset({Status.ORPHANED}),
        Status.ORPHANED: frozenset({Status.CONFIRMING}),
    },
    TransactionType.WITHDRAW: {
        Status.REVIEWING: frozenset({Status.PROCESSING, Status.REJECTED, Status.CANCELLED}),
        **_ON_CHAIN,
    },
    TransactionType.REFUND: {
        Status.SCREENING: frozenset({Status.PROCESSING, Status.REJECTED}),
        **_ON_CHAIN,
    },
}
"""The one table of allowed state changes. An internal transfer and an order's leg are born SUCCESS."""

FINAL = frozenset({Status.COMPLETED, Status.SUCCESS, Status.FAILED, Status.REJECTED, Status.CANCELLED, Status.RETURNED})


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line of a merchant's history.

    `confirmations` is as of the head known when it was read. `counter_wallet_id` is the receiving wallet of an
    internal transfer. An order's leg has the currency of the other side, and says whether it came in.
    """

    merchant_id: int
    transaction_id: int
    transaction_type: TransactionType
    merchant_transaction_id: str | None
    wallet_id: int
    counter_wallet_id: int | None
    merchant_user_id: str | None
    amount: Money
    fee: Money
    status: Status
    from_address: str | None
    to_address: str | None
    hash: str | None
    block_number: int | None
    confirmations: int
    required_confirmations: int
    remark: str | None
    fail_reason: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    earmark: Earmark | None = None
    counter_currency: str | None = None
    incoming: bool = False
    block_time: datetime | None = None
    """Of the block that a deposit is in."""


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """What an order of a higher chapter moved in a wallet; its movements are the order's own.

    `counter_currency` is the currency on the order's other side.
    """

    merchant_id: int
    wallet_id: int
    amount: Money
    incoming: bool
    counter_currency: str
    order_id: int
    remark: str | None


@dataclass(frozen=True, slots=True)
class Deposit:
    """What the chain and the merchant said of a deposit. `sender_digest` tells whether details came before."""

    transaction: Transaction
    position: int
    block_hash: str
    contract: str
    sender_deadline: datetime | None
    sender_digest: bytes | None


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which transactions a list is of; None is any."""

    wallet_id: int | None = None
    merchant_transaction_id: str | None = None
    currency: str | None = None
    network: str | None = None
    transaction_type: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    transaction_id: int | None = None
    hash: str | None = None


class WhitelistStatus(StrEnum):
    """Where a whitelist entry stands."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Who is behind a whitelisted address: what the travel rule asks."""

    type: str
    first_name: str | None
    last_name: str | None
    company_name: str | None
    country: str | None
    vasp: str | None
    vasp_name: str | None


@dataclass(frozen=True, slots=True)
class WhitelistEntry:
    """An address that money may be withdrawn to, once approved and cooled (`available_at`)."""

    merchant_id: int
    whitelist_id: int
    currency: str
    network: str
    address: str
    tag: str | None
    alias: str
    address_type: int
    beneficiary: Beneficiary
    status: WhitelistStatus
    fail_reason: str | None
    available_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NetworkBalance:
    """A wallet's balance of one asset, minor units; `pending` is seen on chain and counted nowhere."""

    asset: Asset
    available: int
    unavailable: int
    pending: int
    total_yesterday: int


@dataclass(frozen=True, slots=True)
class AssetBalance:
    """All balances of a wallet; `total_usd` is None where a price that it needs is missing or too old."""

    wallet: Wallet
    balances: tuple[NetworkBalance, ...]
    total_usd: Decimal | None
    price_time: datetime | None


@dataclass(frozen=True, slots=True)
class WalletAccounts:
    """The ledger balances behind one asset of a wallet."""

    available: Balance
    unreleased: Balance


@dataclass(frozen=True, slots=True)
class ScreeningCase:
    """A deposit whose sender is to be looked up."""

    merchant_id: int
    transaction_id: int
    address: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DepositChanged:
    """A deposit has a new state."""

    name: ClassVar[str] = "wallet.deposit.changed"
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class SenderRequired:
    """A deposit is confirmed and waits for its sender's details."""

    name: ClassVar[str] = "wallet.deposit.sender_required"
    transaction: Transaction
    deadline: datetime


@dataclass(frozen=True, slots=True)
class DepositCleared:
    """Screening found nothing against an earmarked deposit: its owner may assign it."""

    name: ClassVar[str] = "wallet.deposit.cleared"
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class WithdrawalChanged:
    """A withdrawal has a new state."""

    name: ClassVar[str] = "wallet.withdrawal.changed"
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class RefundChanged:
    """The return of a deposit on chain has a new state."""

    name: ClassVar[str] = "wallet.refund.changed"
    transaction: Transaction
    deposit_id: int


@dataclass(frozen=True, slots=True)
class TransferSettled:
    """An internal transfer was made."""

    name: ClassVar[str] = "wallet.transfer.settled"
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class WhitelistChanged:
    """A whitelist entry has a new state."""

    name: ClassVar[str] = "wallet.whitelist.changed"
    entry: WhitelistEntry
