"""The roles of an installation, each a process: API server, worker, the sandbox's chain; and migrating."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from bpn.cli.installation import (
    CHAIN_URL_FILE,
    configure_logging,
    database_url,
    load_settings,
    migrate_database,
    open_installation,
    run_async,
    say,
)
from bpn.settings import Settings
from bpn.wiring.tracing import tracing

Data = Annotated[Path | None, typer.Option("--data", help="The data directory (BPN_DATA_DIR).")]
_WAIT_FOR_CHAIN_SECONDS = 60
_COLLECT_AFTER = 20_000
_WORKER_NICENESS = 5


def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve the API."""
    configure_logging()
    settings = load_settings(data, host=host, port=port)
    with tracing(settings, "api"):
        run_async(lambda: _serve(settings))


async def _serve(settings: Settings) -> None:
    from bpn.wiring.api import USES_SAVED_EVERY_SECONDS, api_application  # noqa: PLC0415 - seconds of imports that only this command needs

    await _wait_for_chain(settings)
    async with open_installation(settings) as house:
        config = uvicorn.Config(
            api_application(house),
            host=settings.host,
            port=settings.port,
            http="httptools",
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=10,
        )
        # What stands now stays: the collector need not look at it again while requests come and go.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        saving = asyncio.create_task(house.credentials.save_uses_every(USES_SAVED_EVERY_SECONDS))
        await uvicorn.Server(config).serve()
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)


def work(data: Data = None) -> None:
    """Run the jobs: read chains, send withdrawals, deliver webhooks."""
    # Somebody waits for a request, nobody for a job: where both want the same core, the request goes first.
    os.nice(_WORKER_NICENESS)
    configure_logging()
    settings = load_settings(data)
    with tracing(settings, "worker"):
        run_async(lambda: _work(settings))


async def _work(settings: Settings) -> None:
    from bpn.wiring.chains import check_chains, fund_sandbox  # noqa: PLC0415 - seconds of imports that only this command needs
    from bpn.wiring.chapters.accounts import (  # noqa: PLC0415 - seconds of imports that only this command needs
        book_sandbox_money,
    )
    from bpn.wiring.chapters.orders import stock_sandbox  # noqa: PLC0415 - seconds of imports that only this command needs
    from bpn.wiring.workers import open_workers  # noqa: PLC0415 - seconds of imports that only this command needs

    await _wait_for_chain(settings)
    async with open_installation(settings) as house:
        await check_chains(house)
        await fund_sandbox(house)
        await book_sandbox_money(house)
        await stock_sandbox(house)
        async with open_workers(house):
            worker = asyncio.create_task(house.jobs.work())
            stopping = asyncio.create_task(_stop_signal())
            await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


async def _wait_for_chain(settings: Settings) -> None:
    """In a sandbox, wait until the chain's process has said where it listens."""
    path = settings.data_dir / CHAIN_URL_FILE
    deadline = time.monotonic() + _WAIT_FOR_CHAIN_SECONDS
    while settings.simulated_chains and not path.exists():
        if time.monotonic() > deadline:
            raise typer.BadParameter("the sandbox's chain does not run: start `bpn chain`, or use `bpn up`")
        await asyncio.sleep(0.05)


def chain(data: Data = None) -> None:
    """Run the sandbox's chains, and nothing else."""
    configure_logging()
    settings = load_settings(data)
    run_async(lambda: _chain(settings))


async def _chain(settings: Settings) -> None:
    from bpn.wiring.chains import sandbox_server  # noqa: PLC0415 - seconds of imports that only this command needs

    path = settings.data_dir / CHAIN_URL_FILE
    async with open_installation(settings) as house:
        server = sandbox_server(house)
        path.write_text(await server.start())
        try:
            await _stop_signal()
        finally:
            path.unlink(missing_ok=True)
            await server.stop()


def mailbox(data: Data = None) -> None:
    """Run the sandbox's mailbox, and nothing else."""
    configure_logging()
    settings = load_settings(data)
    run_async(lambda: _mailbox(settings))


async def _mailbox(settings: Settings) -> None:
    from bpn.wiring.mail import MAILBOX_ADDRESS_FILE, mailbox_server  # noqa: PLC0415 - as in `_work`

    path = settings.data_dir / MAILBOX_ADDRESS_FILE
    server = mailbox_server(settings)
    path.write_text(await server.start())
    try:
        await _stop_signal()
    finally:
        path.unlink(missing_ok=True)
        await server.stop()


async def _stop_signal() -> None:
    """Wait for Ctrl-C or a request to end."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


def migrate(data: Data = None) -> None:
    """Bring the database to the newest revision."""
    configure_logging()
    migrate_database(database_url(load_settings(data)))
    say("The database is at the newest revision.")
