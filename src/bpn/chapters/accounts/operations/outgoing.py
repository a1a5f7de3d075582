"""Orders that take money: held and written down with their intent, ended when the bank tells. Once, whatever crashes.

A payout or refund is held in the master, a return in the suspense; the hold's other side is the bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.errors import IdempotencyConflict
from bpn.chapters.accounts.model import (
    FINAL,
    AccountTerms,
    Direction,
    InvoiceStatus,
    Order,
    OrderType,
    PaymentState,
    Status,
)
from bpn.chapters.accounts.store import orders as store
from bpn.chapters.accounts.store import payments
from bpn.chapters.accounts.store.orders import Holds
from bpn.controls import operations as controls
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement, Resolution, Transfer, house_account, merchant_account
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What to pay, and on whose account."""

    merchant_id: int
    order_type: OrderType
    account_id: int
    primary_account_id: int
    merchant_order_id: str | None
    amount: Money
    fee: Money
    rail: str
    party: BankParty
    counter_order_id: int | None = None
    purpose: str | None = None
    remark: str | None = None
    bank_account_id: int | None = None
    earmark: str | None = None


def new_order(terms: AccountTerms, tx: Transaction, outgoing: Outgoing, status: Status) -> Order:
    """The order of a payment that begins in this transaction."""
    order_id = tx.ids.next()
    return Order(
        merchant_id=outgoing.merchant_id,
        order_id=order_id,
        order_type=outgoing.order_type,
        direction=Direction.OUT,
        account_id=outgoing.account_id,
        primary_account_id=outgoing.primary_account_id,
        merchant_order_id=outgoing.merchant_order_id or (str(order_id) if _of_the_merchant(outgoing) else None),
        counter_order_id=outgoing.counter_order_id,
        amount=outgoing.amount,
        fee=outgoing.fee,
        refunded=0,
        status=status,
        invoice_status=InvoiceStatus.NOT_REQUIRED,
        rail=outgoing.rail,
        source=terms.source,
        rail_reference=None,
        end_to_end_id=str(order_id),
        purpose=outgoing.purpose,
        remark=outgoing.remark,
        charge_bearer=rules.charge_bearer(outgoing.rail),
        fail_code=None,
        fail_reason=None,
        party=outgoing.party,
        bank_account_id=outgoing.bank_account_id,
        earmark=outgoing.earmark,
        held_in=None,
        due_at=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )


def _of_the_merchant(outgoing: Outgoing) -> bool:
    return outgoing.order_type is not OrderType.RETURN and outgoing.earmark is None


async def accept(terms: AccountTerms, tx: Transaction, order: Order, state: PaymentState) -> Order:
    """Hold amount and fee, write the order and its intent.

    Raises:
        InsufficientBalance: less available than amount and fee.
        IdempotencyConflict: another order has the merchant's id.
    """
    holds, movements = hold(tx, order)
    await ledger.post_one(tx, *movements)
    if not await store.insert(tx, terms.cipher, [order], {order.order_id: holds}):
        raise IdempotencyConflict(f"merchantOrderId {order.merchant_order_id!r} was used before, for another order.")
    await payments.insert(tx, [order], state)
    await events.orders_changed(tx, [order])
    return order


def hold(tx: Transaction, order: Order) -> tuple[Holds, list[Transfer]]:
    """The pending transfers of an order that takes money."""
    merchant_id, asset = order.merchant_id, order.amount.asset
    bank = rules.bank_account(merchant_id, asset)
    amount = _pending(tx, order, bank, order.amount, "accounts.payment")
    if order.fee.minor == 0:
        return Holds(amount.id, None), [amount]
    fee = _pending(tx, order, house_account(merchant_id, asset), order.fee, "accounts.payment_fee")
    return Holds(amount.id, fee.id), [amount, fee]


def _pending(tx: Transaction, order: Order, credit: Account, amount: Money, code: str) -> Transfer:
    return Transfer(tx.ids.next(), payer_account(order), credit, amount, code, order.order_id, pending=True)


def payer_account(order: Order) -> Account:
    """Where an order's money is held, and comes back to."""
    if order.order_type is OrderType.RETURN:
        return rules.suspense_account(order.merchant_id, order.amount.asset)
    return rules.master_account(order.merchant_id, order.primary_account_id, order.amount.asset)


def resolutions(tx: Transaction, order: Order, holds: Holds, *, posts: bool) -> list[Movement]:
    """The movements that end an order's holds: taken, or released."""
    code = "accounts.payment_taken" if posts else "accounts.payment_released"
    movements: list[Movement] = [
        Resolution(tx.ids.next(), order.merchant_id, hold_id, posts, code, order.order_id)
        for hold_id in (holds.amount_hold_id, holds.fee_hold_id)
        if hold_id is not None
    ]
    if posts and holds.fee_hold_id is not None:
        asset = order.fee.asset
        house_side = merchant_account(order.merchant_id, asset)
        fees = rules.fee_account("payout", asset)
        movements.append(
            Transfer(tx.ids.next(), house_side, fees, order.fee, "accounts.payment_fee_earned", order.order_id)
        )
    return movements


async def release(
    terms: AccountTerms, tx: Transaction, order: Order, status: Status, reason: str | None, fail_code: str | None = None
) -> Order:
    """End an order in a state in which the money stays where it was: REJECTED or FAILED. The caller holds its row."""
    rules.check_transition(order.order_type, order.status, status)
    key = (order.merchant_id, order.order_id)
    holds = await store.holds_of(tx, [key])
    await ledger.post_one(tx, *resolutions(tx, order, holds[order.order_id], posts=False))
    await payments.set_state(tx, *key, PaymentState.DROPPED)
    await give_up_refund(terms, tx, order)
    if order.order_type is OrderType.PAYOUT:
        await controls.give_back(tx, order.merchant_id, Operation.PAYOUT, order.amount, order.created_at)
    return await move(tx, replace(order, fail_reason=reason, fail_code=fail_code), status)


async def give_up_refund(terms: AccountTerms, tx: Transaction, order: Order) -> None:
    """A refund that did not reach the payer counts no longer against its pay-in."""
    if order.order_type is not OrderType.REFUND or order.counter_order_id is None:
        return
    pay_in = await store.lock(tx, terms.cipher, order.merchant_id, order.counter_order_id)
    if pay_in is not None:
        left = replace(pay_in, refunded=pay_in.refunded - order.amount.minor, updated_at=tx.now)
        await store.save(tx, [left])


async def move(tx: Transaction, order: Order, status: Status) -> Order:
    """Bring an order to a state and tell it; the caller holds its row."""
    (moved,) = await move_all(tx, [(order, status)])
    return moved


async def move_all(tx: Transaction, moves: Sequence[tuple[Order, Status]]) -> list[Order]:
    """Bring orders to states and tell it; the caller holds their rows."""
    moved = []
    for order, status in moves:
        rules.check_transition(order.order_type, order.status, status)
        ended = tx.now if status in FINAL else None
        moved.append(replace(order, status=status, updated_at=tx.now, completed_at=ended))
    await store.save(tx, moved)
    await events.orders_changed(tx, moved)
    return moved
