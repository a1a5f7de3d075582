"""The signature of requests and webhooks: HMAC-SHA256 over content, `&` and timestamp, as lower-case hex."""

from __future__ import annotations

import hashlib
import hmac


def sign(secret: bytes, content: bytes, timestamp: str) -> str:
    """The signature of a content: a raw body, or a query string without `?`.

    Args:
        secret: the API key's secret.
        content: the bytes exactly as sent; empty for a GET without query.
        timestamp: Unix milliseconds, as sent.
    """
    return hmac.new(secret, content + b"&" + timestamp.encode("latin-1"), hashlib.sha256).hexdigest()
