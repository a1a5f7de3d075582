"""What a file is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bpn.kernel.encryption import Cipher

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class FileTerms:
    """What files are kept under."""

    cipher: Cipher
    largest_bytes: int = LARGEST_FILE


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a request gives it.

    Attributes:
        name: as the merchant calls it.
        content_type: what the merchant says it is; None where the request does not say.
        base64: the bytes, in the standard alphabet, with padding.
    """

    name: str
    content_type: str | None
    base64: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """A file that is kept. `digest` is the SHA-256 of its bytes in hex."""

    merchant_id: int
    file_id: int
    name: str
    content_type: str
    size: int
    digest: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedFile:
    """Sealed bytes on their way to the store."""

    merchant_id: int
    file_id: int
    key: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file with where its sealed bytes lie: here, or under `key` in the store when `sealed` is None."""

    file: File
    key: str
    sealed: bytes | None = field(repr=False)
