"""Funds that an order waits for: where they are to be sent, and what becomes of them when they come.

What comes in time is converted once all of it is there. What comes late, in the wrong asset, or too little until the
end is given to the merchant's balance and told in the order's `abnormal` list; so is what comes over. Nothing converts
at a price that is not true any more: the order is priced anew, and fails where that is too far from what was quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import Profile, SubType, VirtualAccount
from bpn.chapters.accounts.operations import AccountCommand
from bpn.chapters.orders.errors import QuotePriceMoved
from bpn.chapters.orders.model import (
    EARMARK,
    Abnormal,
    Arrival,
    Funding,
    Oddity,
    OrderTerms,
    QuoteCommand,
    StableOrder,
    Status,
)
from bpn.chapters.orders.operations import settling
from bpn.chapters.orders.operations.market import MarketReading, read_market
from bpn.chapters.orders.operations.paying import pay_out
from bpn.chapters.orders.operations.quoting import make_quote
from bpn.chapters.orders.operations.settling import Parties
from bpn.chapters.orders.rules.settling import check_transition
from bpn.chapters.orders.store import orders as store
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Earmark
from bpn.database.pool import Transaction
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidState, Refusal
from bpn.kernel.money import Money

_AT_ONCE = 100
_BPS = 10_000


@dataclass(frozen=True, slots=True)
class Funds:
    """Money that came for an order: a cleared deposit or a pay-in that waits, and since when it is there."""

    merchant_id: int
    order_id: int
    source_id: int
    amount: Money
    came_at: datetime


async def ask_for_funds(terms: OrderTerms, tx: Transaction, order: StableOrder) -> StableOrder:
    """Say where the funds of an order are to be sent; it waits for them from now on.

    Raises what `wallet.open_earmark` and `accounts.open_earmarked_account` refuse.
    """
    if order.funding is Funding.DEPOSIT:
        asset = order.paid.asset
        address = await wallet.open_earmark(
            terms.wallet, tx, order.merchant_id, Earmark(EARMARK, order.order_id), wallet_id=order.wallet_id
        )
        instructions: dict[str, object] = {
            "type": "DEPOSIT",
            "currency": asset.currency,
            "network": asset.network,
            "amount": str(order.paid),
            "address": address,
        }
    else:
        account = await accounts.open_earmarked_account(
            terms.accounts, tx, _account_command(order), f"{EARMARK}/{order.order_id}"
        )
        instructions = pay_in_instructions(order, account)
    return replace(order, status=Status.AWAITING_FUNDS, instructions=instructions)


def _account_command(order: StableOrder) -> AccountCommand:
    """An account of its own for one payment: by PIX a code that asks for the amount."""
    code = order.paid.asset.currency == "BRL"
    return AccountCommand(
        merchant_id=order.merchant_id,
        currency=order.paid.asset.currency,
        country=None,
        rail=None,
        sub_type=SubType.DYNAMIC if code else SubType.STATIC,
        pix_key_type=None,
        pix_key=None,
        amount=order.paid if code else None,
        expires_at=order.expires_at if code else None,
        sub_user_id=order.sub_user_id,
        profile=Profile(),
    )


def pay_in_instructions(order: StableOrder, account: VirtualAccount) -> dict[str, object]:
    """Where to pay, as far as the bank has said."""
    numbers = account.numbers
    found = {} if numbers is None else {
        name: getattr(numbers, attribute)
        for name, attribute in (
            ("accountNumber", "account_number"), ("iban", "iban"), ("bic", "bic"), ("routingNumber", "routing_number"),
            ("sortCode", "sort_code"), ("clabe", "clabe"), ("pixCode", "pix_code"),
        )
        if getattr(numbers, attribute, None) is not None
    }  # fmt: skip
    return {
        "type": "PAYIN",
        "currency": order.paid.asset.currency,
        "amount": str(order.paid),
        "accountId": str(account.account_id),
        "status": account.status.value,
        "rail": account.rail,
        **found,
    }


async def record_account(terms: OrderTerms, tx: Transaction, account: VirtualAccount) -> None:
    """Tell in the order's instructions what the bank has said of its account."""
    order_id = int((account.earmark or "").rpartition("/")[2])
    order = await store.lock(tx, terms.assets, account.merchant_id, order_id)
    if order is None or order.status is not Status.AWAITING_FUNDS:
        return
    informed = replace(order, instructions=pay_in_instructions(order, account), updated_at=tx.now)
    await store.save(tx, informed)
    await settling.announce(tx, [informed])


async def receive_funds(terms: OrderTerms, tx: Transaction, funds: Funds) -> None:
    """Do with funds what their order asks for; hearing of them again does nothing."""
    order = await store.lock(tx, terms.assets, funds.merchant_id, funds.order_id)
    if order is None or any(one.source_id == funds.source_id for one in order.arrivals):
        return
    if order.status is not Status.AWAITING_FUNDS or funds.came_at >= order.expires_at:
        await _keep(terms, tx, order, [funds], Oddity.LATE)
        return
    if funds.amount.asset != order.paid.asset:
        await _keep(terms, tx, order, [funds], Oddity.WRONG_ASSET)
        return
    order = replace(order, arrivals=(*order.arrivals, Arrival(funds.source_id, funds.amount.minor)), updated_at=tx.now)
    if _arrived(order) < order.paid.minor:
        await store.save(tx, order)
        return
    await _convert(terms, tx, order)


def _arrived(order: StableOrder) -> int:
    return sum(arrival.minor for arrival in order.arrivals)


