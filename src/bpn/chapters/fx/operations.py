"""What the fx chapter does: tell a rate, keep rates, set rates and spreads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.fx import rules, store
from bpn.chapters.fx.errors import RateNotFound
from bpn.chapters.fx.model import HUB, OPERATOR, FxQuote, FxTerms, Pair, Rate, Spread, StoredRate
from bpn.chapters.fx.rules import RateBook
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import InvalidAmountError, Money, exact_context, format_decimal
from bpn.ports.readers import QuotedRate

_FORGOTTEN_AT_ONCE = 5_000
_AMOUNT = Asset("this amount", None, 18)
_SHOWN = Decimal("1e-8")


async def get_fx_rate(terms: FxTerms, tx: Transaction, merchant_id: int, base: str, quote: str) -> FxQuote:
    """What one unit of `base` is in `quote`, and what a merchant gets and pays for it.

    Raises:
        UnsupportedCurrency: one of them has no rates here, or both are the same.
        RateUnavailable: no fresh rates lead from one to the other.
    """
    prices = await read_prices(terms, tx, [merchant_id])
    rate = prices.rate(base, quote)
    spread = prices.spread_bps(merchant_id, base, quote)
    return FxQuote(
        rules.shown(rate.value),
        rules.shown(1 / rate.value),
        rules.shown_bid(rules.bid(rate.value, spread)),
        rules.shown_ask(rules.ask(rate.value, spread)),
        spread,
        rate.source,
        rate.time,
    )


def value_at_bid(amount: str, quote: FxQuote) -> str:
    """An amount, a decimal in plain notation, at the bid: rounded down to 8 decimals.

    Raises:
        InvalidRequest: not a plain decimal of at most 18 decimals.
    """
    try:
        money = Money.parse(amount, _AMOUNT)
    except InvalidAmountError as error:
        raise InvalidRequest.of("amount", str(error)) from None
    with exact_context():
        return format_decimal((money.to_decimal() * quote.bid).quantize(_SHOWN, rounding=ROUND_FLOOR))


@dataclass(frozen=True, slots=True)
class Prices:
    """Fresh rates and the spreads of some merchants, as of one moment: for whoever prices many things at once."""

    terms: FxTerms
    book: RateBook
    spreads: Mapping[tuple[int, Pair], int]

    def rate(self, base: str, quote: str) -> Rate:
        """As `RateBook.rate`."""
        return self.book.rate(base, quote)

    def spread_bps(self, merchant_id: int, base: str, quote: str) -> int:
        """A merchant's spread on a pair, basis points to either side of the rate."""
        return rules.spread_of(self.terms, self.spreads, merchant_id, base, quote)


def shown(value: Fraction) -> Decimal:
    """A price as a decimal of 12 significant digits."""
    return rules.shown(value)


async def read_prices(terms: FxTerms, tx: Transaction, merchant_ids: Collection[int]) -> Prices:
    """All fresh rates, with the spreads of these merchants."""
    stored = await store.find_all(tx)
    spreads = await store.spreads(tx, sorted(merchant_ids))
    return Prices(terms, RateBook(terms, stored, tx.clock.wall()), rules.spread_index(spreads))


async def usd_prices(terms: FxTerms, tx: Transaction, currencies: Collection[str]) -> dict[str, Rate]:
    """What one unit of each currency is in USD; those without a fresh rate are absent."""
    book = RateBook(terms, await store.find_all(tx), tx.clock.wall())
    return {currency: rate for currency in currencies if (rate := rules.find_rate(book, currency, HUB)) is not None}


async def record_rates(terms: FxTerms, tx: Transaction, source: str, quoted: Sequence[QuotedRate]) -> list[StoredRate]:
    """Keep what a source says. A rate that jumps is held: its pair has no rate until it is accepted or comes back.

    Returns:
        The rates that are held now.
    """
    known = {(rate.base, rate.quote): rate for rate in await store.lock_source(tx, source)}
    kept: list[StoredRate] = []
    said: list[tuple[str, str, str, Decimal, datetime, bool]] = []
    for one in quoted:
        before = known.get((one.base, one.quote))
        if before is not None and one.time < before.time:
            continue
        jumps = before is not None and rules.is_jump(terms, before.rate, one.rate)
        if before is not None and jumps:
            kept.append(replace(before, held=one.rate))
        else:
            kept.append(StoredRate(one.base, one.quote, source, one.rate, one.time, None))
        if before is None or before.rate != one.rate:
            said.append((one.base, one.quote, source, one.rate, one.time, not jumps))
    if kept:
        await store.save(tx, kept)
    if said:
        await store.append_history(tx, said, tx.clock.wall())
    return [rate for rate in kept if rate.held is not None]


