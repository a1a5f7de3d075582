"""A whole installation in this process, over real HTTP, PostgreSQL and chains; time passes when a test says so."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from aiohttp import web

from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.cli.sandbox import SENDER
from bpn.client import ApiError, signed_headers, webhook_is_genuine
from bpn.jobs.job import Job
from bpn.kernel.money import Money
from bpn.ports.simulation import SandboxChain
from bpn.settings import Settings
from bpn.wiring.api import api_application
from bpn.wiring.chains import evm_chain, fund_sandbox, sandbox_server
from bpn.wiring.chapters.accounts import book_sandbox_money
from bpn.wiring.chapters.orders import stock_sandbox
from bpn.wiring.house import House, open_house
from bpn.wiring.mail import MAILBOX_ADDRESS_FILE, mailbox_server
from bpn.wiring.merchants import onboard_merchant
from bpn.wiring.sandbox import sandbox_chains
from bpn.wiring.workers import open_workers

_numbers = count(1)
EVENT_SAMPLES = json.loads((Path(__file__).parent / "golden" / "events.json").read_text())
OUTSIDE = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"
"""An address that is nobody's here."""


@dataclass
class Answer:
    """An HTTP answer with its envelope."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers
    text: str

    @property
    def code(self) -> str | None:
        return self.body["code"]

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in (self.data or {}).get("errors", [])]


@dataclass
class Merchant:
    """A merchant's signed client."""

    installation: Installation
    merchant_id: int
    api_key: str
    api_secret: str
    wallet_id: int
    last_timestamp: int = 0

    def timestamp(self) -> int:
        """A time that no request of this merchant was signed at before: equal bodies get signatures of their own."""
        self.last_timestamp = max(self.last_timestamp + 1, int(time.time() * 1000))
        return self.last_timestamp

    async def send(
        self, method: str, path: str, content: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> Answer:
        """Sign and send; `headers` replace those that would be sent."""
        sent = signed_headers(self.api_key, self.api_secret, content, self.timestamp())
        if method == "POST":
            sent["Content-Type"] = "application/json"
        return await self.installation.send(method, path, content, sent | (headers or {}))

    async def ask(self, path: str, **query: object) -> Answer:
        return await self.send("GET", path, urlencode({name: str(value) for name, value in query.items()}).encode())

    async def order(self, path: str, body: dict[str, object], **headers: str) -> Answer:
        return await self.send("POST", path, json.dumps(body).encode(), headers=headers)

    async def get(self, path: str, **query: object) -> Any:
        """The data of a good answer; raises ApiError."""
        return _good(await self.ask(path, **query))

    async def post(self, path: str, body: dict[str, object]) -> Any:
        """The data of a good answer; raises ApiError."""
        return _good(await self.order(path, body))

    async def available(self, currency: str = "USDT", network: str = "BSC", wallet_id: int | None = None) -> str:
        """What a wallet may spend of a currency on a network."""
        return (await self.balance(currency, network, wallet_id))["available"]

    async def balance(
        self, currency: str = "USDT", network: str = "BSC", wallet_id: int | None = None
    ) -> dict[str, str]:
        query = {"currency": currency, "walletId": wallet_id or self.wallet_id}
        (shown,) = (await self.get("/v1/wallet/asset-balance", **query))["wallets"]
        return next(entry for entry in shown["networks"] if entry["network"] == network)

    async def deposit(self, amount: str, currency: str = "USDT", network: str = "BSC") -> str:
        """Send tokens to the primary wallet on chain; the hash."""
        if (chain := self.installation.outside.get(network)) is not None:
            query = {"walletId": self.wallet_id, "currency": currency, "network": network}
            address = (await self.get("/v1/wallet/deposit-address", **query))["address"]
            token = self.installation.parts.wallet_terms.networks[network].tokens[currency]
            return await chain.send_token(token.contract, address, Money.parse(amount, token.asset).minor)
        body = {"walletId": self.wallet_id, "currency": currency, "network": network, "amount": amount}
        return (await self.post("/v1/mock/wallet/deposit", body))["hash"]

    async def record(self, **query: object) -> dict[str, Any] | None:
        rows = (await self.get("/v1/wallet/history", **query))["list"]
        return rows[0] if rows else None

    async def receive(self, amount: str, currency: str = "USDT", network: str = "BSC") -> dict[str, Any]:
        """A deposit all the way to the available balance; its record."""
        hash_ = await self.deposit(amount, currency, network)
        waiting = await self.installation.until(lambda: self.record(hash=hash_, status="SENDER_REQUIRED"))
        await self.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **SENDER})
        return await self.installation.until(lambda: self.record(hash=hash_, status="COMPLETED"))

    async def fund(self, amount: str) -> None:
        """As `receive`, in USDT on BSC."""
        await self.receive(amount)

    async def sub_wallet(self, name: str = "Store") -> int:
        return (await self.post("/v1/wallet/sub-account/create", {"name": name}))["walletId"]

    async def whitelist(self, address: str = OUTSIDE, currency: str = "USDT", network: str = "BSC") -> dict[str, Any]:
        return await self.post(
            "/v1/wallet/add-withdraw-whitelist",
            {
                "currency": currency,
                "network": network,
                "address": address,
                "alias": "Treasury",
                "addressType": 1,
                "beneficiary": {"type": "Individual", "firstName": "Ana", "lastName": "Sousa", "country": "mx"},
            },
        )

    def withdrawal(self, amount: str, reference: str | None = None, **other: object) -> dict[str, object]:
        """The body of a withdrawal to OUTSIDE."""
        return {
            "merchantTransactionId": reference or f"w-{next(_numbers)}",
            "walletId": self.wallet_id,
            "currency": "USDT",
            "network": "BSC",
            "address": OUTSIDE,
            "amount": amount,
            **other,
        }

    async def decide(self, asked: dict[str, Any], decision: Decision) -> str:
        """An operator's word on a withdrawal of this merchant; its state then."""
        parts = self.installation.parts
        async with parts.database.transaction() as tx:
            decided = await wallet.decide_withdrawal(
                parts.wallet_terms, tx, self.merchant_id, int(asked["transactionId"]), decision
            )
        return decided.status


