"""What the webhooks chapter does: turn facts into events, deliver them, show and resend them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from bpn.chapters.webhooks import rules, store
from bpn.chapters.webhooks.errors import (
    ApiKeyNotUsable,
    TooManyEndpoints,
    WebhookEndpointNotFound,
    WebhookEventNotFound,
)
from bpn.chapters.webhooks.model import (
    TEST_EVENT,
    Attempt,
    Delivery,
    Endpoint,
    Event,
    EventFilter,
    EventReport,
    EventTries,
    WebhookTerms,
)
from bpn.database.pool import Transaction
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.merchants import operations as merchants
from bpn.merchants.errors import ApiKeyInUse
from bpn.merchants.model import Credential
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact

LARGEST_ENDPOINTS = 20
ROTATION = timedelta(hours=24)
"""How long a receiver has to change over to a new secret."""
_LEASE = timedelta(seconds=60)
_IN_HAND_PER_ENDPOINT = 8
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class EndpointCommand:
    """What an endpoint shall be; `endpoint_id` None makes a new one. None leaves a field as it is."""

    endpoint_id: int | None
    url: str | None
    event_types: tuple[str, ...] | None
    enabled: bool | None
    api_key: str | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events and how many match."""

    total: int
    events: list[EventReport]


async def announce_events(terms: WebhookTerms, tx: Transaction, facts: Sequence[Fact]) -> None:
    """Make events of facts, and send each to the merchant's endpoints that asked for its type.

    Called in the transaction that marks the facts relayed, so each becomes an event once.
    """
    announced = [_event_of(terms, tx, fact) for fact in facts if fact.name in terms.sources]
    await _send(terms, tx, announced)


async def _send(terms: WebhookTerms, tx: Transaction, events: Sequence[Event]) -> None:
    if not events:
        return
    await store.insert_events(tx, events)
    endpoints = await store.endpoints_of(tx, terms.cipher, sorted({event.merchant_id for event in events}))
    deliveries = [
        (event, endpoint.endpoint_id)
        for event in events
        for endpoint in endpoints
        if endpoint.merchant_id == event.merchant_id
        and endpoint.enabled
        and (not endpoint.event_types or event.event_type in endpoint.event_types)
    ]
    if deliveries:
        await store.insert_deliveries(tx, deliveries)


def _event_of(terms: WebhookTerms, tx: Transaction, fact: Fact) -> Event:
    source = terms.sources[fact.name]
    rendered = source.render(outbox.read(fact, source.fact))
    event = Event(
        fact.merchant_id,
        rules.event_id(fact.merchant_id, fact.fact_id, source.event_type),
        tx.ids.next(),
        source.event_type,
        rendered.reference_id,
        rendered.status,
        fact.timestamp,
        b"",
    )
    data = rendered.data.model_dump(by_alias=True)
    body = rules.body_of(event, data, has_reference=source.has_reference)
    return replace(event, body=terms.encode(body))


async def set_webhook_endpoint(
    terms: WebhookTerms, tx: Transaction, merchant_id: int, command: EndpointCommand
) -> Endpoint:
    """Make an endpoint, or change one. The secret of a new one is shown once, by the caller.

    Raises:
        WebhookEndpointNotFound: no such endpoint.
        InvalidRequest: a url that webhooks may not be posted to, none for a new endpoint, or an unknown type of event.
        ApiKeyNotUsable: not a living key of the merchant.
        TooManyEndpoints: the merchant has 20.
    """
    if command.url is not None:
        rules.check_url(command.url, allow_plain_http=terms.allow_plain_http)
    _check_event_types(terms, command.event_types)
    if command.api_key is not None:
        await _check_api_key(terms, tx, merchant_id, command.api_key)
    if command.endpoint_id is None:
        return await _create(terms, tx, merchant_id, command)
    endpoint = await require_endpoint(terms, tx, merchant_id, command.endpoint_id)
    enabled = endpoint.enabled if command.enabled is None else command.enabled
    changed = replace(
        endpoint,
        url=command.url or endpoint.url,
        event_types=endpoint.event_types if command.event_types is None else command.event_types,
        enabled=enabled,
        disabled_reason=None if enabled else endpoint.disabled_reason,
        api_key=command.api_key or endpoint.api_key,
    )
    await store.save_endpoint(tx, terms.cipher, changed)
    return changed


