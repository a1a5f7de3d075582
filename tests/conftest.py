"""What tests share: a PostgreSQL server, a migrated database each, and a whole installation for signed HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count

import psycopg
import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.database.migrate import upgrade
from bpn.database.pool import Database
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.clock import Clock
from bpn.kernel.ids import Ids
from bpn.ledger import operations as ledger
from installation import Installation, open_installation
from sealed_values import opens

pytest_plugins = ("chromium",)
USDT = Asset("USDT", "BSC", 18)
USDC = Asset("USDC", "ETH", 6)
_numbers = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this run's own, with a migrated database to copy."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("server"))
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_bpn")
    upgrade(server.url("template_bpn"))
    yield server
    server.stop()


@pytest.fixture
def database_url(server: EmbeddedPostgres) -> str:
    """The URL of a migrated database that nobody has used."""
    return copy_database(server)


def copy_database(server: EmbeddedPostgres) -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template_bpn")  # type: ignore[arg-type]
    return server.url(name)


@asynccontextmanager
async def open_database(url: str, *, node: int = 1, clock: Clock | None = None) -> AsyncIterator[Database]:
    database = Database(url, clock or Clock(), Ids(lambda: node), connections=8, lock_timeout_seconds=10)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database whose ledger knows two assets."""
    async with open_database(database_url) as database:
        async with database.transaction() as tx:
            await ledger.register_assets(tx, Assets([USDT, USDC]))
        yield database


@pytest.fixture(scope="session")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """A whole installation: API on loopback, sandbox chains, jobs that tests run. Tests make their own merchants."""
    async with open_installation(copy_database(server), tmp_path_factory.mktemp("house")) as installation:
        yield installation
        # Whatever the tests sealed must open where the registry says, or a change of the master key would stop there.
        sealed = opens(installation.parts.cipher, installation.parts.database_url)
        assert [name for name, (_, bad) in sealed.items() if bad] == []


@pytest.fixture
def database_admin(house: Installation) -> Callable[[str], None]:
    """Change the house's database behind its back, as its superuser."""

    def execute(statement: str) -> None:
        with psycopg.connect(house.parts.database_url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    return execute
