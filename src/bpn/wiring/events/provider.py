"""The events of the provider chapter."""

from __future__ import annotations

from bpn.chapters.provider import model, schemas
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.wiring.events.event import Event


def provider_events() -> list[Event]:
    """Sub wallets, collection orders, payouts in dollars."""
    return [
        Event(
            "SUB_WALLET_UPDATED",
            "A sub wallet that collects for a customer has a new state.",
            schemas.SubWalletUpdate,
            {model.SubWalletChanged: _wallet_updated},
        ),
        Event(
            "COLLECT_ORDER_UPDATED",
            "A collection order has a new state.",
            schemas.CollectionOrderUpdate,
            {model.CollectionOrderChanged: _order_updated},
        ),
        Event(
            "USD_PAYOUT_ORDER_UPDATED",
            "A payout of dollars has a new state.",
            schemas.UsdPayout,
            {model.UsdPayoutChanged: _payout_updated},
        ),
    ]


def _wallet_updated(fact: model.SubWalletChanged) -> RenderedEvent:
    wallet = schemas.SubWalletUpdate.of(fact.wallet)
    return RenderedEvent(str(wallet.wallet_id), wallet.status, wallet)


def _order_updated(fact: model.CollectionOrderChanged) -> RenderedEvent:
    order = schemas.CollectionOrderUpdate.of(fact.order)
    return RenderedEvent(order.order_id, order.order_status, order)


def _payout_updated(fact: model.UsdPayoutChanged) -> RenderedEvent:
    payout = schemas.UsdPayout.of(fact.payout)
    return RenderedEvent(payout.order_id, payout.status, payout)
