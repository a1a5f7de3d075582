"""A node in front of another one that can fall silent or lie about what that one says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from aiohttp import web

Lie = Callable[[str, list[Any], Any], Any]
"""From a method, its parameters and the true result, what is told."""


@dataclass
class LyingNode:
    """Passes calls on; `lie` changes results, `silent` answers nothing."""

    url: str
    truth: str
    http: httpx.AsyncClient
    lie: Lie | None = None
    silent: bool = False
    asked: int = 0

    async def serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            return web.Response(status=503)
        call = await request.json()
        answer = (await self.http.post(self.truth, json=call)).json()
        if self.lie is not None and "result" in answer:
            answer["result"] = self.lie(call["method"], call["params"], answer["result"])
        return web.json_response(answer)


@asynccontextmanager
async def lying_node(truth: str) -> AsyncIterator[LyingNode]:
    """A node before the one at `truth`, honest until told otherwise."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        node = LyingNode("", truth, http)
        application = web.Application()
        application.router.add_post("/", node.serve)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        node.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield node
        finally:
            await runner.cleanup()
