"""Many at once: sums stay exact, nobody waits for ever, a lock is never mistaken for a lack of money."""

from __future__ import annotations

import asyncio

from bpn.database.pool import Database
from bpn.ledger import operations as ledger
from bpn.ledger.model import Chain, Outcome, Resolution
from ledger_books import money_in, transfer, wallet


async def post(database: Database, *chain: object) -> Outcome:
    async with database.transaction() as tx:
        (outcome,) = await ledger.post(tx, [chain])  # type: ignore[list-item]
    return outcome


async def posted(database: Database, *numbers: int) -> list[int]:
    async with database.reading() as tx:
        return [balance.posted for balance in await ledger.balances(tx, [wallet(number) for number in numbers])]


async def test_200_parallel_transfers_into_one_wallet_sum_up(database: Database) -> None:
    for number in range(1, 11):
        await money_in(database, wallet(number), 1000)
    outcomes = await asyncio.gather(
        *(post(database, transfer(n, wallet(n % 10 + 1), wallet(99), 7)) for n in range(1, 201))
    )
    assert set(outcomes) == {Outcome.POSTED}
    assert await posted(database, 99) == [1400]


async def test_100_parallel_debits_that_all_fit_all_succeed(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    outcomes = await asyncio.gather(*(post(database, transfer(n, wallet(1), wallet(2), 1)) for n in range(1, 101)))
    assert outcomes == [Outcome.POSTED] * 100
    assert await posted(database, 1, 2) == [0, 100]


async def test_transfers_in_both_directions_never_deadlock(database: Database) -> None:
    await money_in(database, wallet(1), 1000)
    await money_in(database, wallet(2), 1000)

    async def batch(first: int, source: int, target: int) -> list[Outcome]:
        chains: list[Chain] = [(transfer(first + n, wallet(source), wallet(target), 1),) for n in range(10)]
        async with database.transaction() as tx:
            return await ledger.post(tx, chains)

    batches = [batch(1000 * n, *((1, 2) if n % 2 else (2, 1))) for n in range(1, 41)]
    assert {outcome for outcomes in await asyncio.gather(*batches) for outcome in outcomes} == {Outcome.POSTED}
    assert await posted(database, 1, 2) == [1000, 1000]


async def test_parallel_first_debits_of_a_new_account_do_not_overdraw(database: Database) -> None:
    async def credit_then_debit(n: int) -> Outcome:
        return await post(database, transfer(n, wallet(50), wallet(51), 1))

    assert set(await asyncio.gather(*(credit_then_debit(n) for n in range(1, 21)))) == {Outcome.INSUFFICIENT}
    assert await posted(database, 50, 51) == [0, 0]


async def test_a_hold_posted_and_voided_in_parallel_ends_once(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    for n in range(1, 11):
        await post(database, transfer(n, wallet(1), wallet(2), 10, pending=True))
        ends = [Resolution(1000 + 20 * n + k, 1, n, k % 2 == 0, "test", 0) for k in range(10)]
        outcomes = await asyncio.gather(*(post(database, end) for end in ends))
        assert outcomes.count(Outcome.POSTED) == 1
        assert outcomes.count(Outcome.ALREADY_RESOLVED) == 9
    async with database.reading() as tx:
        one, two = await ledger.balances(tx, [wallet(1), wallet(2)])
    assert one.pending == 0
    assert one.posted + two.posted == 100
