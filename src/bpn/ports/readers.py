"""What we ask: blocks, receipts, balances, prices. Nothing here changes anything outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


class SourceUnavailableError(Exception):
    """The other side did not answer, or not sensibly; asking again later may help."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a chain. Hashes are lower-case hex with 0x; `timestamp` in Unix seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class TransferLog:
    """One ERC-20 `Transfer` event. Addresses are EIP-55 checksummed, `amount` in the token's minor units."""

    block_number: int
    block_hash: str
    transaction_hash: str
    log_index: int
    contract: str
    sender: str
    recipient: str
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction in a block; fees in wei. `transfers`: the Transfer events that it logged."""

    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    effective_gas_price: int
    transfers: tuple[TransferLog, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockTransaction:
    """A transaction of a block. Addresses are EIP-55 checksummed, `value` in wei.

    `asked_recipient` and `asked_amount` are what an ERC-20 `transfer` or `transferFrom` asks for, whether it did it or
    not; None where the transaction asks for something else.
    """

    hash: str
    block_number: int
    sender: str
    recipient: str | None
    value: int
    asked_recipient: str | None
    asked_amount: int | None


@dataclass(frozen=True, slots=True)
class GasFees:
    """Fees to offer now, in wei per gas (EIP-1559).

    Where a network has no base fee, `max_fee_per_gas` is the one gas price and the priority fee is None.
    """

    max_fee_per_gas: int
    max_priority_fee_per_gas: int | None
    base_fee_per_gas: int = 0


@dataclass(frozen=True, slots=True)
class MinedTransfer:
    """A transaction in a block, and the transfer it makes.

    `contract` is None for the native coin; `recipient` None where it makes no plain transfer. Addresses are EIP-55
    checksummed.
    """

    hash: str
    block_number: int
    contract: str | None
    recipient: str | None
    amount: int


class EndpointsDisagreeError(SourceUnavailableError):
    """Too few endpoints of a network say the same; nothing is taken for true until they do."""


class ChainReader(Protocol):
    """One network, read. Every method raises SourceUnavailableError when no node answers.

    Where a network has several endpoints, `head`, `final_block`, `receipt` and `transaction_count` tell only what
    enough of them agree on, and raise EndpointsDisagreeError where they do not.
    """

    network: str

    async def chain_id(self) -> int:
        """EIP-155 chain id."""

    async def head(self) -> Block:
        """The newest block."""

    async def block(self, number: int) -> Block | None:
        """The canonical block of a height, None above the head."""

    async def final_block(self, place: str | int) -> Block:
        """The newest block that the network itself calls `safe` or `finalized`, or the one of a height."""

    async def transfers(self, contracts: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of these contracts in the blocks first..last, both included, in chain order."""

    async def transfers_to(self, recipients: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of any contract to these addresses in first..last, in chain order."""

    async def transactions(self, number: int) -> list[BlockTransaction]:
        """The transactions of the canonical block of a height, in order."""

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt of a mined transaction, None while it is not in a block."""

    async def transaction_count(self, address: str) -> int:
        """The next nonce that the chain's head expects of an address (mined transactions only)."""

    async def token_balance(self, contract: str, holder: str, block_number: int | None = None) -> int:
        """ERC-20 `balanceOf`, minor units, after a block; at the head when none is named."""

    async def native_balance(self, holder: str) -> int:
        """Native coin of an address in wei, at the head."""

    async def token_scale(self, contract: str) -> int | None:
        """ERC-20 `decimals`, None when there is no contract at that address."""

    async def gas_fees(self) -> GasFees:
        """Fees with which a transaction sent now should be mined soon."""

    async def transfer_gas(self, sender: str, contract: str | None, recipient: str, amount: int) -> int | None:
        """The gas that a transfer of a token, or (None) of the native coin, would need; None where it would fail."""

    async def knows_transaction(self, transaction_hash: str) -> bool:
        """Whether the node has a transaction, mined or waiting."""

    async def transaction_at_nonce(self, sender: str, nonce: int) -> MinedTransfer | None:
        """The mined transaction with which an address used a nonce, None where the head still expects it.

        Raises SourceUnavailableError also where the node keeps no state of the blocks that tell.
        """


class PriceReader(Protocol):
    """Market prices in USD."""

    source: str

    async def prices(self, currencies: Sequence[str]) -> dict[str, Price]:
        """The newest USD price of each currency; unknown ones are absent. Raises SourceUnavailableError."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one whole unit costs in USD, and when the source said so."""

    usd: Decimal
    time: datetime


@dataclass(frozen=True, slots=True)
class ScreeningVerdict:
    """What a list says of a party: `reason` names the entry that was hit."""

    hit: bool
    reason: str | None = None


class ScreeningReader(Protocol):
    """Sanction and crypto-address lists."""

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up by its address and names. Raises SourceUnavailableError."""
