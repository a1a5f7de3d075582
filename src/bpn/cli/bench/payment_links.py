"""Payment links: made over signed HTTP, their page's first byte, and how soon many watchers see a change."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.bench.http import CONNECTIONS, connections, load, request
from bpn.cli.sandbox import Sandbox

_WATCHERS = 500
_PATH = "/v1/payment-link/create"


async def measure(course: Course) -> list[Figure]:
    """Links made, pages read, watchers told."""
    sandbox = course.sandbox
    async with connections(sandbox) as senders:
        made = await load(senders, course.seconds, lambda number: _create(sandbox, number))
        link = await asyncio.to_thread(_make_one, sandbox)
        read = await load(senders, course.seconds, lambda _: _page(link))
    return [
        Figure(
            f"payment links made over HTTP, {CONNECTIONS} connections", made.rate, None, made.latency, made.errors
        ),
        Figure(f"payment pages read, {CONNECTIONS} connections", read.rate, None, read.latency, read.errors),
        await _watched(link),
    ]  # fmt: skip


def _body(order: str) -> dict[str, Any]:
    return {
        "userOrderNo": order,
        "paymentLinkType": "one_time",
        "fiatCurrency": "USD",
        "fiatAmount": "100",
        "supportCurrency": "USDT",
        "supportNetwork": "BSC,ETH",
        "recipientName": "Bench",
        "paymentValidTime": 60,
    }


def _create(sandbox: Sandbox, number: int) -> bytes:
    body = orjson.dumps(_body(f"bench-link-{number}"))
    return request(sandbox, f"POST {_PATH}", body, body)


def _make_one(sandbox: Sandbox) -> str:
    with sandbox.client() as client:
        link: str = client.post(_PATH, _body("bench-watched"))["paymentLink"]
    return link


def _page(link: str) -> bytes:
    return f"GET {urlsplit(link).path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


async def _watched(link: str) -> Figure:
    """Have many watch a page, change it, and see how long until the last of them has the change."""
    everybody, told = asyncio.Event(), asyncio.Event()
    watching = seen = 0

    async def watch(client: httpx.AsyncClient) -> None:
        nonlocal watching, seen
        events = 0
        async with client.stream("GET", f"{link}/events", params={"seen": "nothing"}) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("id:"):
                    continue
                events += 1
                watching += events == 1
                seen += events > 1
                if watching == _WATCHERS:
                    everybody.set()
                if seen == _WATCHERS:
                    told.set()
                if events > 1:
                    return

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        watchers = [asyncio.create_task(watch(client)) for _ in range(_WATCHERS)]
        await everybody.wait()
        began = time.perf_counter()
        await client.post(f"{link}/choice", data={"way": "USDT@BSC"})
        await told.wait()
        took = time.perf_counter() - began
        await asyncio.gather(*watchers)
    what = f"watchers of one page told of a change, {_WATCHERS} at once"
    return Figure(what, _WATCHERS / took, None, f"all in {took * 1000:.0f} ms")
