"""Facts reach each listener once: with two relays, a listener that fails on one fact, a crash before the commit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from bpn.database.pool import Database, Transaction
from bpn.jobs.job import Job, Listener
from bpn.jobs.relay import Relay
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement, Fact


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened."""

    name: ClassVar[str] = "test.happened"
    number: int


async def record(database: Database, numbers: Sequence[int], subject: int | None = None) -> None:
    async with database.transaction() as tx:
        await outbox.record(tx, [Announcement(1, subject or number, Happened(number)) for number in numbers])


class Ear:
    """Writes what it hears in the relay's transaction, as a listener does."""

    def __init__(self, *, fails_on: int | None = None) -> None:
        self.fails_on = fails_on

    async def hear(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        for fact in facts:
            content = outbox.read(fact, Happened)
            if content.number == self.fails_on:
                raise RuntimeError("cannot hear this")
            await tx.connection.execute(
                "INSERT INTO directory (kind, value, merchant_id) VALUES ('heard', %s, 1)", (f"{content.number}",)
            )


async def heard(database: Database) -> Counter[str]:
    async with database.reading() as tx:
        cursor = await tx.connection.execute("SELECT value FROM directory WHERE kind = 'heard'")
        return Counter(value for (value,) in await cursor.fetchall())


def relay(database: Database, ear: Ear, nudged: list[str] | None = None) -> Relay:
    job = Job("wakes", _nothing, 1, frozenset({Happened.name}))
    listener = Listener(frozenset({Happened.name}), ear.hear)
    return Relay(database.transaction, [listener], [job], (nudged if nudged is not None else []).append)


async def _nothing() -> bool:
    return False


async def test_two_relays_hand_each_fact_on_once(database: Database) -> None:
    await asyncio.gather(*(record(database, range(100 * n, 100 * n + 100)) for n in range(8)))
    nudged: list[str] = []
    ear = Ear()

    async def run() -> None:
        while await relay(database, ear, nudged).run():
            pass

    await asyncio.gather(run(), run(), run())
    await run()
    found = await heard(database)
    assert len(found) == 800
    assert set(found.values()) == {1}
    assert set(nudged) == {"wakes"}
    async with database.reading() as tx:
        assert await outbox.oldest_unrelayed(tx) is None


async def test_a_fact_that_a_listener_fails_on_holds_up_no_other(database: Database) -> None:
    await record(database, range(1, 11))
    ear = Ear(fails_on=5)
    while await relay(database, ear).run():
        pass
    assert sorted(map(int, await heard(database))) == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    async with database.reading() as tx:
        assert await outbox.oldest_unrelayed(tx) is not None
    ear.fails_on = None
    async with database.transaction() as tx:
        await tx.connection.execute("UPDATE outbox_facts SET due_at = now() - interval '1 second' WHERE NOT relayed")
    await relay(database, ear).run()
    assert len(await heard(database)) == 10


async def test_a_fact_of_a_transaction_that_rolls_back_was_never_told(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await outbox.record(tx, [Announcement(1, 1, Happened(1))])
            raise RuntimeError("the change did not happen")
    await relay(database, Ear()).run()
    assert await heard(database) == Counter()


async def test_timestamps_of_one_subject_strictly_increase(database: Database) -> None:
    for n in range(20):
        await record(database, [n], subject=7)
    async with database.transaction() as tx:
        facts = await outbox.claim(tx, 100)
    stamps = [fact.timestamp for fact in sorted(facts, key=lambda fact: fact.fact_id)]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == 20


async def test_only_what_was_relayed_long_ago_is_forgotten(database: Database) -> None:
    await record(database, [1, 2, 3])
    await relay(database, Ear()).run()
    await record(database, [4])
    async with database.transaction() as tx:
        # Their ids tell their age: these two are of the year 2001.
        await tx.connection.execute(
            "UPDATE outbox_facts SET fact_id = 98000000000000000 + fact_id % 1000000000 WHERE subject_id IN (1, 4)"
        )
        await outbox.record(tx, [Announcement(7, 5, Happened(5))])
    async with database.transaction() as tx:
        assert await outbox.forget_relayed(tx, timedelta(days=30), 1000) == 1
        cursor = await tx.connection.execute("SELECT subject_id FROM outbox_facts ORDER BY subject_id")
        assert [subject for (subject,) in await cursor.fetchall()] == [2, 3, 4, 5]
        assert await outbox.forget_relayed(tx, timedelta(days=-1), 1) == 1, "so many of each merchant"
