"""Anvil, a node that is not ours, on loopback: installed from npm by `make test-full`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from outsider import TOKEN, address_of_contract

PROGRAM = Path(__file__).parent / "node/node_modules/.bin/anvil"
DEVELOPER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
"""The first account of every Anvil, unlocked and rich."""
CONTRACTS = {"USDT": address_of_contract(DEVELOPER, 0), "USDC": address_of_contract(DEVELOPER, 1)}
_GAS = hex(3_000_000)


@dataclass
class Anvil:
    """A running node and its levers: the port SandboxChain."""

    network: str
    url: str
    process: int
    http: httpx.AsyncClient

    async def ask(self, method: str, *parameters: object) -> Any:
        """A call's result; raises where the node answers with an error."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = (await self.http.post(self.url, json=body)).json()
        assert "error" not in answer, answer
        return answer["result"]

    async def _call(self, contract: str, signature: str, *values: object) -> str:
        kinds = signature[signature.index("(") + 1 : -1].split(",")
        data = "0x" + (bytes(keccak(text=signature)[:4]) + encode(kinds, values)).hex()
        return str(
            await self.ask("eth_sendTransaction", {"from": DEVELOPER, "to": contract, "data": data, "gas": _GAS})
        )

    async def deploy_tokens(self, scale: int) -> None:
        """The sandbox's token, twice."""
        bytecode = json.loads(TOKEN.read_text())["bytecode"]
        for name, contract in CONTRACTS.items():
            arguments = encode(["string", "string", "uint8"], [f"Anvil {name}", name, scale]).hex()
            await self.ask("eth_sendTransaction", {"from": DEVELOPER, "data": bytecode + arguments, "gas": _GAS})
            await self.mine(1)
            assert await self.ask("eth_getCode", contract, "latest") != "0x"

    async def send_token(self, contract: str, recipient: str, amount: int, sender: str | None = None) -> str:
        if sender is None:
            return await self._call(contract, "mint(address,uint256)", recipient, amount)
        return await self._call(contract, "mint_and_send(address,address,uint256)", sender, recipient, amount)

    async def send_native(self, recipient: str, amount: int) -> str:
        order = {"from": DEVELOPER, "to": recipient, "value": hex(amount), "gas": _GAS}
        return str(await self.ask("eth_sendTransaction", order))

    async def mine(self, blocks: int) -> None:
        await self.ask("anvil_mine", hex(blocks))

    async def reorganise(self, blocks: int, *, keep: bool) -> None:
        head = int(await self.ask("eth_blockNumber"), 16)
        raw = []
        for number in range(max(1, head - blocks + 1), head + 1):
            block = await self.ask("eth_getBlockByNumber", hex(number), False)
            raw += [await self.ask("eth_getRawTransactionByHash", hash_) for hash_ in block["transactions"]]
        await self.ask("anvil_reorg", blocks, [])
        await self.ask("anvil_dropAllTransactions")
        await self.mine(1)
        for one in raw if keep else []:
            await self.ask("eth_sendRawTransaction", one)

    async def fall_silent(self, seconds: float) -> None:
        os.kill(self.process, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(seconds, os.kill, self.process, signal.SIGCONT)


@asynccontextmanager
async def running_anvil(network: str, chain_id: int, scale: int) -> AsyncIterator[Anvil]:
    """A fresh chain with the tokens on it; blocks are mined when asked for."""
    assert PROGRAM.exists(), "make test-full installs Anvil"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), "--no-mining", "--silent"]
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), *options, "--balance", "1000000", start_new_session=True, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            anvil = Anvil(network, f"http://127.0.0.1:{port}", process.pid, http)
            for _ in range(200):
                try:
                    await anvil.ask("eth_chainId")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
            await anvil.deploy_tokens(scale)
            yield anvil
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await process.wait()
