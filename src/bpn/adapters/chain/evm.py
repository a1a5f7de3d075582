"""Any EVM network by JSON-RPC, through web3."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from eth_typing import ChecksumAddress, HexStr
from eth_utils.address import to_checksum_address
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3Exception, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import BlockIdentifier, FilterParams, LogReceipt, TxData, Wei

from bpn.adapters.chain.calls import call_of, transfer_of
from bpn.ports.readers import (
    Block,
    BlockTransaction,
    GasFees,
    MinedTransfer,
    Receipt,
    SourceUnavailableError,
    TransferLog,
)
from bpn.ports.senders import BroadcastOutcome

TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Keccak-256 of `Transfer(address,address,uint256)` (EIP-20)."""
_TRANSFER_TOPICS = 3
_WORD_BYTES = 32
_ASKED_ARGUMENTS = {bytes.fromhex("a9059cbb"): 2, bytes.fromhex("23b872dd"): 3}
"""How many words follow the selectors of `transfer(address,uint256)` and `transferFrom(address,address,uint256)`."""
_RECIPIENTS_AT_ONCE = 500
"""How many addresses nodes take in one topic."""
_TOKEN_ABI = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "holder", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    },
    {
        "type": "function",
        "name": "decimals",
        "stateMutability": "view",
        "inputs": [],
        "outputs": [{"name": "", "type": "uint8"}],
    },
]
_OUTCOMES = (
    ("already known", BroadcastOutcome.ALREADY_KNOWN),
    ("already imported", BroadcastOutcome.ALREADY_KNOWN),
    ("known transaction", BroadcastOutcome.ALREADY_KNOWN),
    ("nonce too low", BroadcastOutcome.NONCE_TOO_LOW),
    ("nonce is too low", BroadcastOutcome.NONCE_TOO_LOW),
    ("insufficient funds", BroadcastOutcome.INSUFFICIENT_GAS_FUNDS),
    ("underpriced", BroadcastOutcome.UNDERPRICED),
    ("fee too low", BroadcastOutcome.UNDERPRICED),
    ("less than block base fee", BroadcastOutcome.UNDERPRICED),
)
"""What nodes (geth, erigon, anvil and their kin) say when they do not take a transaction."""
_TOO_MUCH = ("too many", "more than", "limit", "range", "response size", "query returned")

_TAGS: Mapping[str, BlockIdentifier] = {"safe": "safe", "finalized": "finalized"}

Answer = TypeVar("Answer")


