"""Reading the market: fresh rates, the desk's inventory, the pools' balances."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from bpn.chapters.fx import operations as fx
from bpn.chapters.fx.operations import Prices
from bpn.chapters.orders.model import OrderTerms, PoolState
from bpn.chapters.orders.rules.accounts import desk_account, pool_account
from bpn.chapters.orders.rules.market import Market, Pricing
from bpn.chapters.orders.store import pools as pool_store
from bpn.database.pool import Transaction
from bpn.ledger import operations as ledger


@dataclass(frozen=True, slots=True)
class MarketReading:
    """The market as of one moment, with the prices that it is made of."""

    market: Market
    prices: Prices

    def usd(self, currency: str) -> Fraction:
        """What one unit of a currency is in USD; raises RateUnavailable."""
        return Fraction(1) if currency == "USD" else self.prices.rate(currency, "USD").value


async def read_market(
    terms: OrderTerms, tx: Transaction, merchant_ids: Collection[int], *, to_fill: bool
) -> MarketReading:
    """The market for these merchants.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_ids: whose spreads.
        to_fill: hold the pools until the transaction ends, so that what is decided by their balances stays true.
    """
    prices = await fx.read_prices(terms.fx, tx, merchant_ids)
    pools = [pool for pool, _ in await pool_store.find_all(tx, terms.assets) if pool.is_open]
    if to_fill and pools:
        await pool_store.lock(tx, [pool.pool_id for pool in pools])
    assets = list(terms.assets)
    accounts = [desk_account(asset) for asset in assets]
    accounts += [pool_account(pool.pool_id, asset) for pool in pools for asset in pool.assets]
    balances = [balance.available for balance in await ledger.balances(tx, accounts)]
    inventory = dict(zip(assets, balances, strict=False))
    filled = [
        with_balances(pool, balances[len(assets) + 2 * place], balances[len(assets) + 2 * place + 1])
        for place, pool in enumerate(pools)
    ]
    pricing = Pricing(lambda base, quote: prices.rate(base, quote).value, prices.spread_bps)
    return MarketReading(Market(pricing, inventory, filled, terms.guard_bps), prices)


def with_balances(pool: PoolState, first: int, second: int) -> PoolState:
    """A pool with what its accounts hold."""
    return replace(pool, reserves=replace(pool.reserves, balances=(first, second)))


async def read_pools(terms: OrderTerms, tx: Transaction) -> list[tuple[PoolState, datetime]]:
    """Every pool with its balances, oldest first."""
    found = await pool_store.find_all(tx, terms.assets)
    balances = await ledger.balances(
        tx, [pool_account(pool.pool_id, asset) for pool, _ in found for asset in pool.assets]
    )
    return [
        (with_balances(pool, balances[2 * place].posted, balances[2 * place + 1].posted), created_at)
        for place, (pool, created_at) in enumerate(found)
    ]
