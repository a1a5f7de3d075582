"""Signed transfers and balance reads over HTTP."""

from __future__ import annotations

import asyncio

import orjson

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.bench.http import CONNECTIONS, connections, load, request
from bpn.cli.sandbox import SENDER, Sandbox, find_record, wait_for
from bpn.client import Client


async def measure(course: Course) -> list[Figure]:
    """All transfers from one hot wallet, everything on; then reads of its balance."""
    sandbox = course.sandbox
    store = await asyncio.to_thread(_prepare, sandbox)
    async with connections(sandbox) as senders:
        transfers = await load(senders, course.seconds, lambda number: _transfer(sandbox, store, number))
        reads = await load(senders, course.seconds, lambda _: _balance(sandbox))
    return [
        Figure(
            f"signed transfers over HTTP, {CONNECTIONS} connections, one hot wallet",
            transfers.rate,
            0.4,
            transfers.latency,
            transfers.errors,
        ),
        Figure(
            f"signed balance reads over HTTP, {CONNECTIONS} connections", reads.rate, 0.6, reads.latency, reads.errors
        ),
    ]


def _prepare(sandbox: Sandbox) -> int:
    with sandbox.client() as client:
        return fund(client, sandbox.wallet_id)


def fund(client: Client, wallet_id: int) -> int:
    """Have a deposit arrive in the hot wallet of the load, and open the wallet that it pays; its id."""
    order = {"walletId": wallet_id, "currency": "USDT", "network": "BSC", "amount": "1000000"}
    hash_ = client.post("/v1/mock/wallet/deposit", order)["hash"]
    seen = wait_for(lambda: find_record(client, hash=hash_, status="SENDER_REQUIRED"), "the deposit")
    client.post("/v1/wallet/add-deposit-sender", {"transactionId": seen["transactionId"], **SENDER})
    wait_for(lambda: find_record(client, hash=hash_, status="COMPLETED"), "its release")
    store: int = client.post("/v1/wallet/sub-account/create", {"name": "Store"})["walletId"]
    return store


def _transfer(sandbox: Sandbox, store: int, number: int) -> bytes:
    body = orjson.dumps(
        {
            "merchantTransactionId": f"bench-{number}",
            "fromWalletId": sandbox.wallet_id,
            "toWalletId": store,
            "currency": "USDT",
            "amount": "0.01",
        }
    )
    return request(sandbox, "POST /v1/wallet/internal-transfer", body, body)


def _balance(sandbox: Sandbox) -> bytes:
    query = "currency=USDT"
    return request(sandbox, f"GET /v1/wallet/asset-balance?{query}", query.encode(), b"")
