"""The sandbox's node: JSON-RPC over HTTP on loopback, one path per network, a block each second."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bpn.adapters.chain.sandbox.chain import EmbeddedChain
from bpn.adapters.chain.sandbox.rpc import RpcError, answer

log = structlog.get_logger(__name__)
_PARSE_ERROR = -32700
_OUTAGE = "sandbox_outage"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SandboxNetwork:
    """A network to simulate: its real chain id, and the decimals of its stablecoins."""

    name: str
    chain_id: int
    scale: int


class SandboxServer:
    """Runs the chains of all simulated networks.

    Args of the constructor:
        directory: where each chain keeps its file.
        networks: which to run.
        now: business time, Unix seconds, for the blocks.
        block_seconds: time between blocks.
    """

    def __init__(
        self, directory: Path, networks: Sequence[SandboxNetwork], now: Callable[[], int], block_seconds: float = 1.0
    ) -> None:
        self._directory = directory
        self._networks = networks
        self._now = now
        self._block_seconds = block_seconds
        self._nodes: list[_Node] = []
        self._server: uvicorn.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Open the chains and listen; the base URL, to which a network's name is added."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for network in self._networks:
            node = _Node()
            await node.open(self._directory / f"{network.name}.sqlite", network, self._now)
            self._nodes.append(node)
        routes = [
            Route(f"/{network.name}", node.serve, methods=["POST"])
            for network, node in zip(self._networks, self._nodes, strict=True)
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
        # Listening begins before the server's task does, so that the address can be told at once.
        listening = socket.create_server((host, port))
        self._server = _QuietServer(config)
        self._tasks = [asyncio.create_task(self._server.serve([listening]))]
        self._tasks += [asyncio.create_task(self._mine(node)) for node in self._nodes]
        return f"http://{host}:{listening.getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and mining, and close the chains."""
        if self._server is not None:
            self._server.should_exit = True
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for node in self._nodes:
            await node.close()

    async def _mine(self, node: _Node) -> None:
        while True:
            await asyncio.sleep(self._block_seconds)
            await node.run(EmbeddedChain.mine)


class _QuietServer(uvicorn.Server):
    """Leaves the process's signals to the process."""

    def install_signal_handlers(self) -> None:
        """Install none."""


class _Node:
    """One chain with the one thread that may touch it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._chain: EmbeddedChain | None = None
        self._silent_until = 0.0

    async def open(self, path: Path, network: SandboxNetwork, now: Callable[[], int]) -> None:
        loop = asyncio.get_running_loop()
        self._chain = await loop.run_in_executor(
            self._thread, partial(EmbeddedChain, path, network.chain_id, network.scale, now)
        )

    async def close(self) -> None:
        await self.run(EmbeddedChain.close)
        self._thread.shutdown()

    async def run(self, work: Callable[[EmbeddedChain], Result]) -> Result:
        if self._chain is None:
            raise RuntimeError("the chain is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._chain)

    async def serve(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": _PARSE_ERROR, "message": "not JSON"}})
        calls = body if isinstance(body, list) else [body]
        if time.monotonic() < self._silent_until and not any(call.get("method") == _OUTAGE for call in calls):
            return Response(status_code=503)
        answers = [await self._answer(call) for call in calls]
        return JSONResponse(answers if isinstance(body, list) else answers[0])

    async def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method, parameters = str(call.get("method")), call.get("params") or []
        base = {"jsonrpc": "2.0", "id": call.get("id")}
        if method == _OUTAGE:
            self._silent_until = time.monotonic() + float(parameters[0])
            return {**base, "result": True}
        try:
            return {**base, "result": await self.run(lambda chain: answer(chain, method, parameters))}
        except RpcError as error:
            return {**base, "error": {"code": error.code, "message": error.message}}
