"""Bank numbers: good ones in their one spelling, bad ones refused with the rule that they break."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bpn.banking import numbers
from bpn.banking.numbers import InvalidNumberError
from bpn.banking.pix_keys import PixKeyKind, parse_pix_key

GOOD: list[tuple[Callable[[str], str], str, str]] = [
    (numbers.parse_iban, "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    (numbers.parse_iban, "GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"),
    (numbers.parse_bic, "cobadeff", "COBADEFF"),
    (numbers.parse_bic, "COBADEFFXXX", "COBADEFFXXX"),
    (numbers.parse_routing_number, "0210-0002-1", "021000021"),
    (numbers.parse_clabe, "002 010 0777 7777 7771", "002010077777777771"),
    (numbers.parse_sort_code, "60-16-13", "601613"),
    (numbers.parse_cpf, "111.444.777-35", "11144477735"),
    (numbers.parse_cnpj, "16.727.230/0001-97", "16727230000197"),
    (numbers.parse_cnpj, "12.ABC.345/01DE-35", "12ABC34501DE35"),
    (numbers.parse_cpf_or_cnpj, "111.444.777-35", "11144477735"),
    (numbers.parse_cpf_or_cnpj, "16727230000197", "16727230000197"),
]

BAD: list[tuple[Callable[[str], str], str, str]] = [
    (numbers.parse_iban, "DE89370400440532013001", "MOD 97-10"),
    (numbers.parse_iban, "DE8937040044053201300", "length"),
    (numbers.parse_iban, "XX89370400440532013000", "no country"),
    (numbers.parse_iban, "DE8937040044O532013000", "letters and digits"),
    (numbers.parse_iban, "BE95539007547033", "national check digits"),
    (numbers.parse_bic, "COBADEF", "8 or 11"),
    (numbers.parse_bic, "COBAXXFF", "no country"),
    (numbers.parse_bic, "1OBADEFF", "four letters"),
    (numbers.parse_routing_number, "021000022", "ninth digit"),
    (numbers.parse_routing_number, "02100002", "nine digits"),
    (numbers.parse_clabe, "002010077777777772", "last digit"),
    (numbers.parse_clabe, "999010077777777771", "name no bank"),
    (numbers.parse_clabe, "00201007777777777", "18 digits"),
    (numbers.parse_sort_code, "60161", "six digits"),
    (numbers.parse_cpf, "11144477736", "check digits"),
    (numbers.parse_cpf, "1114447773", "11 digits"),
    (numbers.parse_cnpj, "16727230000198", "check digits"),
    (numbers.parse_cnpj, "00000000000000", "14 digits"),
    (numbers.parse_cpf_or_cnpj, "16727230000198", "CNPJ"),
]


@pytest.mark.parametrize(("parse", "text", "expected"), GOOD)
def test_good_numbers_have_one_spelling(parse: Callable[[str], str], text: str, expected: str) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(("parse", "text", "rule"), BAD)
def test_bad_numbers_say_which_rule_failed(parse: Callable[[str], str], text: str, rule: str) -> None:
    with pytest.raises(InvalidNumberError, match=rule):
        parse(text)


@pytest.mark.parametrize(
    ("text", "country", "good"),
    [
        ("12345678", "GB", True),
        ("1234567", "GB", False),
        ("1234", "US", True),
        ("12", "US", False),
        ("123 456-789", None, True),
        ("12", None, False),
        ("1234$", None, False),
    ],
)
def test_account_numbers_without_check_digits(text: str, country: str | None, good: bool) -> None:
    if good:
        assert numbers.parse_account_number(text, country).isalnum()
    else:
        with pytest.raises(InvalidNumberError):
            numbers.parse_account_number(text, country)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("111.444.777-35", PixKeyKind.CPF, "11144477735"),
        ("16.727.230/0001-97", PixKeyKind.CNPJ, "16727230000197"),
        ("Ana.Sousa@Example.com", PixKeyKind.EMAIL, "ana.sousa@example.com"),
        ("+55 (11) 98765-4321", PixKeyKind.PHONE, "+5511987654321"),
        ("123E4567-e12b-12d1-a456-426655440000", PixKeyKind.EVP, "123e4567-e12b-12d1-a456-426655440000"),
    ],
)
def test_pix_keys_are_told_apart(text: str, kind: PixKeyKind, value: str) -> None:
    for asked in (None, kind):
        key = parse_pix_key(text, asked)
        assert (key.kind, key.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "kind", "rule"),
    [
        ("11144477736", None, "CPF"),
        ("11144477735", PixKeyKind.PHONE, "phone"),
        ("+1 212 555 0100", None, "Brazilian phone"),
        ("ana@", None, "e-mail"),
        (f"{'a' * 70}@example.com", None, "77"),
        ("123e4567", PixKeyKind.EVP, "UUID"),
        ("", None, "CPF"),
    ],
)
def test_bad_pix_keys(text: str, kind: PixKeyKind | None, rule: str) -> None:
    with pytest.raises(InvalidNumberError, match=rule):
        parse_pix_key(text, kind)
