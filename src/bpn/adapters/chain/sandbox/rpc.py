"""The chain's JSON-RPC methods, in the formats of the Ethereum execution API: quantities and data as hex."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eth.abc import BlockAPI, ComputationAPI, ReceiptAPI
from eth.exceptions import VMError
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.conversions import to_bytes

from bpn.adapters.chain.sandbox.chain import TIP_WEI, EmbeddedChain, TransactionRefusedError

_METHOD_NOT_FOUND = -32601
_INVALID_PARAMETERS = -32602
_TRANSACTION_REFUSED = -32000
_REVERTED = 3
_LARGEST_RANGE = 10_000
_NOBODY = b"\x00" * 20


class RpcError(Exception):
    """An error answer: its code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def answer(chain: EmbeddedChain, method: str, parameters: list[Any]) -> Any:
    """The result of a call.

    Raises:
        RpcError: no such method, unusable parameters, a transaction not taken, or a message that reverted.
    """
    handler = _METHODS.get(method)
    if handler is None:
        raise RpcError(_METHOD_NOT_FOUND, f"the method {method} does not exist")
    try:
        return handler(chain, *parameters)
    except TransactionRefusedError as error:
        raise RpcError(_TRANSACTION_REFUSED, str(error)) from error
    except VMError as error:
        raise RpcError(_REVERTED, f"execution reverted: {error}") from error
    except (TypeError, ValueError, KeyError) as error:
        raise RpcError(_INVALID_PARAMETERS, f"invalid parameters: {error}") from error


def _number(chain: EmbeddedChain, tag: str) -> int:
    if tag in {"latest", "pending", "safe", "finalized"}:
        return int(chain.head().number)
    return 0 if tag == "earliest" else int(tag, 16)


def _get_block_by_number(chain: EmbeddedChain, tag: str, full: bool = False) -> dict[str, Any] | None:  # noqa: FBT001, FBT002 - positional in the protocol
    block = chain.block(_number(chain, tag))
    return None if block is None else _block(block, full=full)


def _get_block_by_hash(chain: EmbeddedChain, hash_: str, full: bool = False) -> dict[str, Any] | None:  # noqa: FBT001, FBT002 - positional in the protocol
    block = chain.block_by_hash(to_bytes(hexstr=hash_))
    return None if block is None else _block(block, full=full)


def _block(block: BlockAPI, *, full: bool) -> dict[str, Any]:
    header: Any = block.header
    return {
        "number": hex(block.number),
        "hash": _data(block.hash),
        "parentHash": _data(header.parent_hash),
        "nonce": _data(header.nonce),
        "mixHash": _data(header.mix_hash),
        "sha3Uncles": _data(header.uncles_hash),
        "logsBloom": _data(header.bloom.to_bytes(256)),
        "transactionsRoot": _data(header.transaction_root),
        "stateRoot": _data(header.state_root),
        "receiptsRoot": _data(header.receipt_root),
        "miner": to_checksum_address(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": _data(header.extra_data),
        "size": hex(0),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "uncles": [],
        "transactions": [
            _transaction(transaction, block, index) if full else _data(transaction.hash)
            for index, transaction in enumerate(block.transactions)
        ],
    }


def _get_transaction_by_hash(chain: EmbeddedChain, hash_: str) -> dict[str, Any] | None:
    raw = to_bytes(hexstr=hash_)
    found = chain.find_transaction(raw)
    if found is not None:
        block, index = found
        return _transaction(block.transactions[index], block, index)
    waiting = chain.waiting(raw)
    return None if waiting is None else _transaction(waiting, None, None)


def _transaction(transaction: Any, block: BlockAPI | None, index: int | None) -> dict[str, Any]:
    return {
        "hash": _data(transaction.hash),
        "nonce": hex(transaction.nonce),
        "blockHash": None if block is None else _data(block.hash),
        "blockNumber": None if block is None else hex(block.number),
        "transactionIndex": None if index is None else hex(index),
        "from": to_checksum_address(transaction.sender),
        "to": to_checksum_address(transaction.to) if transaction.to else None,
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "gasPrice": hex(transaction.max_fee_per_gas),
        "maxFeePerGas": hex(transaction.max_fee_per_gas),
        "maxPriorityFeePerGas": hex(transaction.max_priority_fee_per_gas),
        "input": _data(transaction.data),
        "chainId": hex(transaction.chain_id) if transaction.chain_id is not None else None,
        "type": "0x2",
    }


def _get_transaction_receipt(chain: EmbeddedChain, hash_: str) -> dict[str, Any] | None:
    found = chain.find_transaction(to_bytes(hexstr=hash_))
    if found is None:
        return None
    block, index = found
    receipts = chain.receipts(block)
    transaction, receipt = block.transactions[index], receipts[index]
    before = receipts[index - 1].gas_used if index else 0
    base_fee = int(block.header.base_fee_per_gas or 0)
    tip = min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee)
    return {
        "transactionHash": _data(transaction.hash),
        "transactionIndex": hex(index),
        "blockHash": _data(block.hash),
        "blockNumber": hex(block.number),
        "from": to_checksum_address(transaction.sender),
        "to": to_checksum_address(transaction.to) if transaction.to else None,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - before),
        "effectiveGasPrice": hex(base_fee + tip),
        "contractAddress": None,
        "logs": [log for log in _logs_of(block, receipts) if log["transactionIndex"] == hex(index)],
        "logsBloom": _data(receipt.bloom.to_bytes(256)),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "type": "0x2",
    }


