"""Fiat that goes straight on to a bank account, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import Order
from bpn.chapters.accounts.model import Status as PayoutStatus
from bpn.chapters.accounts.operations import PayoutCommand
from bpn.chapters.orders.errors import AmountTooSmall
from bpn.chapters.orders.model import EARMARK, OrderTerms, StableOrder, Status
from bpn.chapters.orders.operations import settling
from bpn.chapters.orders.operations.settling import Parties
from bpn.chapters.orders.rules.settling import check_transition
from bpn.chapters.orders.store import orders as store
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.money import Money

_STEPS = 8
_FAILED = {
    PayoutStatus.FAILED: "The payout failed; the money is in the master account.",
    PayoutStatus.REJECTED: "The payout was rejected; the money is in the master account.",
    PayoutStatus.RETURNED: "The payout came back; the money is in the master account.",
}


async def pay_out(terms: OrderTerms, tx: Transaction, order: StableOrder, parties: Parties) -> StableOrder:
    """Send what an order brought on to its bank account, less the payout's fee; the order is PROCESSING until then.

    Raises what `accounts.request_payout` refuses.
    """
    master = parties.payee_master
    if master is None or order.payout_bank_account_id is None:
        return order
    settled = order.settled or order.received
    view = await terms.controls.view(tx)
    amount = settled
    for _ in range(_STEPS):
        amount = settled - view.fee(order.merchant_id, Operation.PAYOUT, amount)
    if amount.minor <= 0 or (amount + view.fee(order.merchant_id, Operation.PAYOUT, amount)) > settled:
        raise AmountTooSmall(f"The payout's fee takes all of {settled} {settled.asset.currency}.")
    payout = await accounts.request_payout(
        terms.accounts,
        tx,
        PayoutCommand(
            merchant_id=order.merchant_id,
            merchant_order_id=None,
            primary_account_id=master.account_id,
            amount=Money(amount.minor, amount.asset),
            bank_account_id=order.payout_bank_account_id,
            network_type=None,
            beneficiary=None,
            purpose=None,
            remark=order.remark,
            email_code=None,
        ),
        f"{EARMARK}/{order.order_id}",
    )
    return replace(order, status=Status.PROCESSING, payout_order_id=payout.order_id, completed_at=None)


async def record_payout(terms: OrderTerms, tx: Transaction, payout: Order) -> None:
    """Note how the payout of an order has ended."""
    order_id = int((payout.earmark or "").rpartition("/")[2])
    order = await store.lock(tx, terms.assets, payout.merchant_id, order_id)
    if order is None or order.payout_order_id != payout.order_id:
        return
    if payout.status is PayoutStatus.SUCCESS and order.status is Status.PROCESSING:
        ended = replace(order, status=Status.SUCCESS)
    elif payout.status in _FAILED and order.status in {Status.PROCESSING, Status.SUCCESS}:
        ended = replace(order, status=Status.FAILED, fail_reason=_FAILED[payout.status])
    else:
        return
    check_transition(order.status, ended.status)
    ended = replace(ended, updated_at=tx.now, completed_at=tx.now)
    await store.save(tx, ended)
    await settling.announce(tx, [ended])
