"""Pure decisions on files: what a content is, what a name may be, where bytes lie."""

from __future__ import annotations

import base64
import binascii
import unicodedata

import puremagic

from bpn.files.model import Upload
from bpn.kernel.errors import InvalidRequest

ACCEPTED_TYPES = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG"}
_LONGEST_NAME = 200
_FORBIDDEN_IN_NAMES = frozenset('/\\:*?"<>|')
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/x-pdf": "application/pdf"}
_END_OF_PDF = b"%%EOF"
_PDF_TAIL = 2048


def read_upload(upload: Upload, field: str, largest: int, type_field: str) -> tuple[str, str, bytes]:
    """A file's name, its type by its bytes, and its bytes.

    Args:
        upload: as the request gives it.
        field: how the request names it, for the refusal.
        largest: bytes it may have.
        type_field: how the request names the type in it.

    Raises:
        InvalidRequest: no base64, empty, too large, of a type not accepted, or of another type than it says; a name
            that is none.
    """
    name = read_name(upload.name, f"{field}.name")
    if len(upload.base64) > (largest + 2) // 3 * 4:
        raise InvalidRequest.of(f"{field}.base64", f"must not be larger than {largest // (1024 * 1024)} MiB")
    try:
        content = base64.b64decode(upload.base64, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest.of(f"{field}.base64", "must be base64") from None
    if not content:
        raise InvalidRequest.of(f"{field}.base64", "must not be empty")
    if len(content) > largest:
        raise InvalidRequest.of(f"{field}.base64", f"must not be larger than {largest // (1024 * 1024)} MiB")
    found = type_of(content)
    if found not in ACCEPTED_TYPES:
        raise InvalidRequest.of(f"{field}.base64", f"must be one of {', '.join(ACCEPTED_TYPES.values())}")
    if upload.content_type is not None:
        told = upload.content_type.partition(";")[0].strip().lower()
        if _ALIASES.get(told, told) != found:
            raise InvalidRequest.of(f"{field}.{type_field}", f"says {told[:64]!r}, but the content is {found}")
    return name, found, content


def read_name(text: str, field: str) -> str:
    """A file's name: no path, nothing invisible.

    Raises:
        InvalidRequest: empty, too long, or with signs that names of files may not have.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequest.of(field, f"must have 1 to {_LONGEST_NAME} characters")
    if name in {".", ".."} or not name.isprintable() or _FORBIDDEN_IN_NAMES & set(name):
        raise InvalidRequest.of(field, "must be a file's name without a path")
    return name


def type_of(content: bytes) -> str | None:
    """The media type that the bytes show, None when they show none that is accepted here."""
    try:
        found = puremagic.from_string(content, mime=True)
    except (puremagic.PureError, ValueError):
        return None
    if found == "application/pdf" and not (content.startswith(b"%PDF-") and _END_OF_PDF in content[-_PDF_TAIL:]):
        return None
    return found if found in ACCEPTED_TYPES else None


def storage_key(merchant_id: int, file_id: int) -> str:
    """Where the sealed bytes lie in the store."""
    return f"files/{merchant_id}/{file_id}"


def sealing_place(merchant_id: int, file_id: int) -> str:
    """The place that content and name are sealed for."""
    return f"file/{merchant_id}/{file_id}"
