"""How the orders chapter is built in, and what the sandbox's desk and pools begin with."""

from __future__ import annotations

from itertools import combinations

from bpn.api.route import Route, collect
from bpn.audit.model import Decision
from bpn.chapters.orders import operations as orders
from bpn.chapters.orders.jobs import OrderJobs
from bpn.chapters.orders.routes import OrderRoutes
from bpn.jobs.job import collect_jobs
from bpn.kernel.assets import Asset, find_fiat
from bpn.kernel.money import Money
from bpn.wiring.chapters.work import Work
from bpn.wiring.house import House

SANDBOX_INVENTORY = 3_000_000
SANDBOX_POOL = 1_000_000
"""Whole units of each asset that the sandbox's desk and pools begin with, out of the house's capital."""
_AMPLIFICATION = 200
_POOL_FEE_BPS = 4
_PEGGED = ("USDT", "USDC")
_SANDBOX = Decision(approved=True, actor="sandbox", reason="what a sandbox begins with")


def order_routes(house: House) -> list[Route]:
    """The chapter over HTTP."""
    return collect(OrderRoutes(house.order_terms))


def order_work(house: House) -> Work:
    """Funds, payouts and quotes of orders."""
    jobs = OrderJobs(house.database.transaction, house.order_terms)
    return Work(collect_jobs(jobs, "orders"), [jobs.listener()])


async def stock_sandbox(house: House) -> None:
    """Give the sandbox's desk and pools what they begin with, once: it lies in hot wallets and at the bank already.

    What the house has no capital of, such as tokens on a node of somebody's own, is left out.
    """
    if not house.settings.sandbox:
        return
    terms = house.order_terms
    async with house.database.transaction() as tx:
        for holding in await orders.list_desk(terms, tx):
            inventory = Money.parse(str(SANDBOX_INVENTORY), holding.held.asset)
            if holding.held.minor == 0 and holding.free >= inventory:
                await orders.fund_desk(tx, inventory, _SANDBOX)
    async with house.database.transaction() as tx:
        if await orders.list_pools(terms, tx):
            return
        stocked = [holding.held.asset for holding in await orders.list_desk(terms, tx) if holding.held.minor > 0]
        for pair in _pairs(stocked):
            amounts = (Money.parse(str(SANDBOX_POOL), pair[0]), Money.parse(str(SANDBOX_POOL), pair[1]))
            pool = await orders.open_pool(tx, pair, _AMPLIFICATION, _POOL_FEE_BPS, _SANDBOX)
            await orders.fund_pool(terms, tx, pool.pool_id, amounts, 0, _SANDBOX)


def _pairs(assets: list[Asset]) -> list[tuple[Asset, Asset]]:
    """Both stablecoins of the dollar on each network, one of them on two networks, and one against the dollar."""
    pegged = [asset for asset in assets if asset.currency in _PEGGED]
    pairs = [pair for pair in combinations(pegged, 2) if pair[0].network == pair[1].network]
    across = [asset for asset in pegged if asset.currency == "USDC"]
    pairs += list(combinations(across, 2))[:1]
    dollar = find_fiat("USD")
    if across and dollar in assets:
        pairs.append((across[0], dollar))
    return pairs