class EvmChain:
    """Reads one network and hands transactions to it: the ports ChainReader and TransactionSender."""

    def __init__(self, network: str, rpc_url: str, *, timeout_seconds: float) -> None:
        self.network = network
        # Keys often stand in the path: only where the endpoint is may be told in logs.
        self.endpoint = urlsplit(rpc_url).netloc.rpartition("@")[2]
        provider = AsyncHTTPProvider(rpc_url, request_kwargs={"timeout": aiohttp.ClientTimeout(total=timeout_seconds)})
        # A failed call is the job's to try again, not the library's: it may be a transaction.
        provider.exception_retry_configuration = None  # type: ignore[assignment]  # None is its documented "off"
        self._web3 = AsyncWeb3(provider)
        # Networks with a committee of validators carry more in `extraData` than the standard allows.
        self._web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)

    async def close(self) -> None:
        """Give the connections back."""
        await self._web3.provider.disconnect()

    async def chain_id(self) -> int:
        """EIP-155 chain id."""
        return await self._ask(self._web3.eth.chain_id)

    async def head(self) -> Block:
        """The newest block."""
        return _block(await self._ask(self._web3.eth.get_block("latest")))

    async def block(self, number: int) -> Block | None:
        """The canonical block of a height, None above the head."""
        try:
            return _block(await self._ask(self._web3.eth.get_block(number)))
        except BlockNotFound:
            return None

    async def final_block(self, place: str | int) -> Block:
        """The newest block of a finality tag, or the one of a height."""
        asked: BlockIdentifier = place if isinstance(place, int) else _TAGS[place]
        try:
            return _block(await self._ask(self._web3.eth.get_block(asked)))
        except (BlockNotFound, Web3RPCError) as error:
            raise SourceUnavailableError(f"{self.network}: no block {place}: {error}") from error

    async def transfers(self, contracts: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of these contracts; a range that the node finds too large is asked for in halves."""
        addresses = [to_checksum_address(contract) for contract in contracts]
        return await self._transfers({"address": addresses, "topics": [HexStr(TRANSFER_TOPIC)]}, first, last)

    async def transfers_to(self, recipients: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of any contract to these addresses."""
        found = []
        for start in range(0, len(recipients), _RECIPIENTS_AT_ONCE):
            topics = [_topic(recipient) for recipient in recipients[start : start + _RECIPIENTS_AT_ONCE]]
            found += await self._transfers({"topics": [HexStr(TRANSFER_TOPIC), None, topics]}, first, last)
        return _in_order(found)

    async def _transfers(self, filters: FilterParams, first: int, last: int) -> list[TransferLog]:
        asked: FilterParams = {**filters, "fromBlock": first, "toBlock": last}
        try:
            logs = await self._ask(self._web3.eth.get_logs(asked))
        except Web3RPCError as error:
            if first == last or not any(words in str(error).lower() for words in _TOO_MUCH):
                raise SourceUnavailableError(f"{self.network}: {error}") from error
            middle = (first + last) // 2
            return [
                *await self._transfers(filters, first, middle),
                *await self._transfers(filters, middle + 1, last),
            ]
        return _in_order([_transfer(log) for log in logs if _is_transfer(log)])

    async def transactions(self, number: int) -> list[BlockTransaction]:
        """The transactions of a block, in order."""
        try:
            block = await self._ask(self._web3.eth.get_block(number, full_transactions=True))
        except BlockNotFound:
            return []
        transactions: Any = block["transactions"]
        return [_block_transaction(transaction, number) for transaction in transactions]

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt of a mined transaction, None while it is not in a block."""
        try:
            receipt = await self._ask(self._web3.eth.get_transaction_receipt(HexStr(transaction_hash)))
        except TransactionNotFound:
            return None
        return Receipt(
            _hexadecimal(receipt["transactionHash"]),
            receipt["blockNumber"],
            _hexadecimal(receipt["blockHash"]),
            receipt["status"] == 1,
            receipt["gasUsed"],
            receipt["effectiveGasPrice"],
            tuple(_in_order([_transfer(log) for log in receipt["logs"] if _is_transfer(log)])),
        )

    async def transaction_count(self, address: str) -> int:
        """The next nonce that the head expects of an address."""
        return await self._ask(self._web3.eth.get_transaction_count(to_checksum_address(address), "latest"))

    async def token_balance(self, contract: str, holder: str, block_number: int | None = None) -> int:
        """ERC-20 `balanceOf`, minor units."""
        token = self._web3.eth.contract(address=to_checksum_address(contract), abi=_TOKEN_ABI)
        asked = token.functions.balanceOf(to_checksum_address(holder))
        try:
            block: BlockIdentifier = "latest" if block_number is None else block_number
            balance: int = await self._ask(asked.call(block_identifier=block))
        except (ContractLogicError, Web3RPCError) as error:
            raise SourceUnavailableError(f"{self.network}: {error}") from error
        return balance

    async def native_balance(self, holder: str, block_number: int | None = None) -> int:
        """Native coin in wei."""
        block: BlockIdentifier = "latest" if block_number is None else block_number
        try:
            return await self._ask(self._web3.eth.get_balance(to_checksum_address(holder), block))
        except Web3RPCError as error:
            raise SourceUnavailableError(f"{self.network}: {error}") from error

    async def token_scale(self, contract: str) -> int | None:
        """ERC-20 `decimals`, None when there is no contract at that address."""
        address: ChecksumAddress = to_checksum_address(contract)
        if not await self._ask(self._web3.eth.get_code(address)):
            return None
        scale: int = await self._ask(
            self._web3.eth.contract(address=address, abi=_TOKEN_ABI).functions.decimals().call()
        )
        return scale

    async def gas_fees(self) -> GasFees:
        """The node's own suggestion for the tip, above twice the newest base fee."""
        head = await self._ask(self._web3.eth.get_block("latest"))
        base_fee = head.get("baseFeePerGas")
        if base_fee is None:
            return GasFees(await self._ask(self._web3.eth.gas_price), None)
        tip = await self._ask(self._web3.eth.max_priority_fee)
        return GasFees(2 * base_fee + tip, tip, base_fee)

    async def transfer_gas(self, sender: str, contract: str | None, recipient: str, amount: int) -> int | None:
        """What the node estimates; None where it says that the transfer would fail."""
        target, value, data = call_of(contract, recipient, amount)
        try:
            return await self._ask(
                self._web3.eth.estimate_gas(
                    {
                        "from": to_checksum_address(sender),
                        "to": target,
                        "value": Wei(value),
                        "data": HexStr("0x" + data.hex()),
                    }
                )
            )
        except (ContractLogicError, Web3RPCError):
            return None

    async def knows_transaction(self, transaction_hash: str) -> bool:
        """Whether the node has a transaction, mined or waiting."""
        try:
            await self._ask(self._web3.eth.get_transaction(HexStr(transaction_hash)))
        except TransactionNotFound:
            return False
        return True

    async def transaction_at_nonce(self, sender: str, nonce: int) -> MinedTransfer | None:
        """Found by halving the blocks between one before which the nonce was free and the head."""
        address = to_checksum_address(sender)

        async def used(number: int) -> bool:
            try:
                return await self._ask(self._web3.eth.get_transaction_count(address, number)) > nonce
            except Web3RPCError as error:
                raise SourceUnavailableError(f"{self.network}: no state of block {number}: {error}") from error

        last = (await self.head()).number
        if not await used(last):
            return None
        step = 1
        first = max(0, last - step)
        while first > 0 and await used(first):
            last, step = first, step * 2
            first = max(0, last - step)
        while last - first > 1:
            middle = (first + last) // 2
            first, last = (first, middle) if await used(middle) else (middle, last)
        block = await self._ask(self._web3.eth.get_block(last, full_transactions=True))
        transactions: Any = block["transactions"]
        for transaction in transactions:
            if (transaction["from"], transaction["nonce"]) == (address, nonce):
                return _mined_transfer(transaction)
        raise SourceUnavailableError(f"{self.network}: block {last} changed while a transaction was looked for")

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Send; what the node says of it in our words."""
        try:
            await self._ask(self._web3.eth.send_raw_transaction(raw))
        except Web3RPCError as error:
            said = str(error).lower()
            return next((outcome for words, outcome in _OUTCOMES if words in said), BroadcastOutcome.REFUSED)
        return BroadcastOutcome.ACCEPTED

    async def _ask(self, call: Awaitable[Answer]) -> Answer:
        """An answer, or SourceUnavailableError where none came; what the node says of the request passes."""
        try:
            return await call
        except (BlockNotFound, ContractLogicError, TransactionNotFound, Web3RPCError):
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Web3Exception) as error:
            raise SourceUnavailableError(f"{self.network}: {type(error).__name__}: {error}") from error


def _mined_transfer(transaction: Any) -> MinedTransfer:
    return MinedTransfer(
        _hexadecimal(transaction["hash"]),
        transaction["blockNumber"],
        *transfer_of(transaction.get("to"), transaction["value"], bytes(transaction["input"])),
    )


def _in_order(transfers: list[TransferLog]) -> list[TransferLog]:
    return sorted(transfers, key=lambda transfer: (transfer.block_number, transfer.log_index))


def _topic(address: str) -> HexStr:
    return HexStr("0x" + address[2:].lower().rjust(2 * _WORD_BYTES, "0"))


def _block_transaction(transaction: TxData, number: int) -> BlockTransaction:
    recipient = transaction.get("to")
    data = bytes(transaction["input"])
    words = _ASKED_ARGUMENTS.get(data[:4])
    asked = words is not None and len(data) >= 4 + words * _WORD_BYTES
    # The recipient and the amount are the last two arguments of both.
    arguments = data[4 : 4 + (words or 0) * _WORD_BYTES]
    return BlockTransaction(
        _hexadecimal(transaction["hash"]),
        number,
        to_checksum_address(transaction["from"]),
        to_checksum_address(recipient) if recipient else None,
        transaction["value"],
        to_checksum_address(arguments[-_WORD_BYTES - 20 : -_WORD_BYTES]) if asked else None,
        int.from_bytes(arguments[-_WORD_BYTES:]) if asked else None,
    )


def _block(block: Any) -> Block:
    return Block(block["number"], _hexadecimal(block["hash"]), _hexadecimal(block["parentHash"]), block["timestamp"])


def _is_transfer(log: LogReceipt) -> bool:
    """Whether a log has the form of EIP-20's event: two indexed addresses and one word of data."""
    return len(log["topics"]) == _TRANSFER_TOPICS and len(log["data"]) == _WORD_BYTES and not log.get("removed", False)


def _transfer(log: LogReceipt) -> TransferLog:
    _, sender, recipient = log["topics"]
    return TransferLog(
        log["blockNumber"],
        _hexadecimal(log["blockHash"]),
        _hexadecimal(log["transactionHash"]),
        log["logIndex"],
        to_checksum_address(log["address"]),
        to_checksum_address(bytes(sender)[-20:]),
        to_checksum_address(bytes(recipient)[-20:]),
        int.from_bytes(log["data"]),
    )


def _hexadecimal(value: bytes) -> str:
    return "0x" + bytes(value).hex()
