"""Procrastinate, told of our jobs: it wakes workers, keeps schedules, and runs one nudge once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from bpn.jobs.job import Job
from bpn.jobs.measures import JOB_SECONDS
from bpn.kernel.spans import span

log = structlog.get_logger(__name__)
_QUEUE = "bpn"
_NUDGE_EVERY_SECONDS = 0.2
_CONCURRENCY = 100
_SECONDS_PER_MINUTE = 60


class JobApplication:
    """The jobs of this process. Any process nudges; a worker runs."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        self._application = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=connections))
        self._nudged: set[str] = set()
        self._wake = asyncio.Event()
        self._nudging: asyncio.Task[None] | None = None
        self._running: dict[str, bool] = {}

    async def open(self) -> None:
        """Connect, and begin to pass nudges on."""
        await self._application.open_async()
        self._nudging = asyncio.create_task(self._pass_nudges_on(), name="nudges")

    async def close(self) -> None:
        """Stop passing nudges and disconnect. Nudges not yet passed are lost; the sweeps make up for them."""
        if self._nudging is not None:
            self._nudging.cancel()
            await asyncio.gather(self._nudging, return_exceptions=True)
        await self._application.close_async()

    def nudge(self, name: str) -> None:
        """Have a worker run a job soon. Cheap: many nudges in a moment are one."""
        self._nudged.add(name)
        self._wake.set()

    async def _pass_nudges_on(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            names, self._nudged = self._nudged, set()
            for name in names:
                await self._defer(name)
            await asyncio.sleep(_NUDGE_EVERY_SECONDS)

    async def _defer(self, name: str) -> None:
        try:
            await self._application.configure_task(
                name, queue=_QUEUE, queueing_lock=name, allow_unknown=True
            ).defer_async()
        except AlreadyEnqueued:
            pass
        except ConnectorException as error:
            log.warning("nudge.lost", job=name, error=str(error))

    def register(self, jobs: Sequence[Job]) -> None:
        """Make jobs known to this process's worker, with their schedules."""
        for job in jobs:
            task = self._application.task(name=job.name, queue=_QUEUE, queueing_lock=job.name)(self._runner(job))
            self._application.periodic(cron=_cron(job.every_seconds), queue=_QUEUE, queueing_lock=job.name)(task)

    async def work(self) -> None:
        """Run jobs until cancelled; running ones are then given 10 s to end."""
        await self._application.run_worker_async(
            queues=[_QUEUE],
            concurrency=_CONCURRENCY,
            install_signal_handlers=False,
            fetch_job_polling_interval=1.0,
            shutdown_graceful_timeout=10.0,
            delete_jobs="always",
        )

    def _runner(self, job: Job):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the library's own task type
        async def run(timestamp: int | None = None) -> None:  # noqa: ARG001 - what the library gives periodic tasks
            """Run a job in this process once at a time; a nudge meanwhile has it run once more."""
            if job.name in self._running:
                self._running[job.name] = True
                return
            self._running[job.name] = True
            try:
                while self._running[job.name]:
                    with JOB_SECONDS.labels(job.name).time(), span(f"job {job.name}"):
                        self._running[job.name] = False
                        if await job.run():
                            self._running[job.name] = True
            except Exception:
                log.exception("job.failed", job=job.name)
            finally:
                del self._running[job.name]

        return run


def _cron(seconds: int) -> str:
    if seconds < _SECONDS_PER_MINUTE:
        return f"* * * * * */{seconds}"
    return f"*/{seconds // _SECONDS_PER_MINUTE} * * * *"
