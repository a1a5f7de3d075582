"""Webhooks at full transfer load, and how long a transfer takes at a load that a shop has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from statistics import quantiles

import orjson
from aiohttp import web

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.bench.http import Send, connections, load, request
from bpn.cli.bench.wallet import fund
from bpn.cli.sandbox import Sandbox

RATE = 100
"""Requests a second of the quiet load."""
_BAR_SECONDS = 1.0
_SETTLE_SECONDS = 60.0


async def measure(course: Course) -> list[Figure]:
    """Every transfer is an event; a receiver on loopback notes when it came."""
    sandbox = course.sandbox
    delays: list[float] = []

    async def receive(request: web.Request) -> web.Response:
        event = orjson.loads(await request.read())
        delays.append(time.time() - event["timestamp"] / 1000)
        return web.Response()

    application = web.Application()
    application.router.add_post("/", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        store = await asyncio.to_thread(_prepare, sandbox, f"http://127.0.0.1:{runner.addresses[0][1]}/")
        async with connections(sandbox) as senders:
            quiet = await _steady(sandbox, senders, store, course.seconds)
            delays.clear()
            full = await load(senders, course.seconds, lambda number: _transfer(sandbox, store, f"full-{number}"))
        await _until_all_came(delays, int(full.rate * course.seconds))
        return [quiet, _first_tries(delays, course.seconds)]
    finally:
        await runner.cleanup()


def _prepare(sandbox: Sandbox, url: str) -> int:
    with sandbox.client() as client:
        store = fund(client, sandbox.wallet_id, "Webhooks")
        client.post("/v1/webhook/endpoint/set", {"url": url, "enabled": True, "eventTypes": ["TRANSACTION_STATUS"]})
        return store


async def _steady(sandbox: Sandbox, senders: Sequence[Send], store: int, seconds: float) -> Figure:
    """A transfer each hundredth of a second, whether or not those before are answered."""
    numbers, times, errors = count(), [], 0
    free = asyncio.Queue[Send]()
    for send in senders:
        free.put_nowait(send)

    async def one() -> None:
        nonlocal errors
        began = time.perf_counter()
        send = await free.get()
        errors += not await send(_transfer(sandbox, store, f"steady-{next(numbers)}"))
        free.put_nowait(send)
        times.append(time.perf_counter() - began)

    tasks, began = [], time.perf_counter()
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    cuts = quantiles(times, n=100)
    note = f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {errors} errors"
    return Figure(f"transfers at {RATE} requests a second", len(times) / seconds, None, note, errors)


async def _until_all_came(delays: list[float], expected: int) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while len(delays) < expected and time.monotonic() < deadline:  # noqa: ASYNC110 - nothing tells of the last
        await asyncio.sleep(0.1)


def _first_tries(delays: list[float], seconds: float) -> Figure:
    cuts = quantiles(delays, n=100)
    reached = "reached" if cuts[94] < _BAR_SECONDS else "MISSED"
    note = f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s after commit (bar {_BAR_SECONDS:.0f} s: {reached})"
    return Figure("webhooks received, at full transfer load", len(delays) / seconds, None, note)


def _transfer(sandbox: Sandbox, store: int, reference: str) -> bytes:
    body = orjson.dumps(
        {
            "merchantTransactionId": reference,
            "fromWalletId": sandbox.wallet_id,
            "toWalletId": store,
            "currency": "USDT",
            "amount": "0.01",
        }
    )
    return request(sandbox, "POST /v1/wallet/internal-transfer", body, body)
