"""Secrets at rest: AES-256-GCM under a master key, each bound to the place it is stored in, and naming its key."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASTER_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
_NAMELESS = b"\x01"
"""Version 1: nonce and body; which key it was is found by trying."""
_NAMED = b"\x02"
"""Version 2: the key's id, nonce and body."""
_HEADER_BYTES = len(_NAMED) + _KEY_ID_BYTES


class DecryptionError(Exception):
    """The stored bytes were not sealed with a key of this ring for this place, or were changed since."""


class Cipher:
    """Seals secrets with the newest master key of a ring, and opens what any of the ring sealed.

    Args of the constructor:
        keys: the newest first.
        reread: the ring as it is now, asked when something was sealed with a key that is not known.

    Attributes:
        digest_key: of `digest`. It must outlive the master key that it was made from, so the installation keeps it.
    """

    def __init__(self, *keys: bytes, reread: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._reread = reread
        self._ring: dict[bytes, AESGCM] = {}
        self._take(keys)
        self.digest_key = hmac.digest(keys[0], b"digests", hashlib.sha256)

    @property
    def header(self) -> bytes:
        """What everything begins with that is sealed now."""
        return _NAMED + next(iter(self._ring))

    def renew(self) -> None:
        """Read the ring anew: another process has changed it."""
        if self._reread is not None:
            self._take(self._reread())

    def seal(self, secret: bytes, place: str) -> bytes:
        """Encrypt. `place` names where the result is kept (`api_key/…`) and must be given again to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        key_id, aead = next(iter(self._ring.items()))
        return _NAMED + key_id + nonce + aead.encrypt(nonce, secret, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what `seal` made for this place.

        Raises:
            DecryptionError: a key that is not in the ring, another place, or altered bytes.
        """
        if sealed[:1] == _NAMELESS:
            return _open(list(self._ring.values()), sealed[1:], place)
        if sealed[:1] != _NAMED:
            raise DecryptionError(place)
        key_id = bytes(sealed[1:_HEADER_BYTES])
        if key_id not in self._ring:
            self.renew()
        if key_id not in self._ring:
            raise DecryptionError(place)
        return _open([self._ring[key_id]], sealed[_HEADER_BYTES:], place)

    def digest(self, secret: bytes, place: str) -> bytes:
        """A keyed digest (HMAC-SHA256): tells whether two secrets are equal, and nobody without the key can guess.

        For what has few possible values (codes, tax numbers), where a plain hash could be tried out.
        """
        return hmac.digest(self.digest_key, place.encode() + b"\x00" + secret, hashlib.sha256)

    def _take(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != MASTER_KEY_BYTES for key in keys):
            raise ValueError(f"a master key must have {MASTER_KEY_BYTES} bytes")
        self._ring = {key_id(key): AESGCM(key) for key in keys}


def key_id(master_key: bytes) -> bytes:
    """What a master key is called in what it sealed; tells nothing of the key."""
    return hashlib.sha256(b"bpn master key\x00" + master_key).digest()[:_KEY_ID_BYTES]


def _open(keys: Sequence[AESGCM], sealed: bytes, place: str) -> bytes:
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for key in keys:
        try:
            return key.decrypt(nonce, body, place.encode())
        except (InvalidTag, ValueError):
            continue
    raise DecryptionError(place)
