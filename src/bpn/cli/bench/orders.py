"""Signed quotes, and orders paid from a balance."""

from __future__ import annotations

import asyncio

import orjson

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.bench.http import CONNECTIONS, connections, load, request
from bpn.cli.bench.wallet import fund
from bpn.cli.sandbox import Sandbox


async def measure(course: Course) -> list[Figure]:
    """Quotes of a dollar; then orders of a dollar of one stablecoin, sold for fiat out of one hot wallet."""
    sandbox = course.sandbox
    await asyncio.to_thread(_prepare, sandbox)
    async with connections(sandbox) as senders:
        quotes = await load(senders, course.seconds, lambda _: _quote(sandbox))
        orders = await load(senders, course.seconds, lambda number: _order(sandbox, number))
    return [
        Figure(f"signed quotes over HTTP, {CONNECTIONS} connections", quotes.rate, 0.5, quotes.latency, quotes.errors),
        Figure(
            f"signed orders from a balance, {CONNECTIONS} connections, one hot wallet",
            orders.rate,
            0.2,
            orders.latency,
            orders.errors,
        ),
    ]


def _prepare(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        fund(client, sandbox.wallet_id, "Orders")


def _quote(sandbox: Sandbox) -> bytes:
    body = orjson.dumps({"fiatAmt": "1", "fiatCurrency": "USD"})
    return request(sandbox, "POST /v1/stable/get-quote", body, body)


def _order(sandbox: Sandbox, number: int) -> bytes:
    body = orjson.dumps(
        {
            "merchantOrderId": f"bench-order-{number}",
            "side": "SELL",
            "cryptoCurrency": "USDT",
            "cryptoAmt": "1",
            "fiatCurrency": "BRL",
        }
    )
    return request(sandbox, "POST /v1/stable/create-order", body, body)
