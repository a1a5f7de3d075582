"""All SQL of the tables `webhook_*`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bpn.chapters.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryReport,
    DeliveryState,
    DeliveryTries,
    Endpoint,
    Event,
    EventFilter,
    EventReport,
    EventTries,
)
from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, optional_texts, texts
from bpn.kernel.encryption import Cipher

_ENDPOINT = """
    p.merchant_id, p.endpoint_id, p.url, p.event_types, p.enabled, p.disabled_reason, p.api_key, p.sealed_secret,
    p.sealed_previous, p.previous_until, p.created_at
"""
_EVENT = "e.merchant_id, e.event_id, e.sequence, e.event_type, e.reference_id, e.status, e.timestamp, e.body"
_EVENT_COLUMNS = 8


async def insert_endpoint(tx: Transaction, cipher: Cipher, endpoint: Endpoint) -> None:
    """Add an endpoint."""
    await tx.connection.execute(
        """
        INSERT INTO webhook_endpoints (merchant_id, endpoint_id, url, event_types, enabled, api_key, sealed_secret,
                                       created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            endpoint.merchant_id,
            endpoint.endpoint_id,
            endpoint.url,
            list(endpoint.event_types),
            endpoint.enabled,
            endpoint.api_key,
            _seal(cipher, endpoint, endpoint.secret),
            endpoint.created_at,
        ),
    )


async def save_endpoint(tx: Transaction, cipher: Cipher, endpoint: Endpoint) -> None:
    """Write what may change of an endpoint."""
    await tx.connection.execute(
        """
        UPDATE webhook_endpoints
        SET url = %s, event_types = %s, enabled = %s, disabled_reason = %s, api_key = %s, sealed_secret = %s,
            sealed_previous = %s, previous_until = %s
        WHERE merchant_id = %s AND endpoint_id = %s
        """,
        (
            endpoint.url,
            list(endpoint.event_types),
            endpoint.enabled,
            endpoint.disabled_reason,
            endpoint.api_key,
            _seal(cipher, endpoint, endpoint.secret),
            None if endpoint.previous_secret is None else _seal(cipher, endpoint, endpoint.previous_secret),
            endpoint.previous_until,
            endpoint.merchant_id,
            endpoint.endpoint_id,
        ),
    )


async def delete_endpoint(tx: Transaction, merchant_id: int, endpoint_id: int) -> None:
    """Remove an endpoint with what waits for it."""
    await tx.connection.execute(
        "DELETE FROM webhook_deliveries WHERE merchant_id = %s AND endpoint_id = %s AND state = 'PENDING'",
        (merchant_id, endpoint_id),
    )
    await tx.connection.execute(
        "DELETE FROM webhook_endpoints WHERE merchant_id = %s AND endpoint_id = %s", (merchant_id, endpoint_id)
    )


