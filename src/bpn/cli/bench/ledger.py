"""Ledger batches, without HTTP."""

from __future__ import annotations

import asyncio
import time
from itertools import count, islice

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.installation import open_installation
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Chain, Policy, Transfer
from bpn.wiring.house import House

_BATCH = 512
_WRITERS = 2
_MERCHANTS = 10
_ACCOUNTS_PER_MERCHANT = 100
_ASSET = Asset("BENCH", None, 2)


async def measure(course: Course) -> list[Figure]:
    """Spread over many accounts, and all from one."""
    async with open_installation(course.sandbox.settings) as house:
        async with house.database.transaction() as tx:
            await ledger.register_assets(tx, Assets([_ASSET]))
        spread = await _ledger_batches(house, course.seconds, hot=False)
        hot = await _ledger_batches(house, course.seconds, hot=True)
    return [
        Figure(f"ledger, batches of {_BATCH}, 1,000 accounts over 10 merchants", spread, 4.0),
        Figure(
            f"ledger, batches of {_BATCH}, all from one hot account", hot, 2.4, f"{hot / spread:.2f} of the line above"
        ),
    ]


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
