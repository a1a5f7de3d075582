"""One seed drives the clock, the chains, the receivers, crashes and two workers; then the auditors look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import structlog
from chain import SimulatedChain, SimulatedNode, SimulatedSigner
from door import SimulatedDoor
from process import Killed, Process, SimulatedClock
from wallet import WalletWorld
from webhooks import SimulatedReceivers, audit_webhooks, webhook_jobs

from bpn.adapters.chain.endpoints import ChainEndpoints
from bpn.adapters.prices.static import StaticPrices
from bpn.adapters.screening.blocked import BlockedParties
from bpn.chapters.fx.jobs import RateJobs
from bpn.jobs.job import Job, collect_jobs
from bpn.jobs.relay import Relay
from bpn.ledger import operations as ledger
from bpn.ports.readers import SourceUnavailableError
from bpn.settings import Settings
from bpn.wiring.chapters.catalogue import routes
from bpn.wiring.chapters.wallet import network_jobs, sweep_listener
from bpn.wiring.house import House, open_house

STEPS = 40
START = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = ("alembic_version", "sealed_secrets", "ledger_assets", "business_clock", "%procrastinate%")
"""What is the same for all seeds."""
CONFIRMATIONS, REORG_DEPTH = 3, 12


class WrongError(AssertionError):
    """An auditor found something; the message names the seed."""


@dataclass
class Worker:
    """A worker process and its jobs."""

    process: Process
    jobs: list[Job]
    settle: Callable[[], Awaitable[None]]


@dataclass
class World:
    """Everything that one seed drives."""

    house: House
    clock: SimulatedClock
    random: Random
    chains: dict[str, SimulatedChain] = field(default_factory=dict)
    nodes: dict[str, list[SimulatedNode]] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, network in self.house.wallet_terms.networks.items():
            self.chains[name] = SimulatedChain(network, self.random, lambda: int(self.clock.now().timestamp()))
            self.nodes[name] = [SimulatedNode(self.chains[name], f"{name} {place}") for place in range(3)]
        self.receivers = SimulatedReceivers(self.random)
        listed = {route.operation: route for route in routes(self.house)}
        self.wallet = WalletWorld(self.house, self.chains, SimulatedDoor(self.house, listed, self.random), self.random)
        self.workers = [self.worker(), self.worker()]

    def worker(self) -> Worker:
        """A fresh worker process."""
        process = Process(self.house.database)
        house = replace(self.house, database=process)  # type: ignore[type-var]
        signer, screening = SimulatedSigner(house.wallet_terms), BlockedParties([], [])
        jobs: list[Job] = []
        for name, network in house.wallet_terms.networks.items():
            chain: Any = ChainEndpoints(self.nodes[name], 2)  # type: ignore[arg-type]
            jobs += network_jobs(house, network, chain, signer, screening)
        natives = [network.native.currency for network in house.wallet_terms.networks.values()]
        usd = dict.fromkeys([*house.wallet_terms.currency_names, *natives], Decimal(1))
        rates = RateJobs(process.transaction, house.fx_terms, [StaticPrices(usd, self.clock.wall)])
        jobs += collect_jobs(rates, "fx")
        webhooks, more, listeners = webhook_jobs(house, self.receivers)
        jobs += more

        async def seal() -> bool:
            async with process.transaction() as tx:
                return await ledger.seal(tx) > 0

        relay = Relay(process.transaction, [*listeners, sweep_listener()], jobs, lambda _: None)
        jobs += [Job("outbox.relay", relay.run, 1, frozenset()), Job("ledger.seal", seal, 5, frozenset())]
        return Worker(process, jobs, webhooks.settle)

    async def run(self, worker: Worker, job: Job, times: int = 1) -> None:
        """Run a job; if its process dies of it, another takes its place."""
        try:
            for _ in range(times):
                if not await job.run():
                    break
        except Killed:
            self.events.append(f"died in {job.name}")
        except SourceUnavailableError:
            pass
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
            self.events.append(f"{job.name}: {error}")
        await worker.settle()
        if worker.process.dead and worker in self.workers:
            self.workers[self.workers.index(worker)] = self.worker()

    async def step(self) -> None:
        """Something happens."""
        happens = [self._work] * 12 + [self.wallet.step] * 10 + [self._block] * 8
        happens += [self._crash] * 2 + [self._trouble] * 2 + [self._reorg, self._time, self._fees]
        await self.random.choice(happens)()

    async def _work(self) -> None:
        if self.random.random() < 0.5:
            first, second = self.workers
            await asyncio.gather(
                self.run(first, self.random.choice(first.jobs)), self.run(second, self.random.choice(second.jobs))
            )
            return
        worker = self.random.choice(self.workers)
        for job in self.random.sample(worker.jobs, 5):
            if not worker.process.dead:
                await self.run(worker, job)

    async def _block(self) -> None:
        chain = self.random.choice(list(self.chains.values()))
        for _ in range(self.random.choice([1, 1, 2, 4])):
            self.clock.pass_by(1)
            chain.mine()
        worker = self.random.choice(self.workers)
        for job in worker.jobs:
            if job.name.startswith("wallet.read_blocks") and not worker.process.dead:
                await self.run(worker, job)

    async def _crash(self) -> None:
        process = self.random.choice(self.workers).process
        process.fuse, process.before = self.random.randrange(4), self.random.random() < 0.5

    async def _trouble(self) -> None:
        node = self.random.choice(self.random.choice(list(self.nodes.values())))
        calm = SimulatedNode(node.chain, node.endpoint)
        # One endpoint at a time may lie; the others are honest, late or silent.
        liar = self.nodes[node.network][2]
        for other in self.nodes[node.network]:
            other.down, other.behind = False, 0
        kind = self.random.choice(["calm", "down", "behind", "hides", "inverts", "invents", "outage"])
        self.events.append(f"{node.endpoint}: {kind}")
        liar.hides = liar.inverts = False
        liar.invents = 0
        if kind == "down":
            node.down = True
        elif kind == "behind":
            node.behind = self.random.randrange(1, 4)
        elif kind == "outage":
            for other in self.nodes[node.network]:
                other.down = True
        elif kind == "invents":
            liar.invents = self.random.choice([1, 50])
        elif kind != "calm":
            setattr(liar, kind, True)
        assert calm.endpoint == node.endpoint

    async def _reorg(self) -> None:
        chain = self.random.choice(list(self.chains.values()))
        depth = self.random.choice([1, 1, 2, 2, 3, 4, 6])
        if len(chain.blocks) > depth + 1:
            self.events.append(f"{chain.network.name}: reorg of {depth}")
            chain.reorganise(depth)

    async def _time(self) -> None:
        self.clock.pass_by(self.random.choice([1, 10, 60, 400]))
        if self.random.random() < 0.3:
            self.random.choice(list(self.chains.values())).forget()

    async def _fees(self) -> None:
        self.random.choice(list(self.chains.values())).base_fee = self.random.choice([5, 10, 40, 120]) * 10**9

    async def rest(self) -> None:
        """Everything is well again; blocks and jobs go on until nothing changes any more."""
        self.receivers.heal()
        for nodes in self.nodes.values():
            for node in nodes:
                node.down = node.hides = node.inverts = False
                node.behind = node.invents = 0
        self.workers = [self.worker()]
        before: Any = None
        for _ in range(60):
            # Blocks enough that what was mined last is final.
            for chain in self.chains.values():
                chain.base_fee = 10 * 10**9
                for _ in range(CONFIRMATIONS + 1):
                    self.clock.pass_by(1)
                    chain.mine()
            for job in self.workers[0].jobs:
                await self.run(self.workers[0], job, 20)
            now = await self._state()
            if now == before:
                return
            before = now
            # Leases and retries are as long as this in the end.
            self.clock.pass_by(3600)
        raise WrongError("it does not come to rest")

    async def _state(self) -> Any:
        async with self.house.database.reading() as tx:
            cursor = await tx.connection.execute(
                "SELECT status, count(*), max(transaction_id) FROM wallet_transactions GROUP BY status ORDER BY status"
            )
            states = await cursor.fetchall()
            cursor = await tx.connection.execute(
                "SELECT (SELECT count(*) FROM outbox_facts WHERE NOT relayed),"
                " (SELECT sum(attempts) FROM webhook_deliveries), (SELECT count(*) FROM webhook_deliveries)"
            )
            return states, await cursor.fetchall(), {name: len(chain.pool) for name, chain in self.chains.items()}

    async def audit(self) -> list[str]:
        """All that the auditors find."""
        rows = [row for shop in self.wallet.shops for row in await self.wallet.history(shop)]
        return [*await self.wallet.audit(), *audit_webhooks(self.receivers, rows)]


async def play(house: House, clock: SimulatedClock, seed: int) -> None:
    """Play one seed on a house whose database holds nothing yet.

    Raises:
        WrongError: with the seed and what the auditors found.
    """
    clock.time = START
    world = World(house, clock, Random(seed))  # noqa: S311 - repeatable is what it has to be
    try:
        for worker in world.workers:
            for job in worker.jobs:
                if job.name.startswith("wallet.read_blocks"):
                    await job.run()
        await world.wallet.open()
        for _ in range(STEPS):
            await world.step()
        await world.rest()
        faults = await world.audit()
    except Exception as error:
        raise WrongError(f"seed {seed}: {type(error).__name__}: {error}; it had seen {world.events}") from error
    if faults:
        raise WrongError(f"seed {seed}: " + "; ".join(faults) + f"; it had seen {world.events}")


@asynccontextmanager
async def simulated_house(
    database_url: str, folder: Path, *, loud: bool = False
) -> AsyncIterator[tuple[House, SimulatedClock]]:
    """The house that all seeds of a process share; only a loud one shows what is logged."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    if not loud:
        structlog.configure(processors=[_drop])
    network = {"confirmations": CONFIRMATIONS, "reorg_depth": REORG_DEPTH, "read_range": 10}
    settings = Settings(data_dir=folder, chains={"BSC": network, "ETH": network})  # type: ignore[dict-item]
    clock = SimulatedClock()
    async with open_house(settings, database_url, chain_url="http://127.0.0.1:9", clock=clock) as house:
        yield house, clock
    structlog.reset_defaults()


def _drop(_logger: object, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


def forget_everything(database_url: str) -> None:
    """Empty the database of what the last seed left, past the triggers that keep the journal."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        found = connection.execute(
            """
            SELECT string_agg(format('%%I', tablename), ', ') FROM pg_tables
            WHERE schemaname = 'public' AND NOT tablename LIKE ANY (%s)
            """,
            (list(KEPT),),
        ).fetchone()
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {found[0] if found else ''} RESTART IDENTITY")  # type: ignore[arg-type]
