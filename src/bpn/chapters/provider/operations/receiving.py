"""What deposits to customers' addresses, and returns of them, mean for collection orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bpn.chapters.provider import events, rules
from bpn.chapters.provider.model import (
    EARMARK,
    AcceptStatus,
    AmlStatus,
    CollectionOrder,
    OrderStatus,
    ProviderTerms,
    RefundStatus,
    RiskLevel,
)
from bpn.chapters.provider.store import orders as store
from bpn.chapters.provider.store import wallets as wallet_store
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import ServicePaused
from bpn.chapters.wallet.model import Status
from bpn.chapters.wallet.model import Transaction as Deposit
from bpn.database.pool import Transaction

_AT_ONCE = 100
_SWEPT_AT_ONCE = 1_000
_REFUND_ENDS = {
    Status.SUCCESS: RefundStatus.SUCCESS,
    Status.FAILED: RefundStatus.FAILED,
    Status.REJECTED: RefundStatus.FAILED,
}


async def follow_deposits(terms: ProviderTerms, tx: Transaction, deposits: Iterable[Deposit]) -> None:
    """Bring the orders of deposits to where the deposits are now; those of others are passed over."""
    keys = sorted(
        {
            (one.merchant_id, one.transaction_id)
            for one in deposits
            if one.earmark is not None and one.earmark.kind == EARMARK
        }
    )
    for merchant_id, transaction_id in keys:
        order = await store.lock_by_deposit(tx, terms.orders.assets, merchant_id, transaction_id)
        deposit = await wallet.get_deposit(tx, merchant_id, transaction_id)
        waits = await wallet.cleared_deposits(tx, [deposit])
        cleared = deposit.status is Status.SCREENING and transaction_id in waits
        if order is None:
            if cleared or deposit.status is Status.FROZEN:
                await _open(terms, tx, deposit, cleared=cleared)
        elif cleared and order.status in {OrderStatus.COMPLETED, OrderStatus.REJECTED}:
            await _repay(tx, merchant_id, transaction_id)
        else:
            followed = rules.follow(order, deposit.status, cleared=cleared, reason=deposit.fail_reason)
            if followed is not None:
                reopened = order.status is OrderStatus.FAILED and followed.status is OrderStatus.PROCESSING
                deadline = tx.now + terms.accept_within if reopened else order.accept_deadline
                completed = tx.now if followed.status is OrderStatus.FAILED else None
                await save_order(tx, replace(followed, accept_deadline=deadline, completed_at=completed))


async def _repay(tx: Transaction, merchant_id: int, transaction_id: int) -> None:
    """A reorg took a payment away after it was decided, and it is mined again: it repays what is owed for it."""
    try:
        async with tx.connection.transaction():
            await wallet.assign_deposit(tx, merchant_id, transaction_id)
    except ServicePaused:
        # The chain is in doubt. The payment stays held, and the next sweep finds it.
        return


async def _open(terms: ProviderTerms, tx: Transaction, deposit: Deposit, *, cleared: bool) -> None:
    owner = await wallet_store.find(tx, deposit.merchant_id, deposit.wallet_id)
    if owner is None or owner.address is None:
        return
    order = CollectionOrder(
        merchant_id=deposit.merchant_id,
        order_id=tx.ids.next(),
        wallet_id=deposit.wallet_id,
        account_name=owner.account_name,
        transaction_id=deposit.transaction_id,
        amount=deposit.amount,
        address=owner.address,
        payer_address=deposit.from_address,
        hash=deposit.hash,
        status=OrderStatus.PROCESSING,
        accept_status=AcceptStatus.ACCEPTING,
        aml_status=AmlStatus.PASSED if cleared else AmlStatus.REVIEW,
        risk_level=RiskLevel.LOW if cleared else RiskLevel.HIGH,
        quote=None,
        accept_deadline=tx.now + terms.accept_within,
        accepted_at=None,
        reason=None if cleared else deposit.fail_reason,
        refund_address=None,
        refund_transaction_id=None,
        refund_status=None,
        refund_hash=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )
    if await store.insert(tx, order):
        await events.order_changed(tx, order)


async def list_missed(tx: Transaction) -> list[Deposit]:
    """Cleared deposits of customers that wait: the orders of those whose fact was lost are made of them."""
    return await wallet.list_cleared(tx, EARMARK, _SWEPT_AT_ONCE)


async def follow_refund(terms: ProviderTerms, tx: Transaction, refund: Deposit) -> None:
    """Note how a return stands; those of others are passed over."""
    order = await store.lock_by_refund(tx, terms.orders.assets, refund.merchant_id, refund.transaction_id)
    if order is None or order.refund_status is not RefundStatus.PROCESSING:
        return
    status = _REFUND_ENDS.get(refund.status, RefundStatus.PROCESSING)
    if (status, refund.hash) != (order.refund_status, order.refund_hash):
        await save_order(tx, replace(order, refund_status=status, refund_hash=refund.hash))


async def expire_orders(terms: ProviderTerms, tx: Transaction) -> bool:
    """Mark orders whose deadline is over; the money stays held. True when there may be more."""
    overdue = await store.lock_overdue(tx, terms.orders.assets, tx.now, _AT_ONCE)
    for order in overdue:
        await save_order(tx, replace(order, accept_status=AcceptStatus.EXPIRED))
    return len(overdue) == _AT_ONCE


async def save_order(tx: Transaction, order: CollectionOrder) -> CollectionOrder:
    """Keep an order as it is now, and tell the merchant."""
    saved = replace(order, updated_at=tx.now)
    await store.save(tx, saved)
    await events.order_changed(tx, saved)
    return saved