def _good(answer: Answer) -> Any:
    if answer.status != 200:
        raise ApiError(answer.body)
    return answer.data


@dataclass
class Receiver:
    """A merchant's webhook receiver that can misbehave on purpose."""

    url: str
    secret: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    forged: int = 0
    misshapen: list[dict[str, Any]] = field(default_factory=list)
    """Events whose fields are not those of their golden sample."""
    answer: str = ""
    hold: asyncio.Event | None = None
    """While it is set and not yet let go, requests hang."""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.raw.append((dict(request.headers), body))
        if self.hold is not None:
            await self.hold.wait()
        if webhook_is_genuine(self.secret, request.headers, body):
            event = json.loads(body)
            self.received.append(event)
            if list(event["data"]) != EVENT_SAMPLES.get(event["eventType"]):
                self.misshapen.append(event)
        else:
            self.forged += 1
        return web.Response(status=self.status, headers=self.headers, text=self.answer)

    def of(self, event_type: str, status: str | None = None) -> list[dict[str, Any]]:
        return [
            event for event in self.received
            if event["eventType"] == event_type and status in {None, event["status"]}
        ]  # fmt: skip


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A webhook receiver on loopback."""
    receiver = Receiver("")
    application = web.Application()
    application.router.add_post("/webhooks", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    try:
        yield receiver
        assert receiver.misshapen == [], "tests/golden/events.json says what an event looks like"
    finally:
        await runner.cleanup()


@dataclass
class Installation:
    """Every part of a house, its API on loopback, and its jobs in the test's hands."""

    parts: House
    base_url: str
    jobs: list[Job]
    chains: dict[str, SandboxChain]
    http: httpx.AsyncClient
    nodes: dict[str, Any]
    outside: dict[str, SandboxChain] = field(default_factory=dict)
    """The levers of networks that the installation takes for real ones: it has no mock routes then."""

    async def merchant(self, webhook_url: str | None = None) -> Merchant:
        made = await onboard_merchant(self.parts, f"Merchant {next(_numbers)}", webhook_url)
        return Merchant(
            self, made.merchant.merchant_id, made.key.api_key, made.key.secret, made.primary_wallet_id
        )  # fmt: skip

    async def send(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Answer:
        """One request as given; the signature is the caller's."""
        if method == "GET":
            url = httpx.URL(path).copy_with(query=content) if content else path
            answer = await self.http.get(url, headers=headers)
        else:
            answer = await self.http.request(method, path, content=content, headers=headers)
        return Answer(answer.status_code, answer.json(), answer.headers, answer.text)

    def job(self, name: str) -> Callable[[], Awaitable[bool]]:
        return next(job.run for job in self.jobs if job.name == name)

    async def round(self) -> None:
        """A block on every chain, then every job until it has nothing more to do."""
        for chain in self.chains.values():
            await chain.mine(1)
        await self.work()

    async def work(self) -> None:
        for job in self.jobs:
            while await job.run():
                pass
        # Deliveries go out side by side with the jobs.
        await asyncio.sleep(0.02)

    async def until(self, find: Callable[[], Awaitable[Any]], rounds: int = 15) -> Any:
        """What `find` returns once it is truthy, letting blocks and jobs pass until then."""
        for _ in range(rounds):
            if found := await find():
                return found
            await self.round()
        raise AssertionError(f"did not come about in {rounds} rounds")


async def fund_outside(house: House, outside: dict[str, SandboxChain]) -> None:
    """Give the hot wallet of networks with nodes of their own tokens and coins, on chain and in the ledger."""
    hot = house.wallet_terms.hot_address
    for name, chain in outside.items():
        network = house.wallet_terms.networks[name]
        for token in network.tokens.values():
            await chain.send_token(token.contract, hot, 10**6 * 10**token.asset.scale)
        await chain.send_native(hot, 100 * 10**18)
        await chain.mine(1)
        async with house.database.transaction() as tx:
            funds = [Money(10**6 * 10**token.asset.scale, token.asset) for token in network.tokens.values()]
            for money in [*funds, Money(100 * 10**18, network.native)]:
                await wallet.book_house_funds(tx, tx.ids.next(), money)


Prepare = Callable[[Installation], Awaitable[None]]


@asynccontextmanager
async def open_installation(
    database_url: str,
    folder: Path,
    prepare: Prepare | None = None,
    outside: dict[str, SandboxChain] | None = None,
    **options: Any,
) -> AsyncIterator[Installation]:
    """Start all parts on a migrated database.

    `prepare` sees to the chains first, `outside` are the levers of networks with nodes of their own, `options` are
    settings. What sweeps and tops up by itself is off.
    """
    settings = Settings(
        data_dir=folder,
        **{"sandbox_block_seconds": 3600, "sandbox_bank_seconds": 0, "sweeping": False, **options},
    )
    # The chain's own process has its own view of business time, which its blocks carry.
    async with open_house(settings, database_url) as behind_the_chain:
        server = sandbox_server(behind_the_chain)
        chain_url = await server.start()
        mailbox = mailbox_server(settings)
        (folder / MAILBOX_ADDRESS_FILE).write_text(await mailbox.start())
        try:
            async with open_house(settings, database_url, chain_url=chain_url) as house:
                await fund_sandbox(house)
                await fund_outside(house, outside or {})
                await book_sandbox_money(house)
                await stock_sandbox(house)
                async with open_workers(house) as jobs, serving(house) as base_url:
                    async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=60) as http:
                        nodes = {name: evm_chain(house, name) for name in settings.chains}
                        levers = sandbox_chains(house) | (outside or {})
                        installation = Installation(house, base_url, jobs, levers, http, nodes, outside or {})
                        if prepare is not None:
                            await prepare(installation)
                        await installation.work()
                        yield installation
                        for node in nodes.values():
                            await node.close()
        finally:
            await mailbox.stop()
            await server.stop()


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[str]:
    """The API of a house on a free port."""
    config = uvicorn.Config(
        api_application(house), host="127.0.0.1", port=0, lifespan="off", access_log=False, log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
