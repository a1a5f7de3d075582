"""Reading bank numbers: each in its one spelling, or refused with the rule that it breaks."""

from __future__ import annotations

import re

import clabe
import stdnum.exceptions
from schwifty import BIC, IBAN
from schwifty import exceptions as schwifty_exceptions
from stdnum.br import cnpj, cpf
from stdnum.us import rtn

CLABE_LENGTH = 18
_SEPARATORS = re.compile(r"[\s.\-/]+", re.ASCII)
_SORT_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9A-Z]{3,34}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)

_IBAN_RULES: dict[type[Exception], str] = {
    schwifty_exceptions.InvalidCountryCode: "is not an IBAN: its first two letters name no country that has IBANs",
    schwifty_exceptions.InvalidLength: "is not an IBAN: it does not have the length of its country's IBANs",
    schwifty_exceptions.InvalidStructure: "is not an IBAN: letters and digits do not stand as in its country's IBANs",
    schwifty_exceptions.InvalidChecksumDigits: "is not an IBAN: its two check digits are wrong (ISO 7064 MOD 97-10)",
    schwifty_exceptions.InvalidBBANChecksum: "is not an IBAN: the national check digits of its account are wrong",
}


class InvalidNumberError(ValueError):
    """A number that breaks a rule; the message says which, ready to follow the field's name."""


def parse_iban(text: str) -> str:
    """An IBAN without spaces, upper case. Raises InvalidNumberError."""
    try:
        return str(IBAN(text, validate_bban=True))
    except schwifty_exceptions.SchwiftyException as error:
        raise InvalidNumberError(_IBAN_RULES.get(type(error), "is not an IBAN")) from None


def parse_bic(text: str) -> str:
    """A BIC of 8 or 11 characters, upper case. Raises InvalidNumberError."""
    try:
        return str(BIC(text, enforce_swift_compliance=True))
    except schwifty_exceptions.InvalidLength:
        raise InvalidNumberError("is not a BIC: it must have 8 or 11 characters") from None
    except schwifty_exceptions.InvalidCountryCode:
        raise InvalidNumberError("is not a BIC: its fifth and sixth letters name no country") from None
    except schwifty_exceptions.SchwiftyException:
        raise InvalidNumberError(
            "is not a BIC: it must be four letters, the country, and two (or five) letters or digits"
        ) from None


def parse_routing_number(text: str) -> str:
    """An ABA routing number: nine digits. Raises InvalidNumberError."""
    try:
        return rtn.validate(_SEPARATORS.sub("", text))
    except stdnum.exceptions.InvalidChecksum:
        raise InvalidNumberError(
            "is not an ABA routing number: its ninth digit is wrong (weights 3, 7, 1, sum divisible by 10)"
        ) from None
    except stdnum.exceptions.ValidationError:
        raise InvalidNumberError("is not an ABA routing number: it must have nine digits") from None


def parse_clabe(text: str) -> str:
    """A CLABE: 18 digits. Raises InvalidNumberError."""
    number = _SEPARATORS.sub("", text)
    if not _DIGITS.fullmatch(number) or len(number) != CLABE_LENGTH:
        raise InvalidNumberError("is not a CLABE: it must have 18 digits")
    if number[:3] not in clabe.BANKS:
        raise InvalidNumberError("is not a CLABE: its first three digits name no bank")
    if number[-1] != clabe.compute_control_digit(number):
        raise InvalidNumberError(
            "is not a CLABE: its last digit is wrong (weights 3, 7, 1 modulo 10, sum divisible by 10)"
        )
    return number


def parse_sort_code(text: str) -> str:
    """A British sort code: six digits. Raises InvalidNumberError."""
    number = _SEPARATORS.sub("", text)
    if not _SORT_CODE.fullmatch(number):
        raise InvalidNumberError("is not a sort code: it must have six digits")
    return number


def parse_account_number(text: str, country: str | None = None) -> str:
    """An account number that has no check digits of its own: 3 to 34 digits and letters; GB 8, US 4 to 17 digits.

    Raises:
        InvalidNumberError: too short, too long, or other signs in it.
    """
    number = _SEPARATORS.sub("", text).upper()
    if country == "GB" and not re.fullmatch(r"[0-9]{8}", number, re.ASCII):
        raise InvalidNumberError("is not a British account number: it must have eight digits")
    if country == "US" and not re.fullmatch(r"[0-9]{4,17}", number, re.ASCII):
        raise InvalidNumberError("is not an account number in the United States: it must have 4 to 17 digits")
    if not _ACCOUNT.fullmatch(number):
        raise InvalidNumberError("is not an account number: it must have 3 to 34 digits or letters")
    return number


def parse_cpf(text: str) -> str:
    """The tax number of a person in Brazil: 11 digits. Raises InvalidNumberError."""
    try:
        return cpf.validate(text)
    except stdnum.exceptions.InvalidChecksum:
        raise InvalidNumberError("is not a CPF: its two check digits are wrong (modulo 11)") from None
    except stdnum.exceptions.ValidationError:
        raise InvalidNumberError("is not a CPF: it must have 11 digits, not all equal") from None


def parse_cnpj(text: str) -> str:
    """The tax number of a company in Brazil: 12 digits or letters and two check digits. Raises InvalidNumberError."""
    try:
        return cnpj.validate(text)
    except stdnum.exceptions.InvalidChecksum:
        raise InvalidNumberError("is not a CNPJ: its two check digits are wrong (modulo 11)") from None
    except stdnum.exceptions.ValidationError:
        raise InvalidNumberError(
            "is not a CNPJ: it must have 14 digits (or letters in the first 12), not all zero"
        ) from None


def parse_cpf_or_cnpj(text: str) -> str:
    """A CPF if it is as long as one, else a CNPJ. Raises InvalidNumberError."""
    number = _SEPARATORS.sub("", text)
    return parse_cpf(text) if len(number) <= _CPF_LENGTH else parse_cnpj(text)


_CPF_LENGTH = 11
