"""What every command needs first: settings, logging, a database, the sandbox's chain."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import structlog
import uvloop

from bpn.api.tracing import add_trace_id
from bpn.settings import Settings
from bpn.wiring.house import House, embedded_postgres, open_house

Result = TypeVar("Result")
CHAIN_URL_FILE = "chain.url"


def load_settings(data: Path | None = None, **given: object) -> Settings:
    """The settings from the environment, with what was given on the command line; also for child processes."""
    chosen = {"data_dir": data, **given}
    for name, value in chosen.items():
        if value is not None:
            os.environ[f"BPN_{name.upper()}"] = str(value)
    return Settings()


def configure_logging() -> None:
    """One line per event on standard error: JSON when it is not a terminal, coloured text when it is."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            add_trace_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelName(os.environ.get("BPN_LOG_LEVEL", "INFO"))
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def say(text: str) -> None:
    """Tell the operator something, beside what is printed as a result."""
    print(text, file=sys.stderr, flush=True)


def database_url(settings: Settings) -> str:
    """The installation's database: the one configured, else the embedded one, started if it does not run."""
    return settings.database_url or embedded_postgres(settings, say).start()


def migrate_database(url: str) -> None:
    """Bring a database to the newest revision."""
    from bpn.database.migrate import upgrade  # noqa: PLC0415 - seconds of imports that only this command needs

    upgrade(url)


def chain_url(settings: Settings) -> str | None:
    """Where the sandbox's chains are served, None where nothing is simulated or nothing serves."""
    path = settings.data_dir / CHAIN_URL_FILE
    return path.read_text().strip() if settings.simulated_chains and path.exists() else None


@asynccontextmanager
async def open_installation(settings: Settings) -> AsyncIterator[House]:
    """The parts of a running or resting installation, for one command."""
    async with open_house(settings, database_url(settings), chain_url=chain_url(settings)) as house:
        yield house


def in_house(settings: Settings, work: Callable[[House], Awaitable[Result]]) -> Result:
    """Run one piece of work in the installation and return what it returns."""

    async def run() -> Result:
        async with open_installation(settings) as house:
            return await work(house)

    return run_async(run)


def run_async(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run a coroutine function to its end on the fast loop."""

    async def run() -> Result:
        return await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
