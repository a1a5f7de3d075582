"""A merchant's book for tests of the ledger: wallets, and where their money comes from."""

from __future__ import annotations

from itertools import count

from bpn.database.pool import Database
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Policy, Transfer
from conftest import USDT

CAPITAL = Account(1, "capital", USDT, Policy.ANY)
_ids = count(1_000_000)


def amount(minor: int) -> Money:
    return Money(minor, USDT)


def wallet(number: int, book: int = 1) -> Account:
    return Account(book, f"wallet/{number}", USDT, Policy.CREDIT_BALANCE)


def transfer(transfer_id: int, debit: Account, credit: Account, minor: int, *, pending: bool = False) -> Transfer:
    return Transfer(transfer_id, debit, credit, amount(minor), "test", 0, pending)


async def money_in(database: Database, account: Account, minor: int) -> None:
    """Put an amount into an account from the book's capital."""
    capital = Account(account.merchant_id, "capital", USDT, Policy.ANY)
    async with database.transaction() as tx:
        await ledger.post_one(tx, transfer(next(_ids), capital, account, minor))
