"""How the accounts chapter is built in."""

from __future__ import annotations

from contextlib import AsyncExitStack

from starlette.routing import BaseRoute

from bpn.api.route import Route, collect
from bpn.banking.supported_accounts import supported_accounts
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.jobs import BankJobs, MailJobs
from bpn.chapters.accounts.pages import AccountPages
from bpn.chapters.accounts.routes import AccountRoutes
from bpn.jobs.job import Job, Transaction, collect_jobs
from bpn.kernel.assets import fiat_assets
from bpn.kernel.money import Money
from bpn.merchants import operations as merchants
from bpn.wiring.bank import SANDBOX_MONEY, Bank
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House
from bpn.wiring.screening import screening_reader

_FIRST_BOOKING = 1_000
"""Below it are the bookings of the chains' funds."""


def account_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(AccountRoutes(house.account_terms))


def account_pages(house: House) -> list[BaseRoute]:
    """Codes as pictures."""
    return AccountPages(house.account_terms, house.database.reading).routes()


def account_work(house: House, closing: AsyncExitStack) -> Work:
    """What speaks to the bank and to the mail server, where there are any."""
    found: list[Job] = []
    if house.mailer is not None:
        mail_jobs = MailJobs(house.database.transaction, house.account_terms, house.mailer)
        found += collect_jobs(mail_jobs, "accounts")
    if house.bank is not None:
        found += collect_jobs(_bank_jobs(house, house.bank, closing), "accounts")
    return Work(found)


def _bank_jobs(house: House, bank: Bank, closing: AsyncExitStack) -> BankJobs:
    return BankJobs(
        house.database.transaction,
        house.account_terms,
        bank.reader,
        bank.sender,
        bank.issuer,
        screening_reader(house.settings, closing),
        _merchant_names,
    )


async def _merchant_names(tx: Transaction) -> dict[int, str]:
    return {merchant.merchant_id: merchant.name for merchant in await merchants.list_merchants(tx)}


async def book_sandbox_money(house: House) -> None:
    """Note in the ledger what the sandbox's bank holds for the house from the start, once."""
    offered = dict.fromkeys(one.currency for one in supported_accounts())
    levers = house.bank.levers if house.bank is not None else None
    for place, asset in enumerate(fiat_assets()):
        if levers is None or asset.currency not in offered:
            continue
        async with house.database.transaction() as tx:
            if not await accounts.house_money_booked(tx, asset):
                await accounts.book_house_money(tx, _FIRST_BOOKING + place, Money.parse(str(SANDBOX_MONEY), asset))
