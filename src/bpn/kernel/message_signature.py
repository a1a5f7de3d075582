"""HTTP Message Signatures (RFC 9421) as requests use them: method, target, body's digest, time, nonce, key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import http_sf
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519, HMAC_SHA256
from http_message_signatures.exceptions import HTTPMessageSignaturesException

TAG = "bpn"
"""Picks our signature where a message carries several."""
_LABEL = "bpn"
_COVERED = ("@method", "@target-uri")
_COVERED_WITH_BODY = (*_COVERED, "content-digest")


class UnreadableSignatureError(Exception):
    """The headers do not hold one signature with all its parameters; the message names what lacks."""


class SignatureMismatchError(Exception):
    """The signature is not that of this message with this key, or does not cover what it must."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a signature says of itself. `created` and `expires` in Unix seconds."""

    key_id: str
    created: int
    expires: int | None
    nonce: str
    tag: str | None


class _Headers:
    """Header fields as they came, repeated ones too."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self._fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]

    def items(self) -> list[tuple[str, str]]:
        return self._fields

    def combined(self, name: str) -> str:
        return ", ".join(value for field, value in self._fields if field.lower() == name)


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the library asks for it."""

    method: str
    url: str
    headers: Any


def read_parameters(fields: Iterable[tuple[bytes, bytes]]) -> Parameters:
    """The parameters of a message's one signature, or of the one tagged `bpn` where there are several.

    Raises:
        UnreadableSignatureError: no such signature, or one without keyid, created or nonce.
    """
    text = _Headers(fields).combined("signature-input")
    try:
        found: Any = http_sf.parse(text.encode("latin-1"), tltype="dictionary")
    except ValueError:
        raise UnreadableSignatureError("The header Signature-Input is not a dictionary of signatures.") from None
    listed: list[Mapping[str, Any]] = [parameters for value, parameters in found.values() if isinstance(value, list)]
    if len(listed) > 1:
        listed = [parameters for parameters in listed if parameters.get("tag") == TAG]
    if len(listed) != 1:
        raise UnreadableSignatureError(
            f'The header Signature-Input must hold one signature, or exactly one with the parameter tag="{TAG}".'
        )
    given = listed[0]
    for name, kind in (("keyid", str), ("created", int), ("nonce", str)):
        if type(given.get(name)) is not kind or not given[name]:
            raise UnreadableSignatureError(f"The header Signature-Input lacks the parameter {name}.")
    expires = given.get("expires")
    return Parameters(
        given["keyid"],
        given["created"],
        expires if type(expires) is int else None,
        given["nonce"],
        given["tag"] if isinstance(given.get("tag"), str) else None,
    )


def verify_message(
    method: str,
    url: str,
    fields: Iterable[tuple[bytes, bytes]],
    body: bytes | None,
    parameters: Parameters,
    key: bytes | Ed25519PublicKey,
    window_seconds: int,
) -> None:
    """Check a request against its signature.

    Args:
        method: as sent.
        url: the absolute target URI as the client must have signed it.
        fields: the header fields as they came.
        body: whose digest must be covered; None for a request without one.
        parameters: as read from the same fields.
        key: the shared secret (hmac-sha256) or the public key (ed25519).
        window_seconds: how far `created` may be from now.

    Raises:
        SignatureMismatchError: another key, another message, too little covered, another algorithm, or too old.
    """
    verifier = HTTPMessageVerifier(
        signature_algorithm=_algorithm(key),
        key_resolver=MappingKeyResolver(public_keys={parameters.key_id: key}, private_keys={}),
    )
    verifier.max_clock_skew = timedelta(seconds=window_seconds)
    try:
        verifier.verify(
            _Message(method, url, _Headers(fields)),
            max_age=timedelta(0),
            expect_tag=parameters.tag,
            require_components=_COVERED if body is None else _COVERED_WITH_BODY,
            body=body,
        )
    except (InvalidSignature, HTTPMessageSignaturesException) as fault:
        raise SignatureMismatchError(str(fault)) from None


def sign_message(
    method: str,
    url: str,
    body: bytes | None,
    *,
    key_id: str,
    key: bytes | Ed25519PrivateKey,
    created: datetime,
    nonce: str,
) -> dict[str, str]:
    """The headers that sign a request: `Signature-Input`, `Signature`, and `Content-Digest` where it has a body.

    Args:
        method: in capitals.
        url: the absolute target URI as it is sent, with its query.
        body: None for a request without one.
        key_id: names the key.
        key: the shared secret (hmac-sha256) or the private key (ed25519).
        created: now.
        nonce: used once.
    """
    headers: dict[str, str] = {}
    signer = HTTPMessageSigner(
        signature_algorithm=_algorithm(key), key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: key})
    )
    signer.sign(
        _Message(method, url, headers),
        key_id=key_id,
        created=created,
        nonce=nonce,
        label=_LABEL,
        tag=TAG,
        covered_component_ids=_COVERED,
        body=body,
    )
    return headers


def read_public_key(text: str) -> bytes:
    """The 32 bytes of an ed25519 public key given as PEM, or as hex.

    Raises:
        ValueError: neither, or a key of another kind.
    """
    text = text.strip()
    if text.startswith("-----"):
        try:
            key = load_pem_public_key(text.encode())
        except UnsupportedAlgorithm:
            raise ValueError("a key of another kind") from None
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("a key of another kind")
        return key.public_bytes_raw()
    raw = bytes.fromhex(text)
    return Ed25519PublicKey.from_public_bytes(raw).public_bytes_raw()


def _algorithm(key: object) -> type[HTTPSignatureAlgorithm]:
    return HMAC_SHA256 if isinstance(key, bytes) else ED25519