def _get_logs(chain: EmbeddedChain, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    first = _number(chain, asked.get("fromBlock", "latest"))
    last = min(_number(chain, asked.get("toBlock", "latest")), chain.head().number)
    if last - first > _LARGEST_RANGE:
        raise RpcError(_INVALID_PARAMETERS, f"block range is limited to {_LARGEST_RANGE}")
    address = asked.get("address")
    addresses = {value.lower() for value in ([address] if isinstance(address, str) else address or [])}
    topics = asked.get("topics") or []
    found = []
    for number in range(first, last + 1):
        block = chain.block(number)
        # An empty bloom says that no transaction of the block logged anything.
        if block is not None and block.header.bloom:
            found += [
                log
                for log in _logs_of(block, chain.receipts(block))
                if (not addresses or log["address"].lower() in addresses) and _has_topics(log["topics"], topics)
            ]
    return found


def _logs_of(block: BlockAPI, receipts: list[ReceiptAPI]) -> list[dict[str, Any]]:
    logs: list[dict[str, Any]] = []
    for index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        logs += [
            {
                "address": to_checksum_address(log.address),
                "topics": [_data(topic.to_bytes(32)) for topic in log.topics],
                "data": _data(log.data),
                "blockNumber": hex(block.number),
                "blockHash": _data(block.hash),
                "transactionHash": _data(transaction.hash),
                "transactionIndex": hex(index),
                "logIndex": hex(place),
                "removed": False,
            }
            for place, log in enumerate(receipt.logs, start=len(logs))
        ]
    return logs


def _has_topics(topics: list[str], asked: list[Any]) -> bool:
    if len(asked) > len(topics):
        return False
    return all(
        wanted is None
        or topic.lower() in {value.lower() for value in ([wanted] if isinstance(wanted, str) else wanted)}
        for topic, wanted in zip(topics, asked, strict=False)
    )


def _call(chain: EmbeddedChain, message: Mapping[str, str], tag: str = "latest") -> str:
    return _data(_run(chain, message, tag).output)


def _estimate_gas(chain: EmbeddedChain, message: Mapping[str, str], _block_tag: object = "latest") -> str:
    data = to_bytes(hexstr=message.get("data") or message.get("input") or "0x")
    plain = 21_000 + sum(16 if byte else 4 for byte in data)
    # What is refunded in the end has to be there first; a plain transfer runs no code and refunds nothing.
    return hex(_run(chain, message).get_gas_used() * 3 // 2 + plain)


def _run(chain: EmbeddedChain, message: Mapping[str, str], tag: str = "latest") -> ComputationAPI:
    computation = chain.call(
        to_canonical_address(message["from"]) if message.get("from") else _NOBODY,
        to_canonical_address(message["to"]),
        to_bytes(hexstr=message.get("data") or message.get("input") or "0x"),
        int(message.get("value", "0x0"), 16),
        _number(chain, tag),
    )
    computation.raise_if_error()
    return computation


def _fee_history(chain: EmbeddedChain, _count: object, _newest: object, _percentiles: object = ()) -> dict[str, Any]:
    fee = hex(chain.base_fee())
    return {"oldestBlock": hex(chain.head().number), "baseFeePerGas": [fee, fee], "gasUsedRatio": [0.5], "reward": []}


def _send_raw(chain: EmbeddedChain, raw: str) -> str:
    return _data(chain.submit(to_bytes(hexstr=raw)))


def _count(chain: EmbeddedChain, address: str, tag: str = "latest") -> str:
    return hex(
        chain.nonce(to_canonical_address(address), pending=tag == "pending", number=_number(chain, tag))
    )  # fmt: skip


def _balance(chain: EmbeddedChain, address: str, tag: str = "latest") -> str:
    return hex(chain.balance(to_canonical_address(address), _number(chain, tag)))


def _sandbox_send_token(
    chain: EmbeddedChain, contract: str, recipient: str, amount: str, sender: str | None = None
) -> str:
    return _data(chain.send_token(contract, recipient, int(amount), sender))


def _sandbox_send_native(chain: EmbeddedChain, recipient: str, amount: str) -> str:
    return _data(chain.send_native(recipient, int(amount)))


def _sandbox_mine(chain: EmbeddedChain, blocks: int) -> str:
    for _ in range(blocks):
        chain.mine()
    return hex(chain.head().number)


def _sandbox_reorganise(chain: EmbeddedChain, blocks: int, keep: bool) -> str:  # noqa: FBT001 - positional in the protocol
    chain.reorganise(blocks, keep=keep)
    return hex(chain.head().number)


def _data(value: bytes) -> str:
    return "0x" + bytes(value).hex()


_METHODS: Mapping[str, Callable[..., Any]] = {
    "eth_chainId": lambda chain: hex(chain.chain_id),
    "net_version": lambda chain: str(chain.chain_id),
    "web3_clientVersion": lambda _chain: "BPN sandbox",
    "eth_blockNumber": lambda chain: hex(chain.head().number),
    "eth_getBlockByNumber": _get_block_by_number,
    "eth_getBlockByHash": _get_block_by_hash,
    "eth_getTransactionByHash": _get_transaction_by_hash,
    "eth_getTransactionReceipt": _get_transaction_receipt,
    "eth_getLogs": _get_logs,
    "eth_getTransactionCount": _count,
    "eth_getBalance": _balance,
    "eth_getCode": lambda chain, address, _tag="latest": _data(chain.code(to_canonical_address(address))),
    "eth_call": _call,
    "eth_estimateGas": _estimate_gas,
    "eth_gasPrice": lambda chain: hex(chain.base_fee() + TIP_WEI),
    "eth_maxPriorityFeePerGas": lambda _chain: hex(TIP_WEI),
    "eth_feeHistory": _fee_history,
    "eth_sendRawTransaction": _send_raw,
    "sandbox_sendToken": _sandbox_send_token,
    "sandbox_sendNative": _sandbox_send_native,
    "sandbox_mine": _sandbox_mine,
    "sandbox_reorganise": _sandbox_reorganise,
}
