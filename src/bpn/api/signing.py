"""Checks the signature of a request: headers, time window, and both readings of a query."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from bpn.api.errors import InvalidSignature, MissingCredentials, TimestampOutOfWindow
from bpn.kernel.signature import sign

_FAMILIES = (
    (b"api-key", b"api-timestamp", b"api-signature"),
    (b"x-bpn-api-key", b"x-bpn-timestamp", b"x-bpn-signature"),
)


@dataclass(frozen=True, slots=True)
class SignatureHeaders:
    """What a request says of its signature. `timestamp` as sent: the signature covers its text."""

    api_key: str
    timestamp: str
    signature: str

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes]) -> SignatureHeaders:
        """Read either family of headers.

        Raises:
            MissingCredentials: neither family is complete; names the first header that lacks.
        """
        for family in _FAMILIES:
            values = [headers.get(name) for name in family]
            if all(values):
                key, timestamp, signature = (value.decode("latin-1").strip() for value in values if value)
                return cls(key, timestamp, signature)
        missing = next(name for name in _FAMILIES[0] if not headers.get(name)).decode().upper()
        raise MissingCredentials(f"The header {missing} is missing.")


def check_timestamp(timestamp: str, now_milliseconds: int, window_seconds: int) -> int:
    """The timestamp as a number.

    Raises:
        TimestampOutOfWindow: not Unix milliseconds, or further than the window from now.
    """
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 15:  # noqa: PLR2004 - the year 33658
        raise TimestampOutOfWindow("The header API-TIMESTAMP must be the Unix time in milliseconds.")
    milliseconds = int(timestamp)
    if abs(now_milliseconds - milliseconds) > window_seconds * 1000:
        raise TimestampOutOfWindow(
            f"The request was signed at {milliseconds}; it must be within {window_seconds} seconds of"
            f" {now_milliseconds}, the time here."
        )
    return milliseconds


def check_body_signature(headers: SignatureHeaders, secret: bytes, body: bytes) -> None:
    """Raise InvalidSignature unless the signature is that of the raw body."""
    if not _matches(headers, secret, body):
        raise InvalidSignature(
            "The signature does not fit. Sign the raw body, '&' and the timestamp with the API secret (HMAC-SHA256)."
        )


def check_query_signature(headers: SignatureHeaders, secret: bytes, query: bytes) -> None:
    """Raise InvalidSignature unless the signature is that of the query as sent, or of its decoded pairs."""
    if _matches(headers, secret, query):
        return
    decoded = decoded_query(query)
    if decoded is None or not _matches(headers, secret, decoded):
        raise InvalidSignature(
            "The signature does not fit. Sign the query string as sent, '&' and the timestamp with the API secret"
            " (HMAC-SHA256)."
        )


def decoded_query(query: bytes) -> bytes | None:
    """The `name=value` pairs of a query decoded and joined with `&`, as many clients sign them.

    None where that could be read in two ways: a decoded name or value holds `&` or `=`.
    """
    pairs = []
    for part in query.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        name, value = unquote_plus(name), unquote_plus(value)
        if any(mark in text for text in (name, value) for mark in "&="):
            return None
        pairs.append(f"{name}={value}")
    return "&".join(pairs).encode()


def _matches(headers: SignatureHeaders, secret: bytes, content: bytes) -> bool:
    expected = sign(secret, content, headers.timestamp)
    return hmac.compare_digest(expected.encode(), headers.signature.encode("latin-1"))
