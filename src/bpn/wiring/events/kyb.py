"""The events of the KYB chapter."""

from __future__ import annotations

from bpn.chapters.kyb import model, schemas
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.wiring.events.event import Event


def kyb_events() -> list[Event]:
    """States of sub users."""
    return [
        Event(
            "KYB_STATUS",
            "A sub user has a new state.",
            schemas.SubUserStatus,
            {model.KybStatusChanged: _status_changed},
        )
    ]


def _status_changed(fact: model.KybStatusChanged) -> RenderedEvent:
    status = schemas.SubUserStatus.of(fact.sub_user)
    return RenderedEvent(status.sub_user_id, status.status, status)
