"""A signing service on loopback that speaks web3signer's API for secp256k1 keys, with real keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey, Signature
from eth_utils.crypto import keccak


@dataclass
class Web3Signer:
    """Keys by their public keys; `lies_with` signs for every identifier with another key."""

    url: str
    keys: dict[str, PrivateKey]
    lies_with: PrivateKey | None = None
    bare: bool = False
    """Whether it answers r and s alone, s in the upper half, as raw key stores do."""
    asked: list[str] = field(default_factory=list)

    async def sign(self, request: web.Request) -> web.Response:
        identifier = request.match_info["identifier"]
        key = self.keys.get(identifier)
        if key is None:
            return web.Response(status=404)
        body = await request.json()
        if not isinstance(body.get("data"), str) or not body["data"].startswith("0x"):
            return web.Response(status=400)
        self.asked.append(identifier)
        digest = keccak(bytes.fromhex(body["data"][2:]))
        signature = (self.lies_with or key).sign_msg_hash(digest)
        return web.Response(text="0x" + self._written(signature).hex(), content_type="text/plain")

    def _written(self, signature: Signature) -> bytes:
        if self.bare:
            return signature.r.to_bytes(32) + (SECPK1_N - signature.s).to_bytes(32)
        return signature.r.to_bytes(32) + signature.s.to_bytes(32) + bytes([27 + signature.v])


@asynccontextmanager
async def serving_keys(keys: Sequence[bytes]) -> AsyncIterator[Web3Signer]:
    """The service with these private keys."""
    private = [PrivateKey(key) for key in keys]
    signer = Web3Signer("", {key.public_key.to_hex(): key for key in private})
    application = web.Application()
    application.router.add_post("/api/v1/eth1/sign/{identifier}", signer.sign)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    signer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield signer
    finally:
        await runner.cleanup()
