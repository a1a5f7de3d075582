"""Pools as their operator sees them: opening, funding, giving back, closing. Shares stand in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.orders.errors import AmountTooSmall, InsufficientBalance, PoolNotFound
from bpn.chapters.orders.model import OrderTerms, Pool, PoolState
from bpn.chapters.orders.model.reserves import Reserves
from bpn.chapters.orders.operations.desk import move_capital
from bpn.chapters.orders.operations.market import read_pools
from bpn.chapters.orders.rules import stableswap
from bpn.chapters.orders.rules.accounts import (
    capital_account,
    pool_account,
    provider_account,
    share_asset,
    supply_account,
)
from bpn.chapters.orders.store import pools as store
from bpn.chapters.wallet import operations as wallet
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset, Assets
from bpn.kernel.errors import InvalidRequest, InvalidState
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Account, Transfer

_LARGEST_AMPLIFICATION = 1_000_000
_HIGHEST_FEE_BPS = 1_000


async def open_pool(
    tx: Transaction, assets: tuple[Asset, Asset], amplification: int, fee_bps: int, decision: Decision
) -> PoolState:
    """Open an empty pool of two assets of equal worth.

    Raises:
        InvalidRequest: the assets are the same, or a term is out of range.
    """
    if assets[0] == assets[1]:
        raise InvalidRequest.of("assets", "must be two")
    if not 1 <= amplification <= _LARGEST_AMPLIFICATION:
        raise InvalidRequest.of("amplification", f"must be 1 to {_LARGEST_AMPLIFICATION}")
    if not 0 <= fee_bps <= _HIGHEST_FEE_BPS:
        raise InvalidRequest.of("fee", f"must be 0 to {_HIGHEST_FEE_BPS} bps")
    reserves = Reserves((0, 0), (assets[0].scale, assets[1].scale), amplification, fee_bps)
    pool = PoolState(tx.ids.next(), assets, reserves)
    await ledger.register_assets(tx, Assets([share_asset(pool.pool_id)]))
    await store.insert(tx, pool, tx.now)
    await _audit(tx, decision, "pool.open", pool, "", f"{_name(pool)}, A {amplification}, {fee_bps} bps")
    return pool


async def list_pools(terms: OrderTerms, tx: Transaction) -> list[Pool]:
    """Every pool with its balances, shares and price, oldest first."""
    found = await read_pools(terms, tx)
    supplies = await ledger.balances(tx, [supply_account(pool.pool_id) for pool, _ in found])
    return [
        Pool(pool, -supply.posted, stableswap.price(pool.reserves, 0), created_at)
        for (pool, created_at), supply in zip(found, supplies, strict=True)
    ]


async def fund_pool(
    terms: OrderTerms, tx: Transaction, pool_id: int, amounts: tuple[Money, Money], provider: int, decision: Decision
) -> Money:
    """Put amounts into a pool; the shares that the provider gets for them.

    A merchant's money comes from its primary wallet and its master account, the house's (provider 0) from its capital.

    Raises:
        PoolNotFound: no such pool.
        InvalidState: it is closed.
        InsufficientBalance: the provider has less.
        AmountTooSmall: the amounts come to no share; a new pool needs both assets.
    """
    pool, supply = await _lock(terms, tx, pool_id)
    if not pool.is_open:
        raise InvalidState("The pool is closed.")
    added = (amounts[0].minor, amounts[1].minor)
    shares = stableswap.shares_for(pool.reserves, supply, added)
    if shares <= 0:
        raise AmountTooSmall("The amounts come to no share of the pool.")
    for amount in amounts:
        if amount.minor:
            await _bring(tx, provider, pool_account(pool_id, amount.asset), amount)
    minted = Money(shares, share_asset(pool_id))
    await ledger.post_one(
        tx,
        Transfer(
            tx.ids.next(),
            supply_account(pool_id),
            provider_account(pool_id, provider),
            minted,
            "orders.shares",
            pool_id,
        ),
    )
    await _audit(
        tx, decision, "pool.fund", pool, f"{supply} shares", f"{supply + shares} shares of provider {provider}"
    )
    return minted


async def withdraw_pool(
    terms: OrderTerms, tx: Transaction, pool_id: int, shares: Money | None, provider: int, decision: Decision
) -> tuple[Money, Money]:
    """Give a provider its part for shares, all that it has when None; what it got.

    Raises:
        PoolNotFound: no such pool.
        InsufficientBalance: the provider has fewer shares, or none.
    """
    pool, supply = await _lock(terms, tx, pool_id)
    held = provider_account(pool_id, provider)
    (owned,) = await ledger.balances(tx, [held])
    burnt = shares or Money(owned.posted, share_asset(pool_id))
    if not 0 < burnt.minor <= owned.posted:
        raise InsufficientBalance(f"Provider {provider} has {Money(owned.posted, share_asset(pool_id))} shares.")
    first, second = stableswap.amounts_for(pool.reserves, supply, burnt.minor)
    out = (Money(first, pool.assets[0]), Money(second, pool.assets[1]))
    await ledger.post_one(tx, Transfer(tx.ids.next(), held, supply_account(pool_id), burnt, "orders.shares", pool_id))
    for amount in out:
        if amount.minor:
            target = await _provider_funds(tx, provider, amount.asset)
            source = pool_account(pool_id, amount.asset)
            await ledger.post_one(tx, *ledger.across(tx, source, target, amount, "orders.pool_withdrawn", pool_id))
    await _audit(
        tx, decision, "pool.withdraw", pool, f"{supply} shares", f"{supply - burnt.minor} shares; provider {provider}"
    )
    return out


async def close_pool(terms: OrderTerms, tx: Transaction, pool_id: int, decision: Decision) -> PoolState:
    """Swap no more through a pool (not approved: open it again); providers may still take their part out.

    Raises:
        PoolNotFound: no such pool.
    """
    pool, _ = await _lock(terms, tx, pool_id)
    after = replace(pool, is_open=not decision.approved)
    await store.set_open(tx, pool_id, is_open=after.is_open)
    action = "pool.close" if decision.approved else "pool.reopen"
    await _audit(tx, decision, action, pool, _state(pool), _state(after))
    return after


def require_pool(pools: Mapping[int, PoolState], pool_id: int) -> PoolState:
    """A pool by its id; raises PoolNotFound."""
    if pool_id not in pools:
        raise PoolNotFound(f"There is no pool {pool_id}.")
    return pools[pool_id]


async def _lock(terms: OrderTerms, tx: Transaction, pool_id: int) -> tuple[PoolState, int]:
    """A pool, held, with its balances and how many shares are out."""
    await store.lock(tx, [pool_id])
    found: list[tuple[PoolState, datetime]] = await read_pools(terms, tx)
    pool = next((pool for pool, _ in found if pool.pool_id == pool_id), None)
    if pool is None:
        raise PoolNotFound(f"There is no pool {pool_id}.")
    (supply,) = await ledger.balances(tx, [supply_account(pool_id)])
    return pool, -supply.posted


async def _bring(tx: Transaction, provider: int, target: Account, amount: Money) -> None:
    if provider == HOUSE:
        await move_capital(tx, target, amount, "orders.pool_funded")
        return
    source = await _provider_funds(tx, provider, amount.asset)
    await ledger.post_one(tx, *ledger.across(tx, source, target, amount, "orders.pool_funded", 0))


async def _provider_funds(tx: Transaction, provider: int, asset: Asset) -> Account:
    """Where a provider keeps an asset."""
    if provider == HOUSE:
        return capital_account(asset)
    if asset.network is None:
        return accounts.master_ledger_account(await accounts.require_master(tx, provider, asset))
    (found,) = await wallet.require_wallets(tx, [(provider, None)])
    if isinstance(found, Exception):
        raise found
    return wallet.wallet_account(provider, found.wallet_id, asset)


def _name(pool: PoolState) -> str:
    return f"{pool.assets[0].code}/{pool.assets[1].code}"


def _state(pool: PoolState) -> str:
    return f"{_name(pool)} {'open' if pool.is_open else 'closed'}"


async def _audit(tx: Transaction, decision: Decision, action: str, pool: PoolState, before: str, after: str) -> None:
    await audit.record(
        tx, decision, merchant_id=HOUSE, action=action, subject_id=pool.pool_id, before=before, after=after
    )
