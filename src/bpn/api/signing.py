"""Checks the signature of a request, in either scheme: the three headers, or an HTTP message signature (RFC 9421)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote_plus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bpn.api.errors import InvalidSignature, MissingCredentials, TimestampOutOfWindow
from bpn.kernel import message_signature
from bpn.kernel.signature import sign
from bpn.merchants.model import Credential

_FAMILIES = (
    (b"api-key", b"api-timestamp", b"api-signature"),
    (b"x-bpn-api-key", b"x-bpn-timestamp", b"x-bpn-signature"),
)


class Signature(Protocol):
    """What a request says of its signature."""

    @property
    def api_key(self) -> str:
        """Names the key."""

    def check_time(self, now_milliseconds: int, window_seconds: int) -> int:
        """When it was signed, Unix milliseconds; raises TimestampOutOfWindow."""

    def check(self, credential: Credential, now: datetime, *, query: bytes, body: bytes | None) -> None:
        """Raise InvalidSignature unless it is that of this request with this key; `body` is None for a GET."""

    @property
    def identity(self) -> bytes:
        """What must not come twice: at least 16 bytes."""

    @property
    def content(self) -> bytes:
        """What must be the same, besides the path, for a repetition to be the same signed bytes."""


@dataclass(frozen=True, slots=True)
class SignatureHeaders:
    """The scheme of the public API. `timestamp` as sent: the signature covers its text."""

    api_key: str
    timestamp: str
    signature: str

    def check_time(self, now_milliseconds: int, window_seconds: int) -> int:
        """When it was signed; raises TimestampOutOfWindow."""
        return check_timestamp(self.timestamp, now_milliseconds, window_seconds)

    def check(self, credential: Credential, now: datetime, *, query: bytes, body: bytes | None) -> None:
        """Raise InvalidSignature unless one of the key's living secrets made it."""
        if credential.public_key is not None:
            raise InvalidSignature("This API key takes ed25519 message signatures (RFC 9421) only.")
        secrets = credential.secrets(now)
        if body is None:
            check_query_signature(self, secrets, query)
        else:
            check_body_signature(self, secrets, body)

    @property
    def identity(self) -> bytes:
        """The signature itself."""
        return bytes.fromhex(self.signature)

    @property
    def content(self) -> bytes:
        """Nothing more: the signature is that of the content."""
        return b""


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """An HTTP message signature. What it covers, method and target among it, is checked by `check`."""

    parameters: message_signature.Parameters
    method: str
    url: str
    fields: Sequence[tuple[bytes, bytes]]
    window_seconds: int

    @property
    def api_key(self) -> str:
        """The parameter `keyid`."""
        return self.parameters.key_id

    def check_time(self, now_milliseconds: int, window_seconds: int) -> int:
        """When it was signed; raises TimestampOutOfWindow, for one that has expired as well."""
        created = self.parameters.created * 1000
        expires = self.parameters.expires
        if abs(now_milliseconds - created) > window_seconds * 1000:
            raise TimestampOutOfWindow(
                f"The request was signed at {self.parameters.created}; it must be within {window_seconds} seconds of"
                f" {now_milliseconds // 1000}, the time here."
            )
        if expires is not None and expires * 1000 < now_milliseconds:
            raise TimestampOutOfWindow(
                f"The signature expired at {expires}; the time here is {now_milliseconds // 1000}."
            )
        return created

    def check(self, credential: Credential, now: datetime, *, query: bytes, body: bytes | None) -> None:  # noqa: ARG002 - the target covers the query
        """Raise InvalidSignature unless it covers all it must and the key made it."""
        keys: Sequence[bytes | Ed25519PublicKey] = (
            credential.secrets(now)
            if credential.public_key is None
            else [Ed25519PublicKey.from_public_bytes(credential.public_key)]
        )
        fault = ""
        for key in keys:
            try:
                message_signature.verify_message(
                    self.method, self.url, self.fields, body, self.parameters, key, self.window_seconds
                )
            except message_signature.SignatureMismatchError as mismatch:
                fault = fault or str(mismatch)
            else:
                return
        raise InvalidSignature(
            "The message signature does not fit. Cover @method, @target-uri and, with a body, content-digest."
            + (f" {fault.rstrip('.')}." if fault else "")
        )

    @property
    def identity(self) -> bytes:
        """The nonce, of this key."""
        return hashlib.sha256(f"{self.api_key}\n{self.parameters.nonce}".encode()).digest()

    @property
    def content(self) -> bytes:
        """The signature's own headers: the same nonce with any other signature is a replay."""
        return b"\n".join(value for name, value in self.fields if name in {b"signature-input", b"signature"})


def signature_of(
    scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes], public_url: str | None, window_seconds: int
) -> Signature:
    """What a request says of its signature: the three headers if they are there, else a message signature.

    Args:
        scope: ASGI's.
        headers: its headers by name.
        public_url: what clients reach this installation by; None to take the Host header's word.
        window_seconds: how far its time may be from now.

    Raises:
        MissingCredentials: neither is complete; names the first header that lacks.
    """
    for family in _FAMILIES:
        values = [headers.get(name) for name in family]
        if all(values):
            key, timestamp, signature = (value.decode("latin-1").strip() for value in values if value)
            return SignatureHeaders(key, timestamp, signature)
    if b"signature-input" not in headers:
        missing = next(name for name in _FAMILIES[0] if not headers.get(name)).decode().upper()
        raise MissingCredentials(f"The header {missing} is missing.")
    if not headers.get(b"signature"):
        raise MissingCredentials("The header Signature is missing.")
    try:
        parameters = message_signature.read_parameters(scope["headers"])
    except message_signature.UnreadableSignatureError as fault:
        raise MissingCredentials(str(fault)) from None
    return MessageSignature(
        parameters, scope["method"], _target(scope, headers, public_url), list(scope["headers"]), window_seconds
    )


def _target(scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes], public_url: str | None) -> str:
    """The absolute URI that the client asked for. Behind a proxy only the installation's own settings know it."""
    origin = public_url or f"{scope.get('scheme', 'http')}://{headers.get(b'host', b'').decode('latin-1')}"
    path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{origin}{path}?{query}" if query else f"{origin}{path}"


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


def check_body_signature(headers: SignatureHeaders, secrets: Sequence[bytes], body: bytes) -> None:
    """Raise InvalidSignature unless the signature is that of the raw body with one of the secrets."""
    if not any(_matches(headers, secret, body) for secret in secrets):
        raise InvalidSignature(
            "The signature does not fit. Sign the raw body, '&' and the timestamp with the API secret (HMAC-SHA256)."
        )


def check_query_signature(headers: SignatureHeaders, secrets: Sequence[bytes], query: bytes) -> None:
    """Raise InvalidSignature unless the signature is that of the query as sent, or of its decoded pairs."""
    if any(_matches(headers, secret, query) for secret in secrets):
        return
    decoded = decoded_query(query)
    if decoded is None or not any(_matches(headers, secret, decoded) for secret in secrets):
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
