"""The event of the webhooks chapter itself."""

from __future__ import annotations

from bpn.chapters.webhooks.model import TEST_EVENT
from bpn.chapters.webhooks.schemas import TestEventData
from bpn.wiring.events.event import Event


def webhook_events() -> list[Event]:
    """The test of an endpoint; no fact becomes it."""
    return [Event(TEST_EVENT, "What Test Webhook Endpoint sends.", TestEventData, {})]
