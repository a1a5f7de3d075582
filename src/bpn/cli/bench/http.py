"""Load over HTTP: kept-alive connections, signed requests, latencies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

from bpn.cli.sandbox import Sandbox
from bpn.client import signed_headers

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to. `latency` tells the median and the 99th percentile."""

    rate: float
    latency: str
    errors: int


Send = Callable[[bytes], Awaitable[bool]]


@asynccontextmanager
async def connections(sandbox: Sandbox) -> AsyncIterator[list[Send]]:
    """Kept-alive HTTP/1.1 connections with a client that costs the machine little."""
    host, port = sandbox.base_url.removeprefix("http://").split(":")
    pairs = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS)]

    def sender(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Send:
        async def send(request: bytes) -> bool:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r", 1)[0])
            await reader.readexactly(length)
            return head.startswith(b"HTTP/1.1 200")

        return send

    try:
        yield [sender(reader, writer) for reader, writer in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def load(senders: Sequence[Send], seconds: float, request_of: Callable[[int], bytes]) -> Load:
    """Send requests one after another on every connection for a while; `request_of` makes the n-th."""
    numbers = count()
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds

    async def run(send: Send) -> None:
        nonlocal errors
        while (began := time.perf_counter()) < until:
            good = await send(request_of(next(numbers)))
            times.append(time.perf_counter() - began)
            errors += not good

    await asyncio.gather(*(run(send) for send in senders))
    cuts = quantiles(times, n=100)
    return Load(
        (len(times) - errors) / seconds,
        f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {errors} errors",
        errors,
    )


def request(sandbox: Sandbox, line: str, content: bytes, body: bytes) -> bytes:
    """A signed request as it goes over the wire; `content` is what is signed."""
    headers = signed_headers(sandbox.api_key, sandbox.api_secret, content, time.time_ns() // 1_000_000)
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"{line} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{told}\r\n"
    ).encode() + body