async def forget_old_rates(terms: FxTerms, tx: Transaction) -> bool:
    """Delete history that is older than it is kept for, some at a time; true when there may be more."""
    deleted = await store.delete_history(tx, tx.clock.wall() - terms.history_kept, _FORGOTTEN_AT_ONCE)
    return deleted == _FORGOTTEN_AT_ONCE


async def list_rates(tx: Transaction) -> list[StoredRate]:
    """Every rate kept, those held among them."""
    return sorted(await store.find_all(tx), key=lambda rate: (rate.base, rate.quote, rate.source))


async def accept_rate(tx: Transaction, base: str, quote: str, source: str, decision: Decision) -> StoredRate:
    """Believe a rate that is held.

    Raises:
        RateNotFound: none of this pair and source is held.
    """
    rates = await store.lock_source(tx, source)
    held = next((rate for rate in rates if (rate.base, rate.quote) == (base, quote)), None)
    if held is None or held.held is None:
        raise RateNotFound(f"No rate of {base}/{quote} by {source} is held.")
    accepted = replace(held, rate=held.held, time=tx.clock.wall(), held=None)
    await store.save(tx, [accepted])
    await store.append_history(tx, [(base, quote, source, accepted.rate, accepted.time, True)], tx.clock.wall())
    await _audit(tx, decision, "rate.accept", f"{base}/{quote} {held.rate}", f"{base}/{quote} {accepted.rate}")
    return accepted


async def set_rate(
    terms: FxTerms, tx: Transaction, base: str, quote: str, rate: Decimal, decision: Decision
) -> StoredRate:
    """Set a rate by hand: it goes before every source until it is unset.

    Raises:
        UnsupportedCurrency: one of the currencies has no rates here.
        InvalidRequest: the rate is not positive.
    """
    for currency in (base, quote):
        rules.check_currency(terms, currency)
    if not rate.is_finite() or rate <= 0 or base == quote:
        raise InvalidRequest.of("rate", "must be greater than zero, between two currencies")
    before = _find_pair(await store.lock_source(tx, OPERATOR), base, quote)
    if before is not None:
        await store.delete(tx, before.base, before.quote, OPERATOR)
    stored = StoredRate(base, quote, OPERATOR, rate, tx.clock.wall(), None)
    await store.save(tx, [stored])
    await store.append_history(tx, [(base, quote, OPERATOR, rate, stored.time, True)], tx.clock.wall())
    await _audit(tx, decision, "rate.set", _words(before), _words(stored))
    return stored


async def unset_rate(tx: Transaction, base: str, quote: str, decision: Decision) -> None:
    """Let the sources speak again.

    Raises:
        RateNotFound: no rate of this pair is set by hand.
    """
    before = _find_pair(await store.lock_source(tx, OPERATOR), base, quote)
    if before is None:
        raise RateNotFound(f"No rate of {base}/{quote} is set by hand.")
    await store.delete(tx, before.base, before.quote, OPERATOR)
    await _audit(tx, decision, "rate.unset", _words(before), _words(None))


async def set_spread(terms: FxTerms, tx: Transaction, spread: Spread, decision: Decision) -> Spread:
    """Set the spread of a merchant (0: of all) on a pair.

    Raises:
        UnsupportedCurrency: one of the currencies has no rates here.
        InvalidRequest: below zero or above 2,000 bps.
    """
    for currency in (spread.base, spread.quote):
        rules.check_currency(terms, currency)
    if not 0 <= spread.bps <= rules.WORST_SPREAD_BPS or spread.base == spread.quote:
        raise InvalidRequest.of("bps", f"must be 0 to {rules.WORST_SPREAD_BPS}, between two currencies")
    base, quote = rules.pair_of(spread.base, spread.quote)
    index = rules.spread_index(await store.spreads(tx, [spread.merchant_id]))
    before = rules.spread_of(terms, index, spread.merchant_id, base, quote)
    await store.save_spread(tx, replace(spread, base=base, quote=quote))
    await _audit(
        tx,
        decision,
        "spread.set",
        f"{base}/{quote} {before} bps",
        f"{base}/{quote} {spread.bps} bps",
        merchant_id=spread.merchant_id,
    )
    return spread


async def list_spreads(tx: Transaction) -> list[Spread]:
    """Every spread that is set."""
    return await store.all_spreads(tx)


def _find_pair(rates: Sequence[StoredRate], base: str, quote: str) -> StoredRate | None:
    pair = rules.pair_of(base, quote)
    return next((rate for rate in rates if rules.pair_of(rate.base, rate.quote) == pair), None)


def _words(rate: StoredRate | None) -> str:
    return "not set" if rate is None else f"{rate.base}/{rate.quote} {rate.rate}"


async def _audit(
    tx: Transaction, decision: Decision, action: str, before: str, after: str, *, merchant_id: int = 0
) -> None:
    await audit.record(
        tx, decision, merchant_id=merchant_id, action=action, subject_id=merchant_id, before=before, after=after
    )
