"""What a node tells of fees, gas and nonces: networks with and without a base fee, transfers that would fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bpn.adapters.chain.calls import call_of, transfer_of
from bpn.adapters.chain.evm import EvmChain
from bpn.adapters.chain.sandbox.client import SandboxChainClient
from bpn.adapters.chain.sandbox.server import SandboxNetwork, SandboxServer
from bpn.adapters.chain.sandbox.tokens import CONTRACTS, FAUCET_ADDRESS
from bpn.ports.readers import GasFees, SourceUnavailableError

SOMEBODY = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"
BLOCK = {
    "number": "0x10",
    "hash": "0x" + "11" * 32,
    "parentHash": "0x" + "22" * 32,
    "timestamp": "0x6",
    "transactions": [],
}


@asynccontextmanager
async def node(answers: Mapping[str, Any]) -> AsyncIterator[EvmChain]:
    """A JSON-RPC server with fixed answers; an exception is an error answer."""

    async def serve(request: web.Request) -> web.Response:
        call = await request.json()
        answer = answers[call["method"]]
        body = (
            {"error": {"code": -32000, "message": str(answer)}} if isinstance(answer, Exception) else {"result": answer}
        )
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], **body})

    application = web.Application()
    application.router.add_post("/", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    chain = EvmChain("BSC", f"http://127.0.0.1:{runner.addresses[0][1]}/", timeout_seconds=5)
    try:
        yield chain
    finally:
        await chain.close()
        await runner.cleanup()


async def test_twice_the_base_fee_and_the_nodes_tip() -> None:
    answers = {"eth_getBlockByNumber": {**BLOCK, "baseFeePerGas": "0x64"}, "eth_maxPriorityFeePerGas": "0x5"}
    async with node(answers) as chain:
        assert await chain.gas_fees() == GasFees(205, 5, 100)


async def test_one_gas_price_where_there_is_no_base_fee() -> None:
    async with node({"eth_getBlockByNumber": BLOCK, "eth_gasPrice": "0x3b9aca00"}) as chain:
        assert await chain.gas_fees() == GasFees(10**9, None)


@pytest.mark.parametrize("said", ["execution reverted: blocked", "insufficient funds for transfer"])
async def test_a_transfer_that_would_fail_has_no_gas(said: str) -> None:
    async with node({"eth_chainId": "0x38", "eth_estimateGas": ValueError(said)}) as chain:
        assert await chain.transfer_gas(SOMEBODY, CONTRACTS["USDT"], FAUCET_ADDRESS, 1) is None


async def test_a_node_that_forgot_the_state_is_no_evidence() -> None:
    async with node(
        {"eth_getTransactionCount": ValueError("missing trie node"), "eth_getBlockByNumber": BLOCK}
    ) as chain:
        with pytest.raises(SourceUnavailableError, match="no state"):
            await chain.transaction_at_nonce(SOMEBODY, 3)


async def test_which_transaction_took_a_nonce(tmp_path: Path) -> None:
    server = SandboxServer(tmp_path, [SandboxNetwork("BSC", 56, 18)], lambda: 1_795_000_000, 3600)
    url = f"{await server.start()}/BSC"
    chain, levers = EvmChain("BSC", url, timeout_seconds=10), SandboxChainClient("BSC", url)
    try:
        first = await chain.transaction_count(FAUCET_ADDRESS)
        hashes = []
        for amount in range(1, 6):
            hashes.append(await levers.send_native(SOMEBODY, amount))
            assert await chain.knows_transaction(hashes[-1])
            await levers.mine(3)
        for place, hash_ in enumerate(hashes):
            found = await chain.transaction_at_nonce(FAUCET_ADDRESS, first + place)
            assert found is not None
            assert (found.hash, found.contract, found.recipient, found.amount) == (hash_, None, SOMEBODY, place + 1)
        assert await chain.transaction_at_nonce(FAUCET_ADDRESS, first + 5) is None
        assert not await chain.knows_transaction("0x" + "12" * 32)
        head = (await chain.head()).number
        assert await chain.native_balance(SOMEBODY) == 15
        assert await chain.native_balance(SOMEBODY, head - 3) == 10
    finally:
        await chain.close()
        await server.stop()


def test_a_transfer_is_read_as_it_was_written() -> None:
    for contract in (None, CONTRACTS["USDT"]):
        target, value, data = call_of(contract, SOMEBODY, 10**30)
        assert transfer_of(target, value, data) == (contract, SOMEBODY, 10**30)
    approval = bytes.fromhex("095ea7b3") + bytes(64)
    assert transfer_of(CONTRACTS["USDT"], 0, approval) == (CONTRACTS["USDT"], None, 0)
    assert transfer_of(None, 0, b"\x60") == (None, None, 0)
