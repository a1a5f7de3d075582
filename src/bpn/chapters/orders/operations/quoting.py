"""Quotes: a price that holds for a while. Nothing is reserved and nothing moves."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bpn.chapters.fx import operations as fx
from bpn.chapters.orders.errors import ExposureExceeded
from bpn.chapters.orders.model import OrderTerms, Quote, QuoteCommand
from bpn.chapters.orders.operations.market import MarketReading, read_market
from bpn.chapters.orders.rules import quoting as rules
from bpn.chapters.orders.store import quotes as store
from bpn.chapters.wallet import operations as wallet
from bpn.controls.model import FeeTerms, Operation
from bpn.controls.rules import ControlsView
from bpn.database.pool import Transaction
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, Refusal
from bpn.kernel.money import Money

_KEPT_AFTER_THE_END = timedelta(days=7)
_FORGOTTEN_AT_ONCE = 5_000


async def get_stablecoin_quote(
    terms: OrderTerms, tx: Transaction, commands: Sequence[QuoteCommand]
) -> list[Quote | Refusal]:
    """Quotes for many, each given or refused on its own.

    Refusals: WalletNotFound, ServicePaused, RateUnavailable, LiquidityUnavailable, AmountTooSmall, ExposureExceeded.
    """
    if not commands:
        return []
    merchant_ids = sorted({command.merchant_id for command in commands})
    reading = await read_market(terms, tx, merchant_ids, to_fill=False)
    view = await terms.controls.view(tx)
    missing = await _missing_wallets(tx, commands)
    results: list[Quote | Refusal] = []
    for place, command in enumerate(commands):
        try:
            if place in missing:
                raise missing[place]
            results.append(make_quote(terms, tx, reading, view, command))
        except Refusal as refusal:
            results.append(refusal)
    made = [result for result in results if isinstance(result, Quote)]
    if made:
        results = await _within_exposure(terms, tx, results)
        made = [result for result in results if isinstance(result, Quote)]
    if made:
        await store.insert(tx, made)
    return results


async def get_stablecoin_quote_by_query(
    terms: OrderTerms, tx: Transaction, commands: Sequence[QuoteCommand]
) -> list[Quote | Refusal]:
    """As `get_stablecoin_quote`, out of a reading that opens no transaction of its own."""
    async with tx.connection.transaction():
        return await get_stablecoin_quote(terms, tx, commands)


def make_quote(
    terms: OrderTerms, tx: Transaction, reading: MarketReading, view: ControlsView, command: QuoteCommand
) -> Quote:
    """A quote at the market as read. Raises as `get_stablecoin_quote` refuses."""
    for asset in (command.source, command.target):
        view.require_running(command.merchant_id, Operation.ORDER, asset)
    paid, received, fee, route = rules.make_route(reading.market, command, fee_of(terms, view, command.merchant_id))
    return Quote(
        merchant_id=command.merchant_id,
        quote_id=f"{to_milliseconds(tx.now):012x}{secrets.token_hex(10)}",
        side=command.side,
        paid=paid,
        received=received,
        fee=fee,
        price=fx.shown(rules.price(command.side, paid, received, fee)),
        mid=fx.shown(reading.market.mid(command.source, command.target)),
        route=route,
        wallet_id=command.wallet_id,
        exposure_cents=rules.usd_cents(paid, reading.usd(paid.asset.currency)),
        created_at=tx.now,
        expires_at=tx.now + terms.quote_lifetime,
    )


def fee_of(terms: OrderTerms, view: ControlsView, merchant_id: int) -> Callable[[Money], Money]:
    """What an order on an amount costs a merchant, in the amount's asset."""
    default = FeeTerms(bps=terms.fee_bps)
    return lambda amount: view.fee(merchant_id, Operation.ORDER, amount, default)


async def _missing_wallets(tx: Transaction, commands: Sequence[QuoteCommand]) -> dict[int, Refusal]:
    asked = [(place, command) for place, command in enumerate(commands) if command.wallet_id is not None]
    if not asked:
        return {}
    found = await wallet.require_wallets(tx, [(command.merchant_id, command.wallet_id) for _, command in asked])
    return {place: known for (place, _), known in zip(asked, found, strict=True) if isinstance(known, Refusal)}


async def _within_exposure(
    terms: OrderTerms, tx: Transaction, results: Sequence[Quote | Refusal]
) -> list[Quote | Refusal]:
    """The quotes that the merchants' limits of open quotes leave, in order; those are counted."""
    made = [result for result in results if isinstance(result, Quote)]
    ends_at = bucket_of(made[0].expires_at)
    open_cents = defaultdict(
        int, await store.lock_exposures(tx, sorted({quote.merchant_id for quote in made}), ends_at)
    )
    limit = int(terms.exposure_limit_usd * 100)
    added: dict[tuple[int, datetime], int] = defaultdict(int)
    kept: list[Quote | Refusal] = []
    for result in results:
        if isinstance(result, Quote):
            if open_cents[result.merchant_id] + result.exposure_cents > limit:
                used = Decimal(open_cents[result.merchant_id]).scaleb(-2)
                kept.append(
                    ExposureExceeded(
                        f"Open quotes may come to {terms.exposure_limit_usd} USD together; {used} are open. Use them,"
                        " or wait until they expire.",
                        [FieldError("amount", "is more than open quotes leave")],
                    )
                )
                continue
            open_cents[result.merchant_id] += result.exposure_cents
            added[result.merchant_id, ends_at] += result.exposure_cents
        kept.append(result)
    if added:
        await store.add_exposures(tx, added)
    return kept


def bucket_of(expires_at: datetime) -> datetime:
    """The minute by whose end a quote is not open any more."""
    return expires_at.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def use_quotes(tx: Transaction, used: Sequence[tuple[Quote, int]]) -> None:
    """Note the orders that were made of quotes; the quotes are not open any more. The caller holds their rows."""
    await store.mark_used(tx, used)
    closed: dict[tuple[int, datetime], int] = defaultdict(int)
    for quote, _ in used:
        closed[quote.merchant_id, bucket_of(quote.expires_at)] -= quote.exposure_cents
    await store.add_exposures(tx, closed)


async def forget_old_quotes(tx: Transaction) -> bool:
    """Delete quotes that ended long ago, some at a time; true when there may be more."""
    return await store.delete_old(tx, tx.now - _KEPT_AFTER_THE_END, _FORGOTTEN_AT_ONCE) == _FORGOTTEN_AT_ONCE
