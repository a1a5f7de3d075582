"""The desk and the pools: funding them, their spreads, limits and terms."""

from __future__ import annotations

from typing import Annotated

import typer

from bpn.chapters.fx import operations as fx
from bpn.chapters.fx.model import Spread
from bpn.chapters.orders import operations as orders
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import say
from bpn.cli.rates import decimal_of
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.controls import operations as controls
from bpn.controls.model import Limit, Operation, Scope
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import InvalidAmountError, Money
from bpn.wiring.house import House

desk_commands = typer.Typer(help="What the desk holds, its spreads and its limits.", no_args_is_help=True)
pool_commands = typer.Typer(help="Open, fund, empty and close pools.", no_args_is_help=True)
AssetName = Annotated[str, typer.Argument(help="As in the ledger: BRL, USDC@BSC.", metavar="ASSET")]
Amount = Annotated[str, typer.Argument(help="Whole units, a decimal.")]
Merchant = Annotated[int, typer.Option(help="Of one merchant; of all when absent.")]
PoolId = Annotated[int, typer.Argument(help="The pool's id.")]
Provider = Annotated[int, typer.Option(help="The merchant whose money it is; the house's capital when absent.")]
Lift = Annotated[bool, typer.Option("--withdraw", help="Take it back instead.")]


@desk_commands.command("list")
def list_desk(as_json: Json = False, data: Data = None) -> None:
    """The inventory of every asset, and what of the house's capital is free."""
    rows = [
        {"asset": one.held.asset.code, "desk": str(one.held), "free capital": str(one.free)}
        for one in in_transaction(data, lambda house, tx: orders.list_desk(house.order_terms, tx))
    ]
    show(rows, as_json=as_json)


