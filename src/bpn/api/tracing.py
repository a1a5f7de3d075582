"""Trace ids as W3C Trace Context writes them; a caller's is kept."""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_id_of(traceparent: bytes | None) -> str:
    """The trace id of a `traceparent` header, or a new one when there is none or it is not valid."""
    if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)) and int(match[1], 16):
        return match[1].decode()
    return secrets.token_hex(16)
