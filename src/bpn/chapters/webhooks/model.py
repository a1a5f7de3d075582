"""What the webhooks chapter speaks of: endpoints, events, deliveries, and where events come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from bpn.kernel.encryption import Cipher

SCHEDULE: tuple[timedelta, ...] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failed try the next one follows; after the last the delivery has failed."""

TEST_EVENT = "TEST"


@dataclass(frozen=True, slots=True)
class RenderedEvent:
    """What an event says: the object's id and status, and the wire form of the object."""

    reference_id: str | None
    status: str | None
    data: BaseModel


@dataclass(frozen=True, slots=True)
class EventSource:
    """Makes events of one type out of facts of one kind.

    `has_reference`: whether the body carries `referenceId` and `status`.
    """

    event_type: str
    fact: Any
    render: Callable[[Any], RenderedEvent]
    has_reference: bool = True


@dataclass(frozen=True, slots=True)
class WebhookTerms:
    """What the operator sets about the chapter.

    Attributes:
        cipher: opens and seals secrets.
        sources: by name of fact, what it becomes.
        encode: writes an event's body as JSON.
        allow_plain_http: whether a URL may be http and lead inside (the sandbox).
        retention: how long events are kept.
        schedule: the waits between tries.
    """

    cipher: Cipher
    sources: Mapping[str, EventSource]
    encode: Callable[[Mapping[str, object]], bytes]
    allow_plain_http: bool
    retention: timedelta
    schedule: tuple[timedelta, ...] = SCHEDULE

    @property
    def event_types(self) -> list[str]:
        """Every type of event, each once."""
        return list(dict.fromkeys(source.event_type for source in self.sources.values()))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL of a merchant. `event_types` empty: all. `api_key` None: the merchant's oldest living key signs.

    Two secrets are valid until `previous_until`, so that a receiver can change over.
    """

    merchant_id: int
    endpoint_id: int
    url: str
    event_types: tuple[str, ...]
    enabled: bool
    disabled_reason: str | None
    api_key: str | None
    secret: str
    previous_secret: str | None
    previous_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is sent; `sequence` orders a merchant's events. `timestamp` in Unix milliseconds."""

    merchant_id: int
    event_id: UUID
    sequence: int
    event_type: str
    reference_id: str | None
    status: str | None
    timestamp: int
    body: bytes


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an endpoint: all that a worker needs to send it once."""

    delivery_id: int
    attempts: int
    event: Event
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `answer` is the first KiB of what came back; for operators only."""

    number: int
    attempted_at: datetime
    http_status: int | None
    latency_milliseconds: int
    error: str | None
    answer: bytes
    retry_after_seconds: int | None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery as the merchant sees it: its tries as (time, HTTP status, latency in ms, error)."""

    endpoint_id: int
    state: DeliveryState
    due_at: datetime
    tries: tuple[tuple[datetime, int | None, int, str | None], ...]


@dataclass(frozen=True, slots=True)
class DeliveryTries:
    """A delivery as operators see it: every try with what the endpoint answered."""

    endpoint_id: int
    state: DeliveryState
    due_at: datetime
    tries: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class EventTries:
    """An event with the tries of all its deliveries."""

    event: Event
    deliveries: tuple[DeliveryTries, ...]


@dataclass(frozen=True, slots=True)
class EventReport:
    """An event with its deliveries."""

    event: Event
    deliveries: tuple[DeliveryReport, ...]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None is any. Times in Unix milliseconds."""

    event_id: UUID | None = None
    event_type: str | None = None
    reference_id: str | None = None
    status: str | None = None
    start: int | None = None
    end: int | None = None
