"""BR Codes: the payload of a PIX QR code, in the EMV merchant-presented format, written and read."""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_GUI = "br.gov.bcb.pix"
_NO_TXID = "***"
_REAL = "986"
_LARGEST_FIELD = 99
_LONGEST_NAME = 25
_LONGEST_CITY = 15
_CRC_TAIL = 8
_HEAD = 4
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]{1,2})?", re.ASCII)
_TXID = re.compile(r"[A-Za-z0-9]{1,25}", re.ASCII)


class InvalidBrCodeError(ValueError):
    """A payload that is no BR Code, or fields that make none; the message says why."""


@dataclass(frozen=True, slots=True)
class BrCode:
    """What a BR Code says.

    Attributes:
        merchant_name: at most 25 ASCII characters.
        merchant_city: at most 15 ASCII characters.
        key: the PIX key of a static code.
        location: of a dynamic code, where the payer's bank reads what is asked: host and path without scheme.
        amount: in reais, plain notation with at most two decimals; None leaves it to the payer.
        txid: letters and digits, at most 25; None is written as `***`.
        description: of a static code, for the payer.
    """

    merchant_name: str
    merchant_city: str
    key: str | None = None
    location: str | None = None
    amount: str | None = None
    txid: str | None = None
    description: str | None = None


def encode_br_code(code: BrCode) -> str:
    """The payload, CRC included.

    Raises:
        InvalidBrCodeError: neither a key nor a location, or both; a field too long or with signs it may not have.
    """
    if (code.key is None) == (code.location is None):
        raise InvalidBrCodeError("a BR Code has either a key (static) or a location (dynamic)")
    if code.amount is not None and not _AMOUNT.fullmatch(code.amount):
        raise InvalidBrCodeError("the amount must be plain with at most two decimals")
    if code.txid is not None and not _TXID.fullmatch(code.txid):
        raise InvalidBrCodeError("the txid must be 1 to 25 letters or digits")
    account = _field("00", _GUI)
    if code.key is not None:
        account += _field("01", _ascii(code.key, _LARGEST_FIELD))
        account += _field("02", _ascii(code.description, _LARGEST_FIELD)) if code.description else ""
    else:
        account += _field("25", _ascii(code.location or "", _LARGEST_FIELD))
    body = "".join(
        (
            _field("00", "01"),
            _field("01", "12") if code.location is not None else "",
            _field("26", account),
            _field("52", "0000"),
            _field("53", _REAL),
            _field("54", code.amount) if code.amount is not None else "",
            _field("58", "BR"),
            _field("59", _ascii(code.merchant_name, _LONGEST_NAME)),
            _field("60", _ascii(code.merchant_city, _LONGEST_CITY)),
            _field("62", _field("05", code.txid or _NO_TXID)),
            "6304",
        )
    )
    return body + _crc(body)


def decode_br_code(payload: str) -> BrCode:
    """Read a payload.

    Raises:
        InvalidBrCodeError: cut, altered (the CRC differs), of another country or currency, or not of PIX.
    """
    if payload[-_CRC_TAIL:-4] != "6304" or payload[-4:].upper() != _crc(payload[:-4]):
        raise InvalidBrCodeError("its CRC-16 is missing or wrong: it was cut or altered")
    fields = dict(_fields(payload))
    if fields.get("53") != _REAL or fields.get("58") != "BR" or fields.get("00") != "01":
        raise InvalidBrCodeError("it is not a Brazilian code in reais")
    account = _pix_account(fields)
    key, location = account.get("01"), account.get("25")
    if (key is None) == (location is None):
        raise InvalidBrCodeError("it has neither a PIX key nor a location")
    txid = dict(_fields(fields.get("62", ""))).get("05")
    return BrCode(
        merchant_name=fields.get("59", ""),
        merchant_city=fields.get("60", ""),
        key=key,
        location=location,
        amount=fields.get("54"),
        txid=None if txid == _NO_TXID else txid,
        description=account.get("02"),
    )


def readable_ascii(text: str, longest: int) -> str:
    """A text as BR Codes can carry it: accents dropped, other signs left out, cut to `longest`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(sign for sign in plain if sign.isprintable()).split())[:longest].strip()


def _pix_account(fields: Mapping[str, str]) -> dict[str, str]:
    for tag in range(26, 52):
        account = fields.get(f"{tag:02}")
        if account is not None:
            parts = dict(_fields(account))
            if parts.get("00", "").lower() == _GUI:
                return parts
    raise InvalidBrCodeError("it is not a PIX code")


def _ascii(text: str, longest: int) -> str:
    if not text or not text.isascii() or not text.isprintable():
        raise InvalidBrCodeError(f"{text!r} must be plain ASCII, and not empty")
    if len(text) > longest:
        raise InvalidBrCodeError(f"{text!r} is longer than {longest} characters")
    return text


def _field(tag: str, value: str) -> str:
    if len(value) > _LARGEST_FIELD:
        raise InvalidBrCodeError(f"field {tag} is longer than {_LARGEST_FIELD} characters")
    return f"{tag}{len(value):02}{value}"


def _fields(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        head = text[place : place + _HEAD]
        if len(head) < _HEAD or not (head.isascii() and head.isdigit()):
            raise InvalidBrCodeError("it is not made of tag, length and value")
        value = text[place + _HEAD : place + _HEAD + int(head[2:])]
        if len(value) != int(head[2:]):
            raise InvalidBrCodeError("it is cut within a field")
        yield head[:2], value
        place += _HEAD + len(value)


def _crc(text: str) -> str:
    """CRC-16/CCITT-FALSE, four upper-case hex digits."""
    return f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"