@desk_commands.command("fund")
def fund_desk(
    asset: AssetName,
    amount: Amount,
    withdraw: Lift = False,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Give the desk an amount of the house's capital, or take it back."""
    decision = decision_of(actor, reason, approved=not withdraw)

    async def work(house: House, tx: Transaction) -> Money:
        return await orders.fund_desk(tx, _money(house, asset, amount), decision)

    held = in_transaction(data, work)
    say(f"The desk has {held} {held.asset.code}.")


@desk_commands.command("spread")
def set_spread(
    base: Annotated[str, typer.Argument(help="One currency of the pair.")],
    quote: Annotated[str, typer.Argument(help="The other.")],
    bps: Annotated[int, typer.Argument(help="Basis points from the rate to either side.")],
    merchant: Merchant = 0,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Set the spread of a pair, for all or for one merchant."""
    decision, spread = decision_of(actor, reason), Spread(merchant, base.upper(), quote.upper(), bps)
    in_transaction(data, lambda house, tx: fx.set_spread(house.fx_terms, tx, spread, decision))
    say(f"{spread.base}/{spread.quote}: {bps} bps.")


@desk_commands.command("spreads")
def list_spreads(as_json: Json = False, data: Data = None) -> None:
    """Every spread that is set."""
    rows = [
        {"merchant": str(one.merchant_id or "all"), "pair": f"{one.base}/{one.quote}", "bps": str(one.bps)}
        for one in in_transaction(data, lambda _, tx: fx.list_spreads(tx))
    ]
    show(rows, as_json=as_json, nothing="No spread is set.")


@desk_commands.command("limit")
def set_limit(
    currency: Annotated[str, typer.Argument(help="What is paid: BRL, USDC.")],
    per_order: Annotated[str | None, typer.Option(help="The most that one order may pay, whole units.")] = None,
    per_day: Annotated[str | None, typer.Option(help="The most of a UTC day.")] = None,
    merchant: Merchant = 0,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Limit orders; without either option the limit is taken back."""
    decision = decision_of(actor, reason)
    largest = None if per_order is None else decimal_of(per_order, "per-order")
    daily = None if per_day is None else decimal_of(per_day, "per-day")
    limit = None if largest is None and daily is None else Limit(largest, daily)
    scope = Scope(merchant, currency.upper())
    in_transaction(data, lambda _, tx: controls.set_limit(tx, decision, Operation.ORDER, limit, scope=scope))
    say(f"{scope}: {'no limit' if limit is None else 'limited'}.")


@pool_commands.command("list")
def list_pools(as_json: Json = False, data: Data = None) -> None:
    """Every pool with its balances, its price and its shares."""
    rows = [
        {
            "id": str(pool.state.pool_id),
            "assets": f"{pool.state.assets[0].code}/{pool.state.assets[1].code}",
            "balances": " / ".join(
                str(Money(minor, asset))
                for minor, asset in zip(pool.state.reserves.balances, pool.state.assets, strict=True)
            ),
            "price": "" if pool.price is None else format(fx.shown(pool.price), "f"),
            "amplification": str(pool.state.reserves.amplification),
            "fee bps": str(pool.state.reserves.fee_bps),
            "shares": str(pool.supply),
            "state": "open" if pool.state.is_open else "closed",
        }
        for pool in in_transaction(data, lambda house, tx: orders.list_pools(house.order_terms, tx))
    ]
    show(rows, as_json=as_json, nothing="There is no pool.")


@pool_commands.command("open")
def open_pool(
    first: AssetName,
    second: AssetName,
    amplification: Annotated[int, typer.Option(help="How flat the price is near one.")] = 200,
    fee: Annotated[int, typer.Option(help="Of what a swap gives, basis points.")] = 4,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Open an empty pool of two assets of equal worth."""
    decision = decision_of(actor, reason)

    async def work(house: House, tx: Transaction) -> int:
        pair = (_asset(house, first), _asset(house, second))
        return (await orders.open_pool(tx, pair, amplification, fee, decision)).pool_id

    say(f"Pool {in_transaction(data, work)} is open and empty.")


@pool_commands.command("fund")
def fund_pool(
    pool_id: PoolId,
    first: Amount,
    second: Amount,
    provider: Provider = 0,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Put amounts of both assets into a pool, for shares."""
    decision = decision_of(actor, reason)

    async def work(house: House, tx: Transaction) -> Money:
        pools = {pool.state.pool_id: pool.state for pool in await orders.list_pools(house.order_terms, tx)}
        pair = orders.require_pool(pools, pool_id).assets
        amounts = (_parse(first, pair[0]), _parse(second, pair[1]))
        return await orders.fund_pool(house.order_terms, tx, pool_id, amounts, provider, decision)

    say(f"{in_transaction(data, work)} shares.")


@pool_commands.command("withdraw")
def withdraw_pool(
    pool_id: PoolId, provider: Provider = 0, actor: Actor = None, reason: Why = None, data: Data = None
) -> None:
    """Give a provider all of its part back."""
    decision = decision_of(actor, reason)
    out = in_transaction(
        data, lambda house, tx: orders.withdraw_pool(house.order_terms, tx, pool_id, None, provider, decision)
    )
    say(" and ".join(f"{amount} {amount.asset.code}" for amount in out))


@pool_commands.command("close")
def close_pool(
    pool_id: PoolId,
    reopen: Annotated[bool, typer.Option("--reopen", help="Open it again instead.")] = False,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Swap no more through a pool; its providers may still take their part out."""
    decision = decision_of(actor, reason, approved=not reopen)
    pool = in_transaction(data, lambda house, tx: orders.close_pool(house.order_terms, tx, pool_id, decision))
    say(f"Pool {pool_id} is {'open' if pool.is_open else 'closed'}.")


def _asset(house: House, code: str) -> Asset:
    try:
        return house.order_terms.assets.by_code(code.upper())
    except KeyError:
        raise InvalidRequest.of(
            "asset", f"is none of {', '.join(one.code for one in house.order_terms.assets)}"
        ) from None


def _money(house: House, code: str, amount: str) -> Money:
    return _parse(amount, _asset(house, code))


def _parse(amount: str, asset: Asset) -> Money:
    try:
        return Money.parse(amount, asset)
    except InvalidAmountError as error:
        raise InvalidRequest.of("amount", str(error)) from None
