"""The sandbox's chain: a real EVM, the committed token is the source's, the same chain after a restart."""

from __future__ import annotations

import json
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bpn.adapters.chain.evm import EvmChain
from bpn.adapters.chain.sandbox.client import SandboxChainClient
from bpn.adapters.chain.sandbox.server import SandboxNetwork, SandboxServer
from bpn.adapters.chain.sandbox.tokens import CONTRACTS

ROOT = Path(__file__).parents[2]
SOMEBODY = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"


@asynccontextmanager
async def chain(folder: Path) -> AsyncIterator[tuple[EvmChain, SandboxChainClient]]:
    server = SandboxServer(folder, [SandboxNetwork("BSC", 56, 18)], lambda: 1_795_000_000, 3600)
    url = f"{await server.start()}/BSC"
    node = EvmChain("BSC", url, timeout_seconds=10)
    try:
        yield node, SandboxChainClient("BSC", url)
    finally:
        await node.close()
        await server.stop()


COMPILING = runpy.run_path(str(ROOT / "contracts" / "compile.py"))


@pytest.mark.parametrize("name", COMPILING["ARTEFACTS"])
def test_the_committed_bytecode_is_what_the_source_compiles_to(name: str) -> None:
    compiled = COMPILING["compile_contract"](name)
    assert json.loads(json.dumps(compiled)) == json.loads(COMPILING["ARTEFACTS"][name].read_text())


async def test_the_same_chain_again_after_a_restart(tmp_path: Path) -> None:
    async with chain(tmp_path) as (node, levers):
        assert await node.chain_id() == 56
        assert await node.token_scale(CONTRACTS["USDT"]) == 18
        hash_ = await levers.send_token(CONTRACTS["USDT"], SOMEBODY, 5)
        await levers.mine(2)
        head = await node.head()
        receipt = await node.receipt(hash_)
    async with chain(tmp_path) as (node, levers):
        assert await node.block(head.number) == head
        assert await node.receipt(hash_) == receipt
        assert await node.token_balance(CONTRACTS["USDT"], SOMEBODY) == 5
        await levers.mine(1)
        assert (await node.head()).parent_hash == (await node.block(head.number)).hash  # type: ignore[union-attr]


async def test_a_reorg_replaces_blocks(tmp_path: Path) -> None:
    async with chain(tmp_path) as (node, levers):
        await levers.mine(2)
        hash_ = await levers.send_token(CONTRACTS["USDT"], SOMEBODY, 5)
        await levers.mine(1)
        before = await node.head()
        assert len(await node.transfers([CONTRACTS["USDT"]], before.number, before.number)) >= 1
        await levers.reorganise(1, keep=False)
        after = await node.head()
        assert after.number > before.number
        assert (await node.block(before.number)) != before
        assert await node.receipt(hash_) is None
        assert await node.token_balance(CONTRACTS["USDT"], SOMEBODY) == 0