async def lock_endpoint(tx: Transaction, cipher: Cipher, merchant_id: int, endpoint_id: int) -> Endpoint | None:
    """An endpoint, held."""
    cursor = await tx.connection.execute(
        f"SELECT {_ENDPOINT} FROM webhook_endpoints p WHERE p.merchant_id = %s AND p.endpoint_id = %s FOR UPDATE",
        (merchant_id, endpoint_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _endpoint(cipher, row)


async def endpoints_of(tx: Transaction, cipher: Cipher, merchant_ids: Sequence[int]) -> list[Endpoint]:
    """All endpoints of merchants, newest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_ENDPOINT} FROM webhook_endpoints p
        WHERE p.merchant_id = ANY(%s::bigint[]) ORDER BY p.endpoint_id DESC
        """,
        (integers(merchant_ids),),
    )
    return [_endpoint(cipher, row) for row in await cursor.fetchall()]


def _endpoint(cipher: Cipher, row: Sequence[Any]) -> Endpoint:
    place = f"webhook_endpoint/{row[1]}"
    return Endpoint(
        merchant_id=row[0],
        endpoint_id=row[1],
        url=row[2],
        event_types=tuple(row[3]),
        enabled=row[4],
        disabled_reason=row[5],
        api_key=row[6],
        secret=cipher.open(row[7], place).decode(),
        previous_secret=None if row[8] is None else cipher.open(row[8], place).decode(),
        previous_until=row[9],
        created_at=row[10],
    )


def _seal(cipher: Cipher, endpoint: Endpoint, secret: str) -> bytes:
    return cipher.seal(secret.encode(), f"webhook_endpoint/{endpoint.endpoint_id}")


async def insert_events(tx: Transaction, events: Sequence[Event]) -> None:
    """Add events; one that stands already is left as it is."""
    await tx.connection.execute(
        """
        INSERT INTO webhook_events (created_at, merchant_id, event_id, sequence, event_type, reference_id, status,
                                    timestamp, body)
        SELECT %s, * FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[],
                                 %s::bigint[], %s::bytea[])
        ON CONFLICT (merchant_id, event_id) DO NOTHING
        """,
        (
            tx.clock.wall(),
            integers([event.merchant_id for event in events]),
            texts([str(event.event_id) for event in events]),
            integers([event.sequence for event in events]),
            texts([event.event_type for event in events]),
            optional_texts([event.reference_id for event in events]),
            optional_texts([event.status for event in events]),
            integers([event.timestamp for event in events]),
            hexadecimals([event.body for event in events]),
        ),
    )


async def insert_deliveries(tx: Transaction, deliveries: Sequence[tuple[Event, int]]) -> None:
    """Send events to endpoints, due at once."""
    await tx.connection.execute(
        """
        INSERT INTO webhook_deliveries (state, due_at, merchant_id, delivery_id, event_id, endpoint_id)
        SELECT 'PENDING', %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[])
        """,
        (
            tx.clock.wall(),
            integers([event.merchant_id for event, _ in deliveries]),
            integers([tx.ids.next() for _ in deliveries]),
            texts([str(event.event_id) for event, _ in deliveries]),
            integers([endpoint_id for _, endpoint_id in deliveries]),
        ),
    )


async def claim(tx: Transaction, cipher: Cipher, *, limit: int, per_endpoint: int, lease: timedelta) -> list[Delivery]:
    """Take deliveries that are due, fairly: of each endpoint at most `per_endpoint` are in hand at a time.

    So an endpoint that hangs holds up neither another nor, beyond its few places, the workers.
    """
    now = tx.clock.wall()
    cursor = await tx.connection.execute(
        f"""
        WITH due AS (
            SELECT d.merchant_id, d.delivery_id
            FROM webhook_endpoints p
            CROSS JOIN LATERAL (
                SELECT greatest(0, %(per_endpoint)s - count(*)) AS free FROM webhook_deliveries h
                WHERE h.merchant_id = p.merchant_id AND h.endpoint_id = p.endpoint_id AND h.state = 'PENDING'
                  AND h.leased_until > %(now)s
            ) places
            CROSS JOIN LATERAL (
                SELECT w.merchant_id, w.delivery_id, w.due_at FROM webhook_deliveries w
                WHERE w.merchant_id = p.merchant_id AND w.endpoint_id = p.endpoint_id AND w.state = 'PENDING'
                  AND w.due_at <= %(now)s AND w.leased_until <= %(now)s
                ORDER BY w.due_at LIMIT places.free FOR UPDATE SKIP LOCKED
            ) d
            WHERE p.enabled ORDER BY d.due_at LIMIT %(limit)s
        ), taken AS (
            UPDATE webhook_deliveries d SET leased_until = %(until)s FROM due
            WHERE d.merchant_id = due.merchant_id AND d.delivery_id = due.delivery_id
            RETURNING d.merchant_id, d.delivery_id, d.attempts, d.event_id, d.endpoint_id
        )
        SELECT t.delivery_id, t.attempts, {_EVENT}, {_ENDPOINT}
        FROM taken t JOIN webhook_events e USING (merchant_id, event_id)
        JOIN webhook_endpoints p ON p.merchant_id = t.merchant_id AND p.endpoint_id = t.endpoint_id
        ORDER BY t.delivery_id
        """,
        {"per_endpoint": per_endpoint, "now": now, "until": now + lease, "limit": limit},
    )
    return [
        Delivery(row[0], row[1], _event(row[2:]), _endpoint(cipher, row[2 + _EVENT_COLUMNS :]))
        for row in await cursor.fetchall()
    ]


def _event(row: Sequence[Any]) -> Event:
    return Event(row[0], row[1], row[2], row[3], row[4], row[5], row[6], bytes(row[7]))


async def record_attempt(
    tx: Transaction, delivery: Delivery, attempt: Attempt, state: DeliveryState, due_at: datetime
) -> None:
    """Write a try and what follows it."""
    key = (delivery.event.merchant_id, delivery.delivery_id)
    await tx.connection.execute(
        """
        INSERT INTO webhook_attempts (merchant_id, delivery_id, number, attempted_at, http_status, latency_ms, error,
                                      answer)
        VALUES (%s, %s, (SELECT coalesce(max(number), 0) + 1 FROM webhook_attempts
                         WHERE merchant_id = %s AND delivery_id = %s), %s, %s, %s, %s, %s)
        """,
        (
            *key,
            *key,
            attempt.attempted_at,
            attempt.http_status,
            attempt.latency_milliseconds,
            attempt.error,
            attempt.answer,
        ),
    )
    await tx.connection.execute(
        """
        UPDATE webhook_deliveries SET state = %s, attempts = %s, due_at = %s, leased_until = '-infinity'
        WHERE merchant_id = %s AND delivery_id = %s
        """,
        (state, attempt.number, due_at, *key),
    )


async def fail_pending(tx: Transaction, merchant_id: int, endpoint_id: int) -> None:
    """Give up all that waits for an endpoint."""
    await tx.connection.execute(
        """
        UPDATE webhook_deliveries SET state = 'FAILED'
        WHERE merchant_id = %s AND endpoint_id = %s AND state = 'PENDING'
        """,
        (merchant_id, endpoint_id),
    )


async def resend(tx: Transaction, merchant_id: int, filters: EventFilter) -> int:
    """Make failed deliveries due at once, with a fresh schedule; how many."""
    condition, parameters = _conditions(merchant_id, filters)
    cursor = await tx.connection.execute(
        f"""
        UPDATE webhook_deliveries d SET state = 'PENDING', attempts = 0, due_at = %(now)s
        FROM webhook_events e, webhook_endpoints p
        WHERE d.merchant_id = e.merchant_id AND d.event_id = e.event_id AND {condition}
          AND p.merchant_id = d.merchant_id AND p.endpoint_id = d.endpoint_id AND p.enabled
          AND (d.state = 'FAILED' OR (d.state = 'PENDING' AND d.attempts > 0))
        """,
        {**parameters, "now": tx.clock.wall()},
    )
    return cursor.rowcount


async def page(
    tx: Transaction, merchant_id: int, filters: EventFilter, *, before: int | None, offset: int, limit: int
) -> tuple[int, list[EventReport]]:
    """How many events match, and a page of them with their tries, newest first."""
    condition, parameters = _conditions(merchant_id, filters)
    cursor = await tx.connection.execute(f"SELECT count(*) FROM webhook_events e WHERE {condition}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND e.sequence < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_EVENT} FROM webhook_events e WHERE {condition}{keyset}
        ORDER BY e.sequence DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        {**parameters, "before": before, "offset": offset, "limit": limit},
    )
    events = [_event(row) for row in await cursor.fetchall()]
    deliveries = await _deliveries(tx, merchant_id, [event.event_id for event in events])
    return total[0], [EventReport(event, tuple(deliveries.get(event.event_id, ()))) for event in events]


def _conditions(merchant_id: int, filters: EventFilter) -> tuple[str, dict[str, object]]:
    parts = {
        "e.event_id = %(event_id)s": filters.event_id,
        "e.event_type = %(event_type)s": filters.event_type,
        "e.reference_id = %(reference_id)s": filters.reference_id,
        "e.status = %(status)s": filters.status,
        "e.timestamp >= %(start)s": filters.start,
        "e.timestamp < %(end)s": filters.end,
    }
    condition = " AND ".join(
        ["e.merchant_id = %(merchant_id)s", *(sql for sql, value in parts.items() if value is not None)]
    )
    return condition, {
        "merchant_id": merchant_id,
        "event_id": filters.event_id,
        "event_type": filters.event_type,
        "reference_id": filters.reference_id,
        "status": filters.status,
        "start": filters.start,
        "end": filters.end,
    }


async def _deliveries(tx: Transaction, merchant_id: int, event_ids: Sequence[UUID]) -> dict[UUID, list[DeliveryReport]]:
    cursor = await tx.connection.execute(
        """
        SELECT d.event_id, d.endpoint_id, d.state, d.due_at, a.attempted_at, a.http_status, a.latency_ms, a.error
        FROM webhook_deliveries d LEFT JOIN webhook_attempts a USING (merchant_id, delivery_id)
        WHERE d.merchant_id = %s AND d.event_id = ANY(%s) ORDER BY d.delivery_id, a.number
        """,
        (merchant_id, list(event_ids)),
    )
    reports: dict[UUID, dict[int, DeliveryReport]] = {}
    for event_id, endpoint_id, state, due_at, *attempt in await cursor.fetchall():
        known = reports.setdefault(event_id, {}).setdefault(
            endpoint_id, DeliveryReport(endpoint_id, DeliveryState(state), due_at, ())
        )
        if attempt[0] is not None:
            reports[event_id][endpoint_id] = replace(known, tries=(*known.tries, tuple(attempt)))
    return {event_id: list(by_endpoint.values()) for event_id, by_endpoint in reports.items()}


async def find_tries(tx: Transaction, merchant_ids: Sequence[int], event_id: UUID) -> EventTries | None:
    """An event of any of these merchants with every try to deliver it."""
    cursor = await tx.connection.execute(
        f"SELECT {_EVENT} FROM webhook_events e WHERE e.merchant_id = ANY(%s::bigint[]) AND e.event_id = %s",
        (integers(merchant_ids), event_id),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    event = _event(row)
    cursor = await tx.connection.execute(
        """
        SELECT d.delivery_id, d.endpoint_id, d.state, d.due_at, a.number, a.attempted_at, a.http_status, a.latency_ms,
               a.error, a.answer
        FROM webhook_deliveries d LEFT JOIN webhook_attempts a USING (merchant_id, delivery_id)
        WHERE d.merchant_id = %s AND d.event_id = %s ORDER BY d.delivery_id, a.number
        """,
        (event.merchant_id, event_id),
    )
    deliveries: dict[int, DeliveryTries] = {}
    for delivery_id, endpoint_id, state, due_at, *one in await cursor.fetchall():
        known = deliveries.setdefault(delivery_id, DeliveryTries(endpoint_id, DeliveryState(state), due_at, ()))
        number, time, status, latency, error, answer = one
        if number is not None:
            attempt = Attempt(number, time, status, latency, error, answer, None)
            deliveries[delivery_id] = replace(known, tries=(*known.tries, attempt))
    return EventTries(event, tuple(deliveries.values()))


async def delete_events_before(tx: Transaction, time: datetime, limit: int) -> int:
    """Forget old events with all that belongs to them; how many."""
    cursor = await tx.connection.execute(
        """
        DELETE FROM webhook_events WHERE (merchant_id, event_id) IN (
            SELECT merchant_id, event_id FROM webhook_events WHERE created_at < %s ORDER BY created_at LIMIT %s)
        """,
        (time, limit),
    )
    return cursor.rowcount
