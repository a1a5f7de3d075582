"""All events: a chapter's list is added here."""

from __future__ import annotations

from bpn.api.openapi import EventDescription
from bpn.chapters.webhooks.model import EventSource
from bpn.wiring.events.accounts import account_events
from bpn.wiring.events.event import Event
from bpn.wiring.events.kyb import kyb_events
from bpn.wiring.events.orders import order_events
from bpn.wiring.events.payment_links import payment_link_events
from bpn.wiring.events.provider import provider_events
from bpn.wiring.events.wallet import wallet_events
from bpn.wiring.events.webhooks import webhook_events


def events(base_url: str = "") -> list[Event]:
    """Every type of event, in the order of the document; `base_url` is where public URLs in them begin."""
    return [
        *wallet_events(),
        *kyb_events(),
        *account_events(base_url),
        *order_events(),
        *payment_link_events(),
        *provider_events(),
        *webhook_events(),
    ]


def event_sources(base_url: str) -> list[EventSource]:
    """What the webhooks chapter listens to, and how it is told."""
    return [
        EventSource(event.event_type, fact, render, has_reference=event.has_reference)
        for event in events(base_url)
        for fact, render in event.facts.items()
    ]


def event_descriptions() -> list[EventDescription]:
    """The events as the OpenAPI document tells them."""
    return [EventDescription(one.event_type, one.description, one.data, one.has_reference) for one in events()]
