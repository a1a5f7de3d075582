"""Carrying orders out: all legs of an order are one chain of the ledger, with its lines in the histories it touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import Direction, MasterAccount
from bpn.chapters.accounts.operations import OrderEntry
from bpn.chapters.fx import operations as fx
from bpn.chapters.orders import events
from bpn.chapters.orders.errors import InsufficientBalance, LiquidityUnavailable, QuotePriceMoved
from bpn.chapters.orders.model import OrderTerms, StableOrder, Status, Venue
from bpn.chapters.orders.operations.market import MarketReading
from bpn.chapters.orders.rules import quoting, settling
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import OrderLeg
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, Refusal
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement


class BatchDisturbedError(Exception):
    """An order was refused after others were decided on its pool: the batch must be done one by one."""


@dataclass(frozen=True, slots=True)
class Parties:
    """The merchant's two ends of an order. A master account is None where the end is a wallet."""

    payer: Account
    payee: Account
    payer_master: MasterAccount | None
    payee_master: MasterAccount | None


def parties_of(order: StableOrder, masters: dict[tuple[int, Asset], MasterAccount | Refusal]) -> Parties:
    """Both ends of an order; raises MasterAccountNotProvisioned."""
    ends: list[tuple[MasterAccount | None, Account]] = []
    for asset, wallet_id in (
        (order.paid.asset, order.wallet_id),
        (order.received.asset, order.target_wallet_id or order.wallet_id),
    ):
        if asset.network is not None:
            ends.append((None, wallet.wallet_account(order.merchant_id, wallet_id, asset)))
            continue
        master = masters[order.merchant_id, asset]
        if isinstance(master, Refusal):
            raise master
        ends.append((master, accounts.master_ledger_account(master)))
    (payer_master, payer), (payee_master, payee) = ends
    return Parties(payer, payee, payer_master, payee_master)


def check_price(terms: OrderTerms, reading: MarketReading, order: StableOrder) -> None:
    """Raise QuotePriceMoved where the rate has left what the order was quoted at; RateUnavailable without one."""
    now = reading.market.mid(order.paid.asset, order.received.asset)
    if quoting.has_moved(Fraction(order.mid), now, terms.price_tolerance_bps):
        raise QuotePriceMoved(
            f"The rate was {order.mid.normalize():f} and is {fx.shown(now).normalize():f} now; ask for a new quote."
        )


def chain_of(tx: Transaction, order: StableOrder, parties: Parties) -> tuple[Movement, ...]:
    """Every movement of an order."""
    return tuple(
        movement
        for debit, credit, amount, code in settling.steps(parties.payer, parties.payee, order.route, order.fee)
        for movement in ledger.across(tx, debit, credit, amount, code, order.order_id)
    )


async def post_orders(
    tx: Transaction, orders: Sequence[StableOrder], parties: Mapping[int, Parties]
) -> list[StableOrder | Refusal]:
    """Move the money of many orders, each whole or not at all; in order those settled, or why not.

    Raises:
        BatchDisturbedError: see there; nothing may be committed.
    """
    outcomes = await ledger.post(tx, [chain_of(tx, order, parties[order.order_id]) for order in orders])
    results: list[StableOrder | Refusal] = []
    disturbed: set[int] = set()
    for order, outcome in zip(orders, outcomes, strict=True):
        pools = {hop.pool_id or 0 for hop in order.route if hop.venue is Venue.POOL}
        if pools & disturbed:
            raise BatchDisturbedError
        if outcome.accepted:
            results.append(
                replace(order, status=Status.SUCCESS, settled=order.received, updated_at=tx.now, completed_at=tx.now)
            )
            continue
        disturbed |= pools
        results.append(await _why(tx, order, parties[order.order_id]))
    return results


async def _why(tx: Transaction, order: StableOrder, parties: Parties) -> Refusal:
    """Whose balance was too small: the merchant's, or the desk's that another process emptied meanwhile."""
    (payer,) = await ledger.balances(tx, [parties.payer])
    if payer.available >= order.paid.minor:
        return LiquidityUnavailable(f"There is not enough {order.received.asset.currency} to fill this now; try less.")
    return InsufficientBalance(
        f"{order.paid} {order.paid.asset.code} is more than what is available.",
        [FieldError("amount", "is more than what is available")],
    )


async def record_legs(
    terms: OrderTerms, tx: Transaction, orders: Sequence[StableOrder], parties: Mapping[int, Parties]
) -> None:
    """Write the lines of settled orders into the histories of wallets and master accounts."""
    legs: list[OrderLeg] = []
    entries: list[OrderEntry] = []
    for order in orders:
        own = parties[order.order_id]
        settled = order.settled or order.received
        for master, wallet_id, money, other, incoming in (
            (own.payer_master, order.wallet_id, order.paid, order.received, False),
            (own.payee_master, order.target_wallet_id or order.wallet_id, settled, order.paid, True),
        ):
            if master is None:
                currency = other.asset.currency
                legs.append(
                    OrderLeg(order.merchant_id, wallet_id, money, incoming, currency, order.order_id, order.remark)
                )
            else:
                entries.append(_entry(order, master, money, incoming=incoming))
    if legs:
        await wallet.record_order_legs(tx, legs)
    if entries:
        await accounts.record_order_entries(terms.accounts, tx, entries)


def _entry(order: StableOrder, master: MasterAccount, money: Money, *, incoming: bool) -> OrderEntry:
    return OrderEntry(
        master=master,
        direction=Direction.IN if incoming else Direction.OUT,
        amount=money,
        fee=Money.zero(money.asset),
        earmark=f"order/{order.order_id}",
        remark=order.remark,
    )


async def announce(tx: Transaction, orders: Sequence[StableOrder]) -> None:
    """Tell of orders' new states."""
    await events.orders_changed(tx, orders)
