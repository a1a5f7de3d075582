"""Trace ids as W3C Trace Context writes them; a caller's is kept."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

TRACE_ID: ContextVar[str | None] = ContextVar("trace_id", default=None)
"""Of the request being answered; in every log line, by `add_trace_id`."""

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_id_of(traceparent: bytes | None) -> str:
    """The trace id of a `traceparent` header, or a new one when there is none or it is not valid."""
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)) and int(match[1], 16):
        return match[1].decode()
    return secrets.token_hex(16)


def add_trace_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the trace id of the request being answered into a log line; a processor of structlog."""
    if (trace_id := TRACE_ID.get()) is not None:
        event["traceId"] = trace_id
    return event
