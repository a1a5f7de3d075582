"""Rate limits: so many and no more, however many processes answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bpn.api.errors import RateLimited
from bpn.api.rate import RateLimit
from bpn.database.pool import Database
from bpn.kernel.encryption import Cipher
from bpn.merchants import operations as merchants
from bpn.merchants.model import Credential
from conftest import open_database

LIMIT = 40
HOUR = 3600.0
"""Windows of these tests end only when a test says so."""


async def credential(database: Database) -> Credential:
    cipher = Cipher(bytes(32))
    async with database.transaction() as tx:
        merchant = await merchants.create_merchant(tx, "Shop")
        made = await merchants.create_api_key(tx, cipher, merchant.merchant_id)
        found = await merchants.find_credential(tx, cipher, made.api_key)
    assert found is not None
    return found


@pytest.fixture
async def key(database: Database) -> Credential:
    return await credential(database)


@pytest.fixture
async def processes(database_url: str, database: Database) -> AsyncIterator[list[RateLimit]]:
    """Three API processes' limits, each with connections of its own."""
    async with open_database(database_url, node=2) as second, open_database(database_url, node=3) as third:
        yield [RateLimit(one, LIMIT, HOUR) for one in (database, second, third)]


async def passes(limit: RateLimit, key: Credential) -> bool:
    try:
        await limit.check(key)
    except RateLimited:
        return False
    return True


async def age_window(database: Database, key: Credential, limits: list[RateLimit], seconds: float) -> None:
    """Let the window be older than it is, in the database and in what the processes hold of it."""
    async with database.transaction() as tx:
        await tx.connection.execute(
            "UPDATE api_rates SET window_start = window_start - make_interval(secs => %s) WHERE key_id = %s",
            (seconds, key.key_id),
        )
    for limit in limits:
        for share in limit._shares.values():
            share.until -= seconds


async def test_no_more_than_the_limit_pass_over_all_processes(
    database: Database, processes: list[RateLimit], key: Credential
) -> None:
    first = await passes(processes[0], key)
    answers = await asyncio.gather(*(passes(processes[number % 3], key) for number in range(3 * LIMIT)))
    assert first + sum(answers) == LIMIT


async def test_one_process_alone_gets_them_all(database: Database, processes: list[RateLimit], key: Credential) -> None:
    first = await passes(processes[0], key)
    answers = [await passes(processes[0], key) for _ in range(LIMIT + 5)]
    assert answers == [True] * (LIMIT - first) + [False] * 6


async def test_a_new_window_lets_through_again(database: Database, processes: list[RateLimit], key: Credential) -> None:
    await passes(processes[0], key)
    while await passes(processes[0], key):
        pass
    await age_window(database, key, processes, HOUR)
    assert await passes(processes[0], key)
    assert await passes(processes[1], key)


async def test_keys_do_not_share(database: Database, processes: list[RateLimit], key: Credential) -> None:
    await passes(processes[0], key)
    while await passes(processes[0], key):
        pass
    assert await passes(processes[0], await credential(database))


async def test_without_a_limit_nothing_is_asked(database: Database, key: Credential) -> None:
    unlimited = RateLimit(database, None)
    for _ in range(100):
        await unlimited.check(key)
    async with database.reading() as tx:
        cursor = await tx.connection.execute("SELECT count(*) FROM api_rates")
        assert await cursor.fetchone() == (0,)
