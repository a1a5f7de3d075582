"""The events of the payment links chapter."""

from __future__ import annotations

from bpn.chapters.payment_links import model, schemas
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.wiring.events.event import Event


def payment_link_events() -> list[Event]:
    """Links, deposits for them, abnormal funds."""
    return [
        Event(
            "PAYMENT_LINK_UPDATED",
            "A payment link, or an order to a permanent one, has a new state.",
            schemas.PaymentLinkUpdate,
            {model.LinkChanged: _link_updated},
            has_reference=False,
        ),
        Event(
            "CRYPTO_DEPOSIT_ORDER",
            "A deposit for a payment link has a new state.",
            schemas.CryptoDepositOrder,
            {model.PaymentChanged: _deposit_order},
        ),
        Event(
            "ABNORMAL_FUND",
            "Money that came for a payment link and did not complete it has a new state.",
            schemas.AbnormalFund,
            {model.FundChanged: _abnormal_fund},
        ),
    ]


def _link_updated(fact: model.LinkChanged) -> RenderedEvent:
    return RenderedEvent(None, None, schemas.PaymentLinkUpdate.told(fact))


def _deposit_order(fact: model.PaymentChanged) -> RenderedEvent:
    order = schemas.CryptoDepositOrder.of(fact)
    return RenderedEvent(order.transaction_id, order.status, order)


def _abnormal_fund(fact: model.FundChanged) -> RenderedEvent:
    fund = schemas.AbnormalFund.of(fact.fund)
    return RenderedEvent(fund.abnormal_fund_id, fund.status, fund)
