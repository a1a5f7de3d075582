"""`bpn bench`: one table of speeds, each as a ratio to `pgbench` on the same server in the same run."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, islice
from statistics import quantiles
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from bpn.cli.installation import configure_logging, open_installation, run_async, say
from bpn.cli.sandbox import SENDER, Sandbox, find_record, fresh_sandbox, wait_for
from bpn.client import Client, signed_headers
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Chain, Policy, Transfer
from bpn.wiring.house import House, embedded_postgres, postgres_program

SECONDS = 10.0
_PGBENCH_CLIENTS = 8
_PGBENCH_SCALE = 20
_CONNECTIONS = 32
_BATCH = 512
_WRITERS = 2
_MERCHANTS = 10
_ACCOUNTS_PER_MERCHANT = 100
_ASSET = Asset("BENCH", None, 2)
_TPS = re.compile(r"tps = ([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `bar` is the ratio that it must reach, None where there is none."""

    what: str
    rate: float
    bar: float | None
    note: str = ""
    errors: int = 0


def bench(
    seconds: Annotated[float, typer.Option(help="How long each figure is measured.")] = SECONDS,
) -> None:
    """Measure ledger batches, signed transfers and balance reads against pgbench TPC-B on the same server."""
    configure_logging()
    with fresh_sandbox() as sandbox:
        url = embedded_postgres(sandbox.settings, say).url("postgres")
        say("Preparing.")
        _pgbench(url, "-i", "-q", "-s", str(_PGBENCH_SCALE))
        with sandbox.client() as client:
            store = _fund(client, sandbox.wallet_id)
        say("Measuring pgbench.")
        base = _tpc_b(url, seconds)
        rows = run_async(lambda: _measure(sandbox, store, seconds))
        say("Measuring pgbench again.")
        base = (base + _tpc_b(url, seconds)) / 2
    _show(base, rows)
    if any(row.errors for row in rows):
        raise typer.Exit(1)


async def _measure(sandbox: Sandbox, store: int, seconds: float) -> list[Row]:
    async with open_installation(sandbox.settings) as house:
        async with house.database.transaction() as tx:
            await ledger.register_assets(tx, Assets([_ASSET]))
        say("Measuring ledger batches.")
        spread = await _ledger_batches(house, seconds, hot=False)
        hot = await _ledger_batches(house, seconds, hot=True)
    async with _connections(sandbox) as senders:
        say("Measuring signed transfers over HTTP.")
        transfers = await _load(senders, seconds, lambda number: _transfer(sandbox, store, number))
        say("Measuring signed balance reads.")
        reads = await _load(senders, seconds, lambda _: _balance(sandbox))
    return [
        Row(f"ledger, batches of {_BATCH}, 1,000 accounts over 10 merchants", spread, 4.0),
        Row(
            f"ledger, batches of {_BATCH}, all from one hot account", hot, 2.4, f"{hot / spread:.2f} of the line above"
        ),
        Row(
            f"signed transfers over HTTP, {_CONNECTIONS} connections, one hot wallet",
            transfers.rate,
            0.4,
            transfers.latency,
            transfers.errors,
        ),
        Row(
            f"signed balance reads over HTTP, {_CONNECTIONS} connections", reads.rate, 0.6, reads.latency, reads.errors
        ),
    ]


def _show(base: float, rows: Sequence[Row]) -> None:
    table = Table("What", "per second", "to TPC-B", "bar", "")
    table.add_row(
        f"pgbench TPC-B, scale {_PGBENCH_SCALE}, {_PGBENCH_CLIENTS} clients, prepared", f"{base:,.0f}", "1.00", "", ""
    )
    for row in rows:
        bar = "" if row.bar is None else f"{row.bar:.2f} {'reached' if row.rate >= row.bar * base else 'MISSED'}"
        table.add_row(row.what, f"{row.rate:,.0f}", f"{row.rate / base:.2f}", bar, row.note)
    Console(width=140).print(table)


def _pgbench(url: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own
        [str(postgres_program("pgbench")), *arguments, url], capture_output=True, text=True, check=True
    )
    return done.stdout


def _tpc_b(url: str, seconds: float) -> float:
    """Transactions per second of pgbench's built-in TPC-B-like script."""
    said = _pgbench(url, "-n", "-M", "prepared", "-c", str(_PGBENCH_CLIENTS), "-j", "2", "-T", str(int(seconds)))
    found = _TPS.search(said)
    if found is None:
        raise RuntimeError(said)
    return float(found[1])


