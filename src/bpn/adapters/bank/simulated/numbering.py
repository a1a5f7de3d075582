"""The numbers that the simulated bank gives: made up, with right check digits, each from one running number."""

from __future__ import annotations

import uuid
from random import Random

import clabe
from schwifty import IBAN
from stdnum.br import cnpj, cpf
from stdnum.us import rtn

from bpn.banking.br_codes import BrCode, encode_br_code, readable_ascii
from bpn.banking.pix_keys import PixKeyKind
from bpn.ports.readers import AccountNumbers, Handle, HandleKind
from bpn.ports.senders import AccountRequest

BANK_NAME = "BPN Sandbox Bank"
ISPB = "99999999"
_INSTITUTION = "BPNX"
_ROUTING_STEM = "10999999"
_CLABE_STEM = "646180"
_SORT_CODE = "999999"
_GERMAN_BANK_CODE = "99999999"
_CITY = "SAO PAULO"
_LOCATION = "pix.sandbox.bpn.example/v2"


def number_account(request: AccountRequest, number: int) -> AccountNumbers:
    """The numbers of a new account.

    Args:
        request: what is asked for; a PIX key wished for is taken as it is.
        number: never given before.
    """
    if request.rail == "PIX":
        return _pix(request, number)
    country = request.country or _COUNTRIES.get(request.currency, "HK")
    if request.currency == "GBP":
        return _british(request, number)
    if request.currency == "MXN":
        return _mexican(request, number)
    if request.currency == "USD" and country == "US":
        return _american(request, number)
    if request.currency == "EUR":
        return _european(request, number, country)
    return _local(request, number, country)


_COUNTRIES = {"EUR": "DE", "USD": "US", "SGD": "SG", "JPY": "JP", "CAD": "CA", "AUD": "AU", "CHF": "CH"}


def _pix(request: AccountRequest, number: int) -> AccountNumbers:
    kind = PixKeyKind(request.pix_key_type or PixKeyKind.EVP)
    key = request.pix_key or _pix_key(kind, request, number)
    name = readable_ascii(request.holder_name, 25) or "BPN"
    handles = [Handle(HandleKind.PIX_KEY, key)]
    txid = None
    if request.dynamic:
        txid = uuid.uuid5(_TXIDS, f"{number}").hex
        handles.insert(0, Handle(HandleKind.PIX_TXID, txid))
        code = BrCode(name, _CITY, location=f"{_LOCATION}/{txid}", amount=request.amount)
    else:
        code = BrCode(name, _CITY, key=key, amount=request.amount)
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=tuple(handles),
        country="BR",
        bank_code=ISPB,
        account_number=f"{number}",
        pix_key=key,
        pix_key_type=kind.value,
        pix_code=encode_br_code(code),
        pix_txid=txid,
    )


_TXIDS = uuid.UUID("7d1ce9ab-52f8-43e5-8a4c-1c6c4cbb3f0a")


def _pix_key(kind: PixKeyKind, request: AccountRequest, number: int) -> str:
    if kind is PixKeyKind.CPF:
        stem = f"{number:09}"[-9:]
        return stem + cpf._calc_check_digits(stem)  # noqa: SLF001 - the library has it under no other name
    if kind is PixKeyKind.CNPJ:
        stem = f"{number:08}"[-8:] + "0001"
        return stem + cnpj.calc_check_digits(stem)
    if kind is PixKeyKind.EMAIL:
        return f"{request.request_id.lower()}@pix.sandbox.bpn.example"
    if kind is PixKeyKind.PHONE:
        return f"+55119{number:08}"[:14]
    return str(uuid.uuid4())


def _british(request: AccountRequest, number: int) -> AccountNumbers:
    account = f"{number:08}"[-8:]
    iban = str(IBAN.generate("GB", bank_code=_INSTITUTION, branch_code=_SORT_CODE, account_code=account))
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=(Handle(HandleKind.SORT_CODE, f"{_SORT_CODE}/{account}"), Handle(HandleKind.IBAN, iban)),
        country="GB",
        iban=iban,
        bic=f"{_INSTITUTION}GB2L",
        account_number=account,
        sort_code=_SORT_CODE,
    )


def _mexican(request: AccountRequest, number: int) -> AccountNumbers:
    stem = f"{_CLABE_STEM}{number:011}"
    full = stem + clabe.compute_control_digit(stem)
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=(Handle(HandleKind.CLABE, full),),
        country="MX",
        clabe=full,
        bank_code=full[:3],
    )


def _american(request: AccountRequest, number: int) -> AccountNumbers:
    routing = _ROUTING_STEM + rtn.calc_check_digit(_ROUTING_STEM)
    account = f"{number:012}"
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=(Handle(HandleKind.ROUTING, f"{routing}/{account}"),),
        country="US",
        bic=f"{_INSTITUTION}US33",
        routing_number=routing,
        account_number=account,
    )


def _european(request: AccountRequest, number: int, country: str) -> AccountNumbers:
    if country == "DE":
        iban = IBAN.generate("DE", bank_code=_GERMAN_BANK_CODE, account_code=f"{number:010}")
    else:
        iban = IBAN.random(country_code=country, random=Random(number), use_registry=False)  # noqa: S311 - a number, no secret
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=(Handle(HandleKind.IBAN, str(iban)),),
        country=country,
        iban=str(iban),
        bic=f"{_INSTITUTION}{country}FF",
        bank_code=iban.bank_code or None,
    )


def _local(request: AccountRequest, number: int, country: str) -> AccountNumbers:
    bic = f"{_INSTITUTION}{country}XX"
    account = f"{number:012}"
    return AccountNumbers(
        account_holder_name=request.holder_name,
        bank_name=BANK_NAME,
        handles=(Handle(HandleKind.LOCAL, f"{bic}/{account}"),),
        country=country,
        bic=bic,
        account_number=account,
        bank_code="999",
    )