async def _create(terms: WebhookTerms, tx: Transaction, merchant_id: int, command: EndpointCommand) -> Endpoint:
    if command.url is None:
        raise InvalidRequest.of("url", "is required for a new endpoint")
    if len(await store.endpoints_of(tx, terms.cipher, [merchant_id])) >= LARGEST_ENDPOINTS:
        raise TooManyEndpoints(f"A merchant may have {LARGEST_ENDPOINTS} endpoints; delete one first.")
    endpoint = Endpoint(
        merchant_id=merchant_id,
        endpoint_id=tx.ids.next(),
        url=command.url,
        event_types=command.event_types or (),
        enabled=command.enabled is not False,
        disabled_reason=None,
        api_key=command.api_key,
        secret=_new_secret(),
        previous_secret=None,
        previous_until=None,
        created_at=tx.now,
    )
    await store.insert_endpoint(tx, terms.cipher, endpoint)
    return endpoint


def _new_secret() -> str:
    """A secret in the form of Standard Webhooks: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _check_event_types(terms: WebhookTerms, event_types: Sequence[str] | None) -> None:
    unknown = [event_type for event_type in event_types or () if event_type not in terms.event_types]
    if unknown:
        raise InvalidRequest.of("eventTypes", f"holds {unknown[0]}, which is none of {', '.join(terms.event_types)}")


async def _check_api_key(terms: WebhookTerms, tx: Transaction, merchant_id: int, api_key: str) -> None:
    credential = await merchants.find_credential(tx, terms.cipher, api_key)
    if credential is None or credential.merchant.merchant_id != merchant_id:
        raise ApiKeyNotUsable(
            "apiKey must be a living key of this merchant.", [FieldError("apiKey", "is not a living key")]
        )


async def require_endpoint(terms: WebhookTerms, tx: Transaction, merchant_id: int, endpoint_id: int) -> Endpoint:
    """An endpoint of the merchant, held.

    Raises:
        WebhookEndpointNotFound: no such endpoint, or another merchant's.
    """
    endpoint = await store.lock_endpoint(tx, terms.cipher, merchant_id, endpoint_id)
    if endpoint is None:
        raise WebhookEndpointNotFound(
            f"There is no webhook endpoint {endpoint_id}.", [FieldError("endpointId", "is unknown")]
        )
    return endpoint


async def list_webhook_endpoints(terms: WebhookTerms, tx: Transaction, merchant_id: int) -> list[Endpoint]:
    """The endpoints of a merchant, newest first."""
    return await store.endpoints_of(tx, terms.cipher, [merchant_id])


async def hand_over_signing(
    terms: WebhookTerms, tx: Transaction, merchant_id: int, api_key: str, successor: str | None
) -> None:
    """Let another key sign what this one signs, before it is revoked: where it is named, and where the oldest signs.

    Raises:
        ApiKeyInUse: it signs an endpoint's webhooks, and no successor is given.
        ApiKeyNotUsable: the successor is not another living key of the merchant.
    """
    oldest = (await merchants.oldest_credentials(tx, terms.cipher, [merchant_id])).get(merchant_id)
    is_default = oldest is not None and oldest.api_key == api_key
    signed = [
        endpoint
        for endpoint in await store.endpoints_of(tx, terms.cipher, [merchant_id])
        if endpoint.api_key == api_key or (endpoint.api_key is None and is_default)
    ]
    if not signed:
        return
    if successor is None:
        raise ApiKeyInUse("The key signs webhooks; name the key that signs them from now on.")
    if successor == api_key:
        raise ApiKeyNotUsable("The successor must be another key.")
    await _check_api_key(terms, tx, merchant_id, successor)
    for endpoint in signed:
        held = await require_endpoint(terms, tx, merchant_id, endpoint.endpoint_id)
        await store.save_endpoint(tx, terms.cipher, replace(held, api_key=successor))


async def delete_webhook_endpoint(terms: WebhookTerms, tx: Transaction, merchant_id: int, endpoint_id: int) -> Endpoint:
    """Remove an endpoint; what waited for it is dropped. Raises WebhookEndpointNotFound."""
    endpoint = await require_endpoint(terms, tx, merchant_id, endpoint_id)
    await store.delete_endpoint(tx, merchant_id, endpoint_id)
    return replace(endpoint, enabled=False)


async def rotate_webhook_secret(terms: WebhookTerms, tx: Transaction, merchant_id: int, endpoint_id: int) -> Endpoint:
    """Give an endpoint a new secret; the old one signs beside it for a day. Raises WebhookEndpointNotFound."""
    endpoint = await require_endpoint(terms, tx, merchant_id, endpoint_id)
    rotated = replace(
        endpoint,
        secret=_new_secret(),
        previous_secret=endpoint.secret,
        previous_until=tx.clock.wall() + ROTATION,
    )
    await store.save_endpoint(tx, terms.cipher, rotated)
    return rotated


async def send_test_event(terms: WebhookTerms, tx: Transaction, merchant_id: int, endpoint_id: int) -> Event:
    """Send a TEST event to one endpoint, by the path of all events. Raises WebhookEndpointNotFound."""
    await require_endpoint(terms, tx, merchant_id, endpoint_id)
    sequence = tx.ids.next()
    event = Event(
        merchant_id,
        rules.event_id(merchant_id, sequence, TEST_EVENT),
        sequence,
        TEST_EVENT,
        str(endpoint_id),
        None,
        to_milliseconds(tx.clock.wall()),
        b"",
    )
    body = rules.body_of(event, {"endpointId": str(endpoint_id)}, has_reference=True)
    event = replace(event, body=terms.encode(body))
    await store.insert_events(tx, [event])
    await store.insert_deliveries(tx, [(event, endpoint_id)])
    return event


async def resend_failed(tx: Transaction, merchant_id: int, filters: EventFilter) -> int:
    """Try failed deliveries again at once, with the same event ids; how many."""
    return await store.resend(tx, merchant_id, filters)


async def list_webhook_events(
    tx: Transaction, merchant_id: int, filters: EventFilter, *, before: int | None, offset: int, limit: int
) -> EventPage:
    """The events of a merchant with their tries, newest first."""
    total, events = await store.page(tx, merchant_id, filters, before=before, offset=offset, limit=limit)
    return EventPage(total, events)


async def list_tries(tx: Transaction, event_id: UUID) -> EventTries:
    """An event with every try to deliver it and what came back, for operators.

    Raises:
        WebhookEventNotFound: no merchant has such an event.
    """
    everybody = [merchant.merchant_id for merchant in await merchants.list_merchants(tx)]
    found = await store.find_tries(tx, everybody, event_id)
    if found is None:
        raise WebhookEventNotFound(f"There is no event {event_id}, or it is older than events are kept.")
    return found


async def claim_deliveries(
    terms: WebhookTerms, tx: Transaction, limit: int
) -> list[tuple[Delivery, Credential | None]]:
    """Take deliveries that are due, each with the key that signs it; they are the caller's for a minute."""
    deliveries = await store.claim(tx, terms.cipher, limit=limit, per_endpoint=_IN_HAND_PER_ENDPOINT, lease=_LEASE)
    oldest = await merchants.oldest_credentials(
        tx, terms.cipher, sorted({delivery.event.merchant_id for delivery in deliveries})
    )
    named: dict[str, Credential | None] = {}
    for api_key in {delivery.endpoint.api_key for delivery in deliveries} - {None}:
        named[api_key or ""] = await merchants.find_credential(tx, terms.cipher, api_key or "")
    return [
        (delivery, named.get(delivery.endpoint.api_key or "") or oldest.get(delivery.event.merchant_id))
        for delivery in deliveries
    ]


async def record_attempt(
    terms: WebhookTerms, tx: Transaction, delivery: Delivery, attempt: Attempt, luck: float
) -> None:
    """Write a try; it is delivered, due again by the schedule, or has failed. 410 disables the endpoint."""
    state, due_at = rules.after_attempt(attempt, terms.schedule, luck)
    await store.record_attempt(tx, delivery, attempt, state, due_at)
    if rules.endpoint_is_gone(attempt):
        merchant_id, endpoint_id = delivery.event.merchant_id, delivery.endpoint.endpoint_id
        endpoint = await store.lock_endpoint(tx, terms.cipher, merchant_id, endpoint_id)
        if endpoint is not None:
            gone = replace(endpoint, enabled=False, disabled_reason="The endpoint answered 410 Gone.")
            await store.save_endpoint(tx, terms.cipher, gone)
        await store.fail_pending(tx, merchant_id, endpoint_id)


async def forget_old_events(terms: WebhookTerms, tx: Transaction, limit: int) -> int:
    """Delete events that are older than the retention; how many."""
    return await store.delete_events_before(tx, tx.clock.wall() - terms.retention, limit)
