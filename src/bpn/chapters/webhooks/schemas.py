"""The wire shapes of the webhooks chapter."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from bpn.api.fields import Identifier, Milliseconds, PageQuery, Wire, milliseconds_or_none
from bpn.chapters.webhooks import model
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest

EventTypeName = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=64), Field(examples=["TRANSACTION_STATUS"])
]
EventIdText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=36)]


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidRequest.of("eventId", "must be a UUID") from None


class EndpointRequest(Wire):
    """What an endpoint shall be; without `endpointId` a new one is made."""

    endpoint_id: Identifier | None = None
    url: Annotated[
        str | None,
        StringConstraints(strip_whitespace=True, max_length=2048),
        Field(description="https; the sandbox takes http too.", examples=["https://merchant.example/webhooks"]),
    ] = None
    event_types: Annotated[list[EventTypeName] | None, Field(description="All when empty.", max_length=64)] = None
    enabled: bool | None = None
    api_key: Annotated[
        str | None,
        StringConstraints(max_length=128),
        Field(description="The key that signs; by default the merchant's oldest active one."),
    ] = None


class EndpointReference(Wire):
    """Which endpoint."""

    endpoint_id: Identifier


class Endpoint(Wire):
    """A URL that events are posted to."""

    endpoint_id: Annotated[str, Field(examples=["179545447575900001"])]
    url: str
    event_types: Annotated[list[str], Field(description="All when empty.")]
    enabled: bool
    disabled_reason: str | None
    api_key: Annotated[str | None, Field(description="The key that signs; null: the oldest active one.")]
    secret: Annotated[
        str | None, Field(description="For the webhook-signature header; shown when made or rotated, else null.")
    ]
    create_time: Milliseconds

    @classmethod
    def of(cls, endpoint: model.Endpoint, *, show_secret: bool = False) -> Self:
        """The wire form."""
        return cls(
            endpoint_id=str(endpoint.endpoint_id),
            url=endpoint.url,
            event_types=list(endpoint.event_types),
            enabled=endpoint.enabled,
            disabled_reason=endpoint.disabled_reason,
            api_key=endpoint.api_key,
            secret=endpoint.secret if show_secret else None,
            create_time=to_milliseconds(endpoint.created_at),
        )


class EndpointListQuery(Wire):
    """No filters."""


class EndpointList(Wire):
    """All endpoints of the merchant."""

    list: list[Endpoint]


class ResendRequest(Wire):
    """Which failed events to send again; all when nothing is given."""

    event_id: EventIdText | None = None
    event_type: EventTypeName | None = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.EventFilter:
        """As the chapter knows them."""
        return model.EventFilter(
            event_id=_uuid(self.event_id), event_type=self.event_type, start=self.start_time, end=self.end_time
        )


class Resent(Wire):
    """How many deliveries are tried again."""

    resent: Annotated[int, Field(examples=[3])]


class EventQuery(PageQuery):
    """Filters of the list of events."""

    event_id: EventIdText | None = None
    event_type: EventTypeName | None = None
    reference_id: Annotated[str | None, StringConstraints(max_length=64)] = None
    status: Annotated[str | None, StringConstraints(max_length=64)] = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.EventFilter:
        """As the chapter knows them."""
        return model.EventFilter(
            _uuid(self.event_id), self.event_type, self.reference_id, self.status, self.start_time, self.end_time
        )


class Try(Wire):
    """One try to deliver."""

    time: Milliseconds
    http_status: Annotated[int | None, Field(description="Null when no answer came.")]
    latency_milliseconds: int
    error: str | None


class EventDelivery(Wire):
    """An event's way to one endpoint."""

    endpoint_id: str
    state: Literal["PENDING", "DELIVERED", "FAILED"]
    next_try_time: Milliseconds | None
    tries: list[Try]


class WebhookEvent(Wire):
    """An event with its deliveries."""

    event_id: str
    event_type: str
    timestamp: Milliseconds
    reference_id: str | None
    status: str | None
    deliveries: list[EventDelivery]

    @classmethod
    def of(cls, report: model.EventReport) -> Self:
        """The wire form."""
        event = report.event
        return cls(
            event_id=str(event.event_id),
            event_type=event.event_type,
            timestamp=event.timestamp,
            reference_id=event.reference_id,
            status=event.status,
            deliveries=[_delivery(delivery) for delivery in report.deliveries],
        )


def _delivery(delivery: model.DeliveryReport) -> EventDelivery:
    pending = delivery.state is model.DeliveryState.PENDING
    return EventDelivery(
        endpoint_id=str(delivery.endpoint_id),
        state=delivery.state.value,
        next_try_time=milliseconds_or_none(delivery.due_at if pending else None),
        tries=[
            Try(time=to_milliseconds(time), http_status=status, latency_milliseconds=latency, error=error)
            for time, status, latency, error in delivery.tries
        ],
    )


class TestEvent(Wire):
    """The TEST event that was sent."""

    event_id: str


class TestEventData(Wire):
    """What a TEST event says."""

    endpoint_id: str