async def _ledger_batches(house: House, seconds: float, *, hot: bool) -> float:
    """Transfers per second by two writers, each with merchants of its own, as processes of a cluster have."""
    until = time.monotonic() + seconds
    done = await asyncio.gather(*(_write(house, writer, until, hot=hot) for writer in range(_WRITERS)))
    return sum(done) / seconds


async def _write(house: House, writer: int, until: float, *, hot: bool) -> int:
    books = [10_000 + 100 * hot + 10 * writer + number for number in range(1 if hot else _MERCHANTS // _WRITERS)]
    async with house.database.transaction() as tx:
        for book in books:
            await ledger.post(
                tx, [(_movement(tx, book, "capital", place, 10**12),) for place in range(_ACCOUNTS_PER_MERCHANT)]
            )
    numbers, written = count(), 0
    while time.monotonic() < until:
        async with house.database.transaction() as tx:
            chains: list[Chain] = []
            for number in islice(numbers, _BATCH):
                round_, book = divmod(number, len(books))
                source = 0 if hot else round_ % _ACCOUNTS_PER_MERCHANT
                target = (source + 1 + round_ % (_ACCOUNTS_PER_MERCHANT - 1)) % _ACCOUNTS_PER_MERCHANT
                chains.append((_movement(tx, books[book], source, target, 1),))
            outcomes = await ledger.post(tx, chains)
        written += sum(outcome.accepted for outcome in outcomes)
    return written


def _account(book: int, place: object) -> Account:
    policy = Policy.ANY if place == "capital" else Policy.CREDIT_BALANCE
    return Account(book, f"bench/{place}", _ASSET, policy)


def _movement(tx: Transaction, book: int, source: object, target: object, minor: int) -> Transfer:
    return Transfer(tx.ids.next(), _account(book, source), _account(book, target), Money(minor, _ASSET), "bench", 0)


def _fund(client: Client, wallet_id: int) -> int:
    """Have a deposit arrive in the hot wallet of the load, and open the wallet that it pays; its id."""
    order = {"walletId": wallet_id, "currency": "USDT", "network": "BSC", "amount": "1000000"}
    hash_ = client.post("/v1/mock/wallet/deposit", order)["hash"]
    seen = wait_for(lambda: find_record(client, hash=hash_, status="SENDER_REQUIRED"), "the deposit")
    client.post("/v1/wallet/add-deposit-sender", {"transactionId": seen["transactionId"], **SENDER})
    wait_for(lambda: find_record(client, hash=hash_, status="COMPLETED"), "its release")
    store: int = client.post("/v1/wallet/sub-account/create", {"name": "Store"})["walletId"]
    return store


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to. `latency` tells the median and the 99th percentile."""

    rate: float
    latency: str
    errors: int


Send = Callable[[bytes], Awaitable[bool]]


@asynccontextmanager
async def _connections(sandbox: Sandbox) -> AsyncIterator[list[Send]]:
    """Kept-alive HTTP/1.1 connections with a client that costs the machine little."""
    host, port = sandbox.base_url.removeprefix("http://").split(":")
    pairs = [await asyncio.open_connection(host, int(port)) for _ in range(_CONNECTIONS)]

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


async def _load(senders: Sequence[Send], seconds: float, request: Callable[[int], bytes]) -> Load:
    numbers = count()
    times: list[float] = []
    errors = 0
    until = time.perf_counter() + seconds

    async def run(send: Send) -> None:
        nonlocal errors
        while (began := time.perf_counter()) < until:
            good = await send(request(next(numbers)))
            times.append(time.perf_counter() - began)
            errors += not good

    await asyncio.gather(*(run(send) for send in senders))
    cuts = quantiles(times, n=100)
    return Load(
        (len(times) - errors) / seconds,
        f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {errors} errors",
        errors,
    )


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
    return _request(sandbox, "POST /v1/wallet/internal-transfer", body, body)


def _balance(sandbox: Sandbox) -> bytes:
    query = "currency=USDT"
    return _request(sandbox, f"GET /v1/wallet/asset-balance?{query}", query.encode(), b"")


def _request(sandbox: Sandbox, line: str, content: bytes, body: bytes) -> bytes:
    headers = signed_headers(sandbox.api_key, sandbox.api_secret, content, time.time_ns() // 1_000_000)
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"{line} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{told}\r\n"
    ).encode() + body
