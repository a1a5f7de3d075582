"""A worker: every job, with the adapters that act on the outside world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from bpn.api import replay
from bpn.jobs.job import Job
from bpn.jobs.relay import NAME as RELAY
from bpn.jobs.relay import Relay
from bpn.ledger import operations as ledger
from bpn.outbox import operations as outbox
from bpn.wiring.chapters.catalogue import work
from bpn.wiring.files import file_jobs
from bpn.wiring.house import House

_FORGOTTEN_AT_ONCE = 1_000


@asynccontextmanager
async def open_workers(house: House) -> AsyncIterator[list[Job]]:
    """The jobs of a worker process, registered with its queue; their adapters are closed in the end."""
    async with AsyncExitStack() as closing:
        chapters = await work(house, closing)
        jobs = [
            *_house_jobs(house),
            *file_jobs(house.database, house.files),
            *(job for chapter in chapters for job in chapter.jobs),
        ]
        listeners = [listener for chapter in chapters for listener in chapter.listeners]
        relay = Relay(house.database.transaction, listeners, jobs, house.jobs.nudge)
        jobs.append(Job(RELAY, relay.run, 1, frozenset()))
        house.jobs.register(jobs)
        yield jobs


def _house_jobs(house: House) -> list[Job]:
    """The jobs that belong to no chapter."""

    async def seal_ledger() -> bool:
        async with house.database.transaction() as tx:
            return await ledger.seal(tx) > 0

    async def forget_signatures() -> bool:
        async with house.database.transaction() as tx:
            await replay.forget_old(tx, house.settings.signature_window_seconds)
        return False

    async def forget_facts() -> bool:
        async with house.database.transaction() as tx:
            forgotten = await outbox.forget_relayed(
                tx, timedelta(days=house.settings.outbox_retention_days), _FORGOTTEN_AT_ONCE
            )
        return forgotten >= _FORGOTTEN_AT_ONCE

    return [
        Job("ledger.seal", seal_ledger, 5, frozenset()),
        Job("api.forget_signatures", forget_signatures, 60, frozenset()),
        Job("outbox.forget_relayed", forget_facts, 600, frozenset()),
    ]
