"""PIX keys: five kinds, each with the spelling in which the directory of keys holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bpn.banking.numbers import InvalidNumberError, parse_cnpj, parse_cpf

LONGEST_KEY = 77
_EMAIL = re.compile(
    r"[a-z0-9.!#$&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)
_PHONE = re.compile(r"\+55[1-9][0-9](?:9[0-9]{8}|[2-5][0-9]{7})", re.ASCII)
_EVP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CPF_LENGTH = 11


class PixKeyKind(StrEnum):
    """What a key is."""

    CPF = "CPF"
    CNPJ = "CNPJ"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    EVP = "EVP"


@dataclass(frozen=True, slots=True)
class PixKey:
    """A key in the directory's spelling: `+5511987654321`, `ana@example.com`, `12345678909`, an UUID in lower case."""

    kind: PixKeyKind
    value: str


def parse_pix_key(text: str, kind: PixKeyKind | None = None) -> PixKey:
    """Read a key.

    Args:
        text: as people write it: CPF and CNPJ with dots, phones with spaces and brackets.
        kind: which kind it must be; told from the text when None.

    Raises:
        InvalidNumberError: not a key of that kind.
    """
    chosen = kind or _kind_of(text)
    return PixKey(chosen, _READERS[chosen](text.strip()))


def _kind_of(text: str) -> PixKeyKind:
    text = text.strip()
    if "@" in text:
        return PixKeyKind.EMAIL
    if text.startswith("+"):
        return PixKeyKind.PHONE
    if _EVP.fullmatch(text.lower()):
        return PixKeyKind.EVP
    return PixKeyKind.CPF if len(re.sub(r"[\s.\-/]", "", text)) <= _CPF_LENGTH else PixKeyKind.CNPJ


def _email(text: str) -> str:
    value = text.lower()
    if not _EMAIL.fullmatch(value):
        raise InvalidNumberError("is not an e-mail address")
    if len(value) > LONGEST_KEY:
        raise InvalidNumberError(f"is too long for a PIX key: at most {LONGEST_KEY} characters")
    return value


def _phone(text: str) -> str:
    value = re.sub(r"[\s().\-]", "", text)
    if not _PHONE.fullmatch(value):
        raise InvalidNumberError("is not a Brazilian phone: it must be +55, the area code and eight or nine digits")
    return value


def _evp(text: str) -> str:
    value = text.lower()
    if not _EVP.fullmatch(value):
        raise InvalidNumberError("is not a random key: it must be an UUID")
    return value


_READERS: dict[PixKeyKind, Callable[[str], str]] = {
    PixKeyKind.CPF: parse_cpf,
    PixKeyKind.CNPJ: parse_cnpj,
    PixKeyKind.EMAIL: _email,
    PixKeyKind.PHONE: _phone,
    PixKeyKind.EVP: _evp,
}
