"""Making orders: out of a quote or at once, from a balance, a pay-in or a deposit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.orders.errors import QuoteExpired, QuoteNotFound, QuoteUsed
from bpn.chapters.orders.model import Funding, OrderTerms, Quote, QuoteCommand, Side, StableOrder, Status
from bpn.chapters.orders.operations import settling
from bpn.chapters.orders.operations.funding import ask_for_funds
from bpn.chapters.orders.operations.market import MarketReading, read_market
from bpn.chapters.orders.operations.paying import pay_out
from bpn.chapters.orders.operations.quoting import make_quote, use_quotes
from bpn.chapters.orders.operations.settling import Parties
from bpn.chapters.orders.store import orders as store
from bpn.chapters.orders.store import quotes as quote_store
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Wallet
from bpn.controls import operations as controls
from bpn.controls.model import Operation
from bpn.controls.rules import ControlsView
from bpn.database.pool import Transaction
from bpn.kernel.errors import IdempotencyConflict, InvalidRequest, Refusal


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """Make an order of a quote, by its id or priced at once. `target_wallet_id`: where a SWAP's money goes."""

    merchant_id: int
    merchant_order_id: str | None
    quote_id: str | None
    quote: QuoteCommand | None
    funding: Funding
    wallet_id: int | None
    target_wallet_id: int | None
    sub_user_id: str | None
    payout_bank_account_id: int | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A command with what it is about: an order not yet settled, its quote, both ends."""

    place: int
    order: StableOrder
    quote: Quote | None
    parties: Parties


async def create_stable_order(
    terms: OrderTerms, tx: Transaction, commands: Sequence[OrderCommand]
) -> list[StableOrder | Refusal]:
    """Make many orders, each accepted or refused on its own. From a balance an order is settled at once.

    Refusals: InvalidRequest, IdempotencyConflict, QuoteNotFound, QuoteUsed, QuoteExpired, QuotePriceMoved,
    WalletNotFound, MasterAccountNotProvisioned, ServicePaused, LimitExceeded, RateUnavailable, AmountTooSmall,
    LiquidityUnavailable, InsufficientBalance.

    Raises:
        BatchDisturbedError: the batch must be done one by one; nothing of it may be committed.
    """
    if not commands:
        return []
    results: dict[int, StableOrder | Refusal] = {}
    reading = await read_market(terms, tx, {command.merchant_id for command in commands}, to_fill=True)
    view = await terms.controls.view(tx)
    keys = [(c.merchant_id, c.quote_id) for c in commands if c.quote_id is not None]
    quotes = await quote_store.lock_many(tx, terms.assets, list(dict.fromkeys(keys))) if keys else {}
    drafts = await _draft(terms, tx, commands, quotes, reading, view, results)
    at_once = [draft for draft in drafts if _is_plain(commands[draft.place])]
    for draft in drafts:
        if not _is_plain(commands[draft.place]):
            results[draft.place] = await _alone(terms, tx, draft, reading)
    if at_once:
        await _settle(terms, tx, at_once, reading, view, results)
    return [results[place] for place in range(len(commands))]


def _is_plain(command: OrderCommand) -> bool:
    """Whether an order is settled at once and ends with that: those are done as a set."""
    return command.funding is Funding.BALANCE and command.payout_bank_account_id is None


async def _draft(
    terms: OrderTerms,
    tx: Transaction,
    commands: Sequence[OrderCommand],
    quotes: dict[tuple[int, str], Quote],
    reading: MarketReading,
    view: ControlsView,
    results: dict[int, StableOrder | Refusal],
) -> list[_Draft]:
    """The orders that the commands ask for, with both ends known; refusals go into the results."""
    taken = await store.taken_ids(
        tx, [(c.merchant_id, c.merchant_order_id) for c in commands if c.merchant_order_id is not None]
    )
    wallets = await wallet.require_wallets(
        tx, [key for c in commands for key in ((c.merchant_id, c.wallet_id), (c.merchant_id, c.target_wallet_id))]
    )
    found: list[tuple[int, StableOrder, Quote | None]] = []
    for place, command in enumerate(commands):
        try:
            if (command.merchant_id, command.merchant_order_id) in taken:
                raise IdempotencyConflict(f"merchantOrderId {command.merchant_order_id!r} was used before.")
            source, target = wallets[2 * place], wallets[2 * place + 1]
            quote, stored = _quote_of(terms, tx, command, quotes, reading, view)
            found.append((place, _order(tx, command, quote, _wallet(source), _wallet(target), stored=stored),
                          quote if stored else None))  # fmt: skip
        except Refusal as refusal:
            results[place] = refusal
    return await _with_parties(tx, found, results)


def _wallet(found: Wallet | Refusal) -> Wallet:
    if isinstance(found, Refusal):
        raise found
    return found


def _quote_of(
    terms: OrderTerms,
    tx: Transaction,
    command: OrderCommand,
    quotes: dict[tuple[int, str], Quote],
    reading: MarketReading,
    view: ControlsView,
) -> tuple[Quote, bool]:
    """The quote of a command, and whether it was made before."""
    if command.quote_id is None:
        if command.quote is None:
            raise InvalidRequest.of("quoteId", "or the fields of a quote must be given")
        return make_quote(terms, tx, reading, view, command.quote), False
    key = (command.merchant_id, command.quote_id)
    quote = quotes.get(key)
    if quote is None:
        raise QuoteNotFound(f"There is no quote {command.quote_id}.")
    if quote.order_id is not None:
        raise QuoteUsed("An order was made of this quote before; ask for a new one.")
    if tx.now >= quote.expires_at:
        raise QuoteExpired("The quote's time is over; ask for a new one.")
    for asset in (quote.paid.asset, quote.received.asset):
        view.require_running(command.merchant_id, Operation.ORDER, asset)
    # Whoever comes later in this batch finds it used.
    quotes[key] = replace(quote, order_id=0)
    return quote, True


def _order(
    tx: Transaction, command: OrderCommand, quote: Quote, source: Wallet, target: Wallet, *, stored: bool
) -> StableOrder:
    _check_funding(command, quote)
    order_id = tx.ids.next()
    wallet_id = source.wallet_id if command.wallet_id is not None else quote.wallet_id or source.wallet_id
    return StableOrder(
        merchant_id=command.merchant_id,
        order_id=order_id,
        merchant_order_id=command.merchant_order_id or str(order_id),
        quote_id=quote.quote_id if stored else None,
        side=quote.side,
        funding=command.funding,
        paid=quote.paid,
        received=quote.received,
        fee=quote.fee,
        price=quote.price,
        mid=quote.mid,
        route=quote.route,
        wallet_id=wallet_id,
        target_wallet_id=target.wallet_id if command.target_wallet_id is not None else None,
        sub_user_id=command.sub_user_id,
        payout_bank_account_id=command.payout_bank_account_id,
        payout_order_id=None,
        status=Status.CREATED,
        settled=None,
        instructions=None,
        arrivals=(),
        abnormal=(),
        fail_reason=None,
        remark=command.remark,
        created_at=tx.now,
        updated_at=tx.now,
        expires_at=quote.expires_at,
        completed_at=None,
    )


def _check_funding(command: OrderCommand, quote: Quote) -> None:
    if command.funding is Funding.PAYIN and quote.side is not Side.BUY:
        raise InvalidRequest.of("fundingSource", "PAYIN funds a BUY only")
    if command.funding is Funding.DEPOSIT and quote.side is Side.BUY:
        raise InvalidRequest.of("fundingSource", "DEPOSIT funds a SELL or a swap only")
    if command.payout_bank_account_id is not None and quote.side is not Side.SELL:
        raise InvalidRequest.of("payoutBankAccountId", "is for a SELL only")
    if command.target_wallet_id is not None and quote.side is not Side.SWAP:
        raise InvalidRequest.of("toWalletId", "is for a swap only")


async def _with_parties(
    tx: Transaction,
    found: Sequence[tuple[int, StableOrder, Quote | None]],
    results: dict[int, StableOrder | Refusal],
) -> list[_Draft]:
    ends = [(order, order.paid.asset, order.received.asset) for _, order, _ in found]
    keys = [(order.merchant_id, asset) for order, *assets in ends for asset in assets if asset.network is None]
    masters = dict(zip(keys, await accounts.require_masters(tx, keys), strict=True))
    drafts = []
    for place, order, quote in found:
        try:
            drafts.append(_Draft(place, order, quote, settling.parties_of(order, masters)))
        except Refusal as refusal:
            results[place] = refusal
    return drafts


async def _settle(
    terms: OrderTerms,
    tx: Transaction,
    drafts: Sequence[_Draft],
    reading: MarketReading,
    view: ControlsView,
    results: dict[int, StableOrder | Refusal],
) -> None:
    """Settle plain orders as a set: price, limits, one ledger batch, then all rows."""
    filled: list[_Draft] = []
    for draft in drafts:
        try:
            filled.append(await _filled(terms, tx, draft, reading, view))
        except Refusal as refusal:
            results[draft.place] = refusal
    if not filled:
        return
    parties = {draft.order.order_id: draft.parties for draft in filled}
    outcomes = await settling.post_orders(tx, [draft.order for draft in filled], parties)
    done = []
    for draft, outcome in zip(filled, outcomes, strict=True):
        results[draft.place] = outcome
        if isinstance(outcome, StableOrder):
            done.append(outcome)
        elif _limited(view, draft.order):
            await controls.give_back(tx, draft.order.merchant_id, Operation.ORDER, draft.order.paid, tx.now)
    if not done:
        return
    await store.insert(tx, done)
    settled = {order.order_id for order in done}
    used = [(draft.quote, draft.order.order_id) for draft in filled if draft.quote and draft.order.order_id in settled]
    if used:
        await use_quotes(tx, used)
    await settling.record_legs(terms, tx, done, parties)
    await settling.announce(tx, done)


async def _filled(
    terms: OrderTerms, tx: Transaction, draft: _Draft, reading: MarketReading, view: ControlsView
) -> _Draft:
    """A draft that the market fills now; the market is as it leaves it."""
    order = draft.order
    if draft.quote is not None:
        settling.check_price(terms, reading, order)
        order = replace(order, route=reading.market.refill(order.merchant_id, order.route))
    if _limited(view, order):
        await controls.take_limit(tx, order.merchant_id, Operation.ORDER, order.paid, view)
    reading.market.fill(order.route)
    return replace(draft, order=order)


def _limited(view: ControlsView, order: StableOrder) -> bool:
    """Whether the operator has set a limit; without one nothing is counted."""
    return view.limit(order.merchant_id, Operation.ORDER, order.paid.asset) is not None


async def _alone(terms: OrderTerms, tx: Transaction, draft: _Draft, reading: MarketReading) -> StableOrder | Refusal:
    """Make an order that needs more than movements, undone by itself where it is refused."""
    view = await terms.controls.view(tx)
    try:
        async with tx.connection.transaction():
            if draft.order.funding is not Funding.BALANCE:
                return await _awaiting(terms, tx, draft)
            results: dict[int, StableOrder | Refusal] = {}
            await _settle_for_payout(terms, tx, draft, reading, view, results)
            outcome = results[draft.place]
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome
    except Refusal as refusal:
        return refusal


async def _awaiting(terms: OrderTerms, tx: Transaction, draft: _Draft) -> StableOrder:
    order = await ask_for_funds(terms, tx, draft.order)
    await store.insert(tx, [order])
    if draft.quote is not None:
        await use_quotes(tx, [(draft.quote, order.order_id)])
    await settling.announce(tx, [order])
    return order


async def _settle_for_payout(
    terms: OrderTerms,
    tx: Transaction,
    draft: _Draft,
    reading: MarketReading,
    view: ControlsView,
    results: dict[int, StableOrder | Refusal],
) -> None:
    filled = await _filled(terms, tx, draft, reading, view)
    parties = {filled.order.order_id: filled.parties}
    (outcome,) = await settling.post_orders(tx, [filled.order], parties)
    if isinstance(outcome, Refusal):
        raise outcome
    await settling.record_legs(terms, tx, [outcome], parties)
    order = await pay_out(terms, tx, outcome, filled.parties)
    await store.insert(tx, [order])
    if draft.quote is not None:
        await use_quotes(tx, [(draft.quote, order.order_id)])
    await settling.announce(tx, [order])
    results[draft.place] = order
