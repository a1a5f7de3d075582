"""What an account number says by itself: which bank, in which country, over which rail."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from schwifty import BIC, IBAN

from bpn.banking import registry
from bpn.banking.numbers import (
    CLABE_LENGTH,
    InvalidNumberError,
    parse_bic,
    parse_clabe,
    parse_iban,
    parse_routing_number,
)
from bpn.banking.pix_keys import parse_pix_key

_EURO_IS_SEPA = "EUR"
_ROUTING_LENGTH = 9
_BIC_SHAPE = re.compile(r"[A-Za-z]{4}[A-Za-z]{2}[A-Za-z0-9]{2}(?:[A-Za-z0-9]{3})?", re.ASCII)
_IBAN_SHAPE = re.compile(r"[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{8,30}", re.ASCII)
_THRIFT = 20


@dataclass(frozen=True, slots=True)
class BankInfo:
    """What is known of a number.

    Attributes:
        number_type: IBAN, CLABE, ABA, BIC, or PIX_ with the kind of key.
        number: in its one spelling.
        country: ISO 3166 alpha-2.
        rail: by which money goes there.
        currency: in which, where the number decides it.
        bank_name: None where no registry tells: a PIX key names no bank, and of routing numbers only large banks' are
            known.
        bank_code: the national code within the number.
        bic: of the bank, 8 or 11 characters.
        district: of the Federal Reserve, for an ABA.
    """

    number_type: str
    number: str
    country: str
    rail: str
    currency: str | None = None
    bank_name: str | None = None
    bank_code: str | None = None
    bic: str | None = None
    district: str | None = None


def query_bank_info(text: str, country: str | None = None, currency: str | None = None) -> BankInfo:
    """Look a number up: an IBAN, CLABE, ABA routing number, BIC or PIX key.

    Args:
        text: the number.
        country: which country's number it is; told from its shape when None.
        currency: decides between rails that the same number has, and where the shape is of two kinds.

    Raises:
        InvalidNumberError: it is none of them, or breaks the rule of what it looks like.
    """
    number = re.sub(r"[\s.\-/]", "", text.strip())
    if country == "BR" or currency == "BRL":
        return _pix(text) if not number.upper().startswith("BR") else _iban(number)
    if country == "MX" or currency == "MXN" or (number.isdigit() and len(number) == CLABE_LENGTH):
        return _clabe(number)
    if country == "US" or (number.isdigit() and len(number) == _ROUTING_LENGTH):
        return _bic(number, currency) if _BIC_SHAPE.fullmatch(number) else _routing(number, currency)
    if _BIC_SHAPE.fullmatch(number):
        return _bic(number, currency)
    if _IBAN_SHAPE.fullmatch(number):
        return _iban(number, currency)
    return _pix(text)


def _iban(number: str, currency: str | None = None) -> BankInfo:
    iban = IBAN(parse_iban(number))
    bank = registry.find_by_code(iban.country_code, iban.bank_code)
    bic = str(iban.bic).removesuffix("XXX") if iban.bic else bank.bic if bank else None
    bank = bank or (registry.find_by_bic(bic) if bic else None)
    tender = sorted(registry.tenders(iban.country_code))
    chosen = currency or (_EURO_IS_SEPA if _EURO_IS_SEPA in tender else tender[0] if len(tender) == 1 else None)
    rail = "FPS" if (iban.country_code, chosen) == ("GB", "GBP") else "SEPA" if chosen == _EURO_IS_SEPA else "SWIFT"
    return BankInfo(
        "IBAN", str(iban), iban.country_code, rail, chosen, bank.name if bank else None, iban.bank_code or None, bic
    )


def _clabe(number: str) -> BankInfo:
    clabe = parse_clabe(number)
    bank = registry.clabe_bank(clabe)
    return BankInfo("CLABE", clabe, "MX", "SPEI", "MXN", bank.name if bank else None, clabe[:3])


def _routing(number: str, currency: str | None) -> BankInfo:
    routing = parse_routing_number(number)
    rail = "ACH" if currency in {None, "USD"} else "SWIFT"
    known = _routing_numbers()
    start = int(routing[:2])
    district = known["districts"].get(f"{start - _THRIFT if start > _THRIFT else start:02}")
    name = next((bank for bank, numbers in known["banks"].items() if routing in numbers), None)
    return BankInfo("ABA", routing, "US", rail, "USD", name, routing, district=district)


def _bic(number: str, currency: str | None) -> BankInfo:
    bic = parse_bic(number)
    bank = registry.find_by_bic(bic)
    country = BIC(bic).country_code
    return BankInfo(
        "BIC", bic, country, "SWIFT", currency, bank.name if bank else None, bank.code if bank else None, bic
    )


def _pix(text: str) -> BankInfo:
    try:
        key = parse_pix_key(text)
    except InvalidNumberError as error:
        reason = str(error)
        if re.sub(r"[\s.\-/]", "", text).isalnum() and not any(sign.isdigit() for sign in text):
            reason = "is neither an IBAN, a CLABE, an ABA routing number, a BIC nor a PIX key"
        raise InvalidNumberError(reason) from None
    return BankInfo(f"PIX_{key.kind}", key.value, "BR", "PIX", "BRL")


@functools.cache
def _routing_numbers() -> dict[str, Any]:
    return tomllib.loads(files("bpn.banking").joinpath("routing_numbers.toml").read_text(encoding="utf-8"))
