"""Pure decisions of the webhooks chapter: URLs, bodies, headers, when to try again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from standardwebhooks.webhooks import Webhook

from bpn.chapters.webhooks.model import Attempt, DeliveryState, Endpoint, Event
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.signature import sign
from bpn.merchants.model import Credential

_EVENTS = UUID("6f3d1c52-7a0e-4a53-9a7e-0d6b1c1f6a11")
_LONGEST_URL = 2048
_LONGEST_WAIT = timedelta(hours=24)
_GONE = 410
_JITTER = 0.1


def check_url(url: str, *, allow_plain_http: bool) -> str:
    """A URL that webhooks may be posted to. Where it leads is checked when it is connected to.

    Raises:
        InvalidRequest: not absolute, not https, too long, or with a user name in it.
    """
    fault = None
    try:
        parts = urlsplit(url)
        if parts.scheme not in ({"https", "http"} if allow_plain_http else {"https"}):
            fault = "must begin with https://"
        elif not parts.hostname or len(url) > _LONGEST_URL or (parts.port or 1) < 1:
            fault = f"must name a host and have at most {_LONGEST_URL} characters"
        elif parts.username is not None or parts.password is not None:
            fault = "must not hold a user name or password"
    except ValueError:
        fault = "is not a URL"
    if fault is not None:
        raise InvalidRequest.of("url", fault)
    return url


def event_id(merchant_id: int, fact_id: int, event_type: str) -> UUID:
    """The id of the event that a fact becomes: always the same, so that relaying twice cannot double it."""
    return uuid5(_EVENTS, f"{merchant_id}/{fact_id}/{event_type}")


def body_of(event: Event, data: Mapping[str, object], *, has_reference: bool) -> dict[str, object]:
    """What is posted, before it is written as JSON."""
    head: dict[str, object] = {
        "eventId": str(event.event_id),
        "eventType": event.event_type,
        "timestamp": event.timestamp,
    }
    if has_reference:
        head |= {"referenceId": event.reference_id, "status": event.status}
    return {**head, "data": data}


def headers_of(
    event: Event, endpoint: Endpoint, credential: Credential | None, now: datetime, timestamp: str
) -> dict[str, str]:
    """The headers of one try: our signature in both families, and Standard Webhooks.

    Args:
        event: what is sent.
        endpoint: to whom; during a rotation both of its secrets sign.
        credential: the merchant's key that signs; None when it has no living key.
        now: wall time of the try.
        timestamp: the same in Unix milliseconds.
    """
    headers = {"Content-Type": "application/json"}
    if credential is not None:
        signature = sign(credential.secret, event.body, timestamp)
        for prefix in ("API", "X-BPN"):
            headers[f"{prefix}-TIMESTAMP"] = timestamp
            headers[f"{prefix}-SIGNATURE"] = signature
        headers["API-KEY"] = headers["X-BPN-API-KEY"] = credential.api_key
    secrets = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > now:
        secrets.append(endpoint.previous_secret)
    identity = str(event.event_id)
    signatures = [Webhook(secret).sign(identity, now, event.body.decode()) for secret in secrets]
    return headers | {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def succeeded(attempt: Attempt) -> bool:
    """Whether the endpoint has said that it knows: any 2xx."""
    return attempt.http_status is not None and 200 <= attempt.http_status < 300  # noqa: PLR2004 - the class of 2xx


def endpoint_is_gone(attempt: Attempt) -> bool:
    """Whether the endpoint asked never to be called again (410)."""
    return attempt.http_status == _GONE


def after_attempt(attempt: Attempt, schedule: tuple[timedelta, ...], luck: float) -> tuple[DeliveryState, datetime]:
    """What follows a try: the delivery's state, and when it is due again.

    Args:
        attempt: the try.
        schedule: the waits between tries.
        luck: 0 to 1, spreads the waits by a tenth to either side so that not all return at once.
    """
    if succeeded(attempt):
        return DeliveryState.DELIVERED, attempt.attempted_at
    if endpoint_is_gone(attempt) or attempt.number > len(schedule):
        return DeliveryState.FAILED, attempt.attempted_at
    wait = schedule[attempt.number - 1] * (1 - _JITTER + 2 * _JITTER * luck)
    asked = timedelta(seconds=attempt.retry_after_seconds or 0)
    return DeliveryState.PENDING, attempt.attempted_at + max(wait, min(asked, _LONGEST_WAIT))
