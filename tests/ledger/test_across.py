"""Movements between books: every book sums to zero by itself."""

from __future__ import annotations

import pytest

from bpn.database.pool import Database
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Account, Policy
from conftest import USDT

ONE, OTHER = 101, 102


def account(book: int, name: str = "purse") -> Account:
    return Account(book, name, USDT, Policy.ANY)


@pytest.mark.parametrize(
    ("source", "target", "transfers"),
    [(ONE, ONE, 1), (ONE, HOUSE, 2), (HOUSE, ONE, 2), (ONE, OTHER, 3)],
)
async def test_the_amount_arrives_and_every_book_sums_to_zero(
    database: Database, source: int, target: int, transfers: int
) -> None:
    debit, credit = account(source, "from"), account(target, "to")
    async with database.transaction() as tx:
        chain = ledger.across(tx, debit, credit, Money(7, USDT), "test", 1)
        assert len(chain) == transfers
        await ledger.post_one(tx, *chain)
    async with database.transaction() as tx:
        given, taken = await ledger.balances(tx, [debit, credit])
        cursor = await tx.connection.execute("SELECT sum(posted) FROM ledger_accounts GROUP BY merchant_id")
        sums = await cursor.fetchall()
    assert (given.posted, taken.posted) == (-7, 7)
    assert {int(total) for (total,) in sums} == {0}
