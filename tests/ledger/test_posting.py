"""Posting: what moves, what is held, what is refused, each chain on its own."""

from __future__ import annotations

import pytest

from bpn.database.pool import Database
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Balance, Outcome, Policy, Resolution, Transfer
from conftest import USDC, USDT
from ledger_books import CAPITAL, amount, money_in, transfer, wallet


async def balances(database: Database, *accounts: Account) -> list[Balance]:
    async with database.reading() as tx:
        return await ledger.balances(tx, accounts)


async def post(database: Database, *chains: tuple[Transfer | Resolution, ...]) -> list[Outcome]:
    async with database.transaction() as tx:
        return await ledger.post(tx, chains)


async def test_a_transfer_moves_an_amount(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    assert await post(database, (transfer(10, wallet(1), wallet(2), 30),)) == [Outcome.POSTED]
    assert await balances(database, wallet(1), wallet(2)) == [Balance(70, 0), Balance(30, 0)]


async def test_a_wallet_never_goes_below_zero_and_a_refusal_leaves_no_trace(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    outcomes = await post(
        database,
        (transfer(10, wallet(1), wallet(2), 60),),
        (transfer(11, wallet(1), wallet(2), 60),),
        (transfer(12, wallet(1), wallet(2), 40),),
    )
    assert outcomes == [Outcome.POSTED, Outcome.INSUFFICIENT, Outcome.POSTED]
    assert await balances(database, wallet(1), wallet(2)) == [Balance(0, 0), Balance(100, 0)]


async def test_a_chain_happens_whole_or_not_at_all(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    chain = (transfer(10, wallet(1), wallet(2), 60), transfer(11, wallet(1), wallet(3), 60))
    assert await post(database, chain) == [Outcome.INSUFFICIENT]
    assert await balances(database, wallet(1), wallet(2)) == [Balance(100, 0), Balance(0, 0)]


async def test_holds_count(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    assert await post(database, (transfer(10, wallet(1), wallet(2), 80, pending=True),)) == [Outcome.POSTED]
    assert await post(database, (transfer(11, wallet(1), wallet(2), 21),)) == [Outcome.INSUFFICIENT]
    (held,) = await balances(database, wallet(1))
    assert (held.posted, held.pending, held.available) == (100, 80, 20)


@pytest.mark.parametrize(("posts", "left"), [(True, Balance(20, 0)), (False, Balance(100, 0))])
async def test_a_hold_ends_once(database: Database, posts: bool, left: Balance) -> None:
    await money_in(database, wallet(1), 100)
    await post(database, (transfer(10, wallet(1), wallet(2), 80, pending=True),))
    end = Resolution(11, 1, 10, posts, "test", 0)
    other = Resolution(12, 1, 10, not posts, "test", 0)
    assert await post(database, (end,)) == [Outcome.POSTED]
    assert await post(database, (end,), (other,)) == [Outcome.REPEATED, Outcome.ALREADY_RESOLVED]
    assert await balances(database, wallet(1)) == [left]


async def test_the_same_id_does_nothing_again_and_other_content_is_refused(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    first = transfer(10, wallet(1), wallet(2), 30)
    assert await post(database, (first,), (first,)) == [Outcome.POSTED, Outcome.REPEATED]
    assert await post(database, (first,)) == [Outcome.REPEATED]
    assert await post(database, (transfer(10, wallet(1), wallet(2), 31),)) == [Outcome.ID_TAKEN]
    assert await balances(database, wallet(2)) == [Balance(30, 0)]


async def test_an_unknown_hold_is_named_so(database: Database) -> None:
    assert await post(database, (Resolution(1, 1, 999, True, "test", 0),)) == [Outcome.UNKNOWN_HOLD]


@pytest.mark.parametrize(
    "bad",
    [
        transfer(1, wallet(1), wallet(2), 0),
        transfer(1, wallet(1), wallet(2), -5),
        transfer(1, wallet(1), wallet(1), 5),
        Transfer(1, wallet(1), Account(1, "wallet/2", USDC, Policy.CREDIT_BALANCE), amount(5), "test", 0),
        Transfer(1, wallet(1), Account(2, "wallet/2", USDT, Policy.CREDIT_BALANCE), amount(5), "test", 0),
    ],
    ids=["zero", "negative", "to itself", "two assets", "two books"],
)
async def test_what_no_ledger_may_hold_is_a_fault_of_the_caller(database: Database, bad: Transfer) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of the sentences
        await post(database, (bad,))


async def test_balances_as_of_a_moment(database: Database) -> None:
    await money_in(database, wallet(1), 100)
    async with database.transaction() as tx:
        moment = tx.clock.now()
    await post(database, (transfer(10, wallet(1), wallet(2), 30),))
    async with database.reading() as tx:
        assert await ledger.balances(tx, [wallet(1), wallet(2)], at=moment) == [Balance(100, 0), Balance(0, 0)]
        assert await ledger.balances(tx, [wallet(1)]) == [Balance(70, 0)]


async def test_amounts_of_eighteen_decimals_are_exact(database: Database) -> None:
    large = 123_456_789_012_345_678_901_234_567_890_123_456
    await money_in(database, wallet(1), large)
    await post(database, (transfer(10, wallet(1), wallet(2), 1),))
    assert await balances(database, wallet(1), wallet(2), CAPITAL) == [
        Balance(large - 1, 0),
        Balance(1, 0),
        Balance(-large, 0),
    ]
