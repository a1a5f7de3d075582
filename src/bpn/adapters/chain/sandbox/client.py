"""The levers of the sandbox's chain, pulled over its JSON-RPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.ports.readers import SourceUnavailableError

_TIMEOUT_SECONDS = 30.0


class SandboxChainClient:
    """One network of the sandbox: the port SandboxChain."""

    def __init__(self, network: str, rpc_url: str) -> None:
        self.network = network
        self._rpc_url = rpc_url

    @staticmethod
    def contracts() -> Mapping[str, str]:
        """The sandbox's token contracts by currency, the same on each of its networks."""
        return CONTRACTS

    async def send_token(self, contract: str, recipient: str, amount: int, sender: str | None = None) -> str:
        """Transfer tokens from the faucet, or in the name of `sender`; the hash, lower-case hex with 0x."""
        return str(await self._call("sandbox_sendToken", contract, recipient, str(amount), sender))

    async def send_native(self, recipient: str, amount: int) -> str:
        """Send native coin (wei) from the faucet; the hash."""
        return str(await self._call("sandbox_sendNative", recipient, str(amount)))

    async def mine(self, blocks: int) -> None:
        """Mine blocks at once."""
        await self._call("sandbox_mine", blocks)

    async def reorganise(self, blocks: int, *, keep: bool) -> None:
        """Replace the newest blocks by a longer branch; `keep` gives their transactions back to the pool."""
        await self._call("sandbox_reorganise", blocks, keep)

    async def fall_silent(self, seconds: float) -> None:
        """Answer nothing for a while."""
        await self._call("sandbox_outage", seconds)

    async def _call(self, method: str, *parameters: object) -> Any:
        try:
            # Levers are pulled now and then: a connection each, and nothing to close.
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                answer = await client.post(
                    self._rpc_url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
                )
            body = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnavailableError(f"{self.network}: {type(error).__name__}") from error
        if "error" in body:
            raise SourceUnavailableError(f"{self.network}: {body['error']['message']}")
        return body["result"]