async def _convert(terms: OrderTerms, tx: Transaction, order: StableOrder) -> None:
    """Give the merchant all that came, and convert what the order is about; fail it where the market refuses."""
    # The pools first: whoever fills holds them before it touches accounts.
    reading = await read_market(terms, tx, [order.merchant_id], to_fill=True)
    await _release(terms, tx, order, [arrival.source_id for arrival in order.arrivals])
    over = _arrived(order) - order.paid.minor
    if over:
        order = _note(tx, order, Oddity.OVER, Money(over, order.paid.asset), "KEPT", order.arrivals[-1].source_id)
    try:
        async with tx.connection.transaction():
            settled = await _settle(terms, tx, order, reading)
    except Refusal as refusal:
        failed = _note(tx, order, Oddity.NOT_CONVERTED, order.paid, "KEPT", order.arrivals[-1].source_id)
        settled = _ended(tx, failed, Status.FAILED, f"{refusal.code}: {refusal.message}")
    await store.save(tx, settled)
    await settling.announce(tx, [settled])


async def _settle(terms: OrderTerms, tx: Transaction, order: StableOrder, reading: MarketReading) -> StableOrder:
    parties = await _parties(tx, order)
    priced = await _priced(terms, tx, order, reading)
    (outcome,) = await settling.post_orders(tx, [priced], {order.order_id: parties})
    if isinstance(outcome, Refusal):
        raise outcome
    await settling.record_legs(terms, tx, [outcome], {order.order_id: parties})
    check_transition(order.status, outcome.status)
    return await pay_out(terms, tx, outcome, parties) if order.payout_bank_account_id is not None else outcome


async def _priced(terms: OrderTerms, tx: Transaction, order: StableOrder, reading: MarketReading) -> StableOrder:
    """The order at its quoted amounts while the quote lives and holds, else priced anew."""
    if tx.now < order.expires_at:
        try:
            settling.check_price(terms, reading, order)
            return replace(order, route=reading.market.refill(order.merchant_id, order.route))
        except QuotePriceMoved:
            pass
    view = await terms.controls.view(tx)
    command = QuoteCommand(
        order.merchant_id, order.side, order.paid.asset, order.received.asset, order.paid, None, order.wallet_id
    )
    quote = make_quote(terms, tx, reading, view, command)
    least = Fraction(order.received.minor * (_BPS - terms.price_tolerance_bps), _BPS)
    if quote.received.minor < least:
        raise QuotePriceMoved(f"It would bring {quote.received} now, and {order.received} were quoted.")
    anew = replace(order, received=quote.received, fee=quote.fee, price=quote.price, mid=quote.mid, route=quote.route)
    return _note(tx, anew, Oddity.REQUOTED, quote.received, "CONVERTED", order.arrivals[-1].source_id)


async def _parties(tx: Transaction, order: StableOrder) -> Parties:
    assets = [asset for asset in (order.paid.asset, order.received.asset) if asset.network is None]
    keys = [(order.merchant_id, asset) for asset in assets]
    return settling.parties_of(order, dict(zip(keys, await accounts.require_masters(tx, keys), strict=True)))


async def _release(terms: OrderTerms, tx: Transaction, order: StableOrder, source_ids: Sequence[int]) -> None:
    """Let funds that wait go to the merchant's wallet or master account."""
    if order.funding is Funding.DEPOSIT:
        for source_id in source_ids:
            await wallet.assign_deposit(tx, order.merchant_id, source_id)
    else:
        await accounts.release_pay_ins(
            terms.accounts, tx, {(order.merchant_id, source_id): None for source_id in source_ids}
        )


async def _keep(terms: OrderTerms, tx: Transaction, order: StableOrder, funds: Sequence[Funds], oddity: Oddity) -> None:
    """Give funds that do not fit to the merchant, and tell of it."""
    try:
        async with tx.connection.transaction():
            await _release(terms, tx, order, [one.source_id for one in funds])
    except InvalidState:
        return  # heard of before
    for one in funds:
        order = _note(tx, order, oddity, one.amount, "KEPT", one.source_id)
    noted = replace(order, updated_at=tx.now)
    await store.save(tx, noted)
    await settling.announce(tx, [noted])


async def cancel_order(terms: OrderTerms, tx: Transaction, order: StableOrder) -> StableOrder:
    """End an order that waits for funds; what has come of them is the merchant's. The caller holds its row."""
    return await _give_up(terms, tx, order, Status.FAILED, "Cancelled by the merchant.")


async def expire_orders(terms: OrderTerms, tx: Transaction) -> bool:
    """End orders whose funds are overdue, some at a time; true when there may be more."""
    overdue = await store.lock_overdue(tx, terms.assets, tx.now, _AT_ONCE)
    for order in overdue:
        await _give_up(terms, tx, order, Status.EXPIRED, "The funds did not come in time.")
    return len(overdue) == _AT_ONCE


async def _give_up(terms: OrderTerms, tx: Transaction, order: StableOrder, status: Status, reason: str) -> StableOrder:
    check_transition(order.status, status)
    if order.arrivals:
        await _release(terms, tx, order, [arrival.source_id for arrival in order.arrivals])
        for arrival in order.arrivals:
            order = _note(tx, order, Oddity.SHORT, Money(arrival.minor, order.paid.asset), "KEPT", arrival.source_id)
    ended = _ended(tx, order, status, reason)
    await store.save(tx, ended)
    await settling.announce(tx, [ended])
    return ended


def _ended(tx: Transaction, order: StableOrder, status: Status, reason: str) -> StableOrder:
    return replace(order, status=status, fail_reason=reason, updated_at=tx.now, completed_at=tx.now)


def _note(
    tx: Transaction, order: StableOrder, oddity: Oddity, amount: Money, action: str, source_id: int
) -> StableOrder:
    asset = amount.asset
    noted = Abnormal(
        oddity, asset.currency, asset.network, str(amount), action, str(source_id), to_milliseconds(tx.now)
    )
    return replace(order, abnormal=(*order.abnormal, noted))
