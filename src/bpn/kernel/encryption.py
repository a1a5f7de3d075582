"""Secrets at rest: AES-256-GCM under the master key, each bound to the place it is stored in."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class DecryptionError(Exception):
    """The stored bytes were not sealed with this master key for this place, or were changed since."""


class Cipher:
    """Seals and opens secrets with one master key."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key must have {MASTER_KEY_BYTES} bytes")
        self._aead = AESGCM(master_key)
        self._digest_key = hmac.digest(master_key, b"digests", hashlib.sha256)

    def seal(self, secret: bytes, place: str) -> bytes:
        """Encrypt. `place` names where the result is kept (`api_key/…`) and must be given again to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what `seal` made for this place.

        Raises:
            DecryptionError: another master key, another place, or altered bytes.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, body, place.encode())
        except InvalidTag:
            raise DecryptionError(place) from None

    def digest(self, secret: bytes, place: str) -> bytes:
        """A keyed digest (HMAC-SHA256): tells whether two secrets are equal, and nobody without the key can guess.

        For what has few possible values (codes, tax numbers), where a plain hash could be tried out.
        """
        return hmac.digest(self._digest_key, place.encode() + b"\x00" + secret, hashlib.sha256)
