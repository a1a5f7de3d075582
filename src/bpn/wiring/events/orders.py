"""The events of the orders chapter."""

from __future__ import annotations

from bpn.chapters.orders import model, schemas
from bpn.chapters.wallet.schemas import TransactionRecord
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.kernel.clock import to_milliseconds
from bpn.wiring.events.event import Event


def order_events() -> list[Event]:
    """Orders that came to their end."""
    return [
        Event(
            "STABLECOIN_PAYMENT_RESULT",
            "A stable order has come to its end.",
            schemas.StableOrder,
            {model.StableOrderEnded: _order_ended},
        )
    ]


def _order_ended(fact: model.StableOrderEnded) -> RenderedEvent:
    order = schemas.StableOrder.of(fact.order)
    return RenderedEvent(order.order_id, order.status, order)


def order_status(fact: model.StableOrderChanged) -> RenderedEvent:
    """An order's new state as a line of the history: its stablecoin side."""
    order = fact.order
    crypto = order.received if order.side is model.Side.BUY else order.paid
    wallet_id = str(order.wallet_id)
    record = TransactionRecord(
        transaction_id=str(order.order_id),
        merchant_transaction_id=order.merchant_order_id,
        user_id=str(order.merchant_id),
        merchant_user_id=order.sub_user_id,
        from_currency=order.paid.asset.currency,
        to_currency=order.received.asset.currency,
        from_account_id=None if order.side is model.Side.BUY else wallet_id,
        to_account_id=None if order.side is model.Side.SELL else str(order.target_wallet_id or order.wallet_id),
        transaction_type="ORDER",
        wallet_id=order.wallet_id,
        currency=crypto.asset.currency,
        network=crypto.asset.network or "",
        amount=str(crypto),
        fee=str(order.fee),
        status=order.status.value,
        from_address=None,
        to_address=None,
        hash=None,
        confirmations=0,
        required_confirmations=0,
        remark=order.remark,
        fail_reason=order.fail_reason,
        create_time=to_milliseconds(order.created_at),
        update_time=to_milliseconds(order.updated_at),
        complete_time=None if order.completed_at is None else to_milliseconds(order.completed_at),
    )
    return RenderedEvent(record.transaction_id, record.status, record)
