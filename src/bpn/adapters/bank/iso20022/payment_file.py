"""pain.001.001.09: a batch of credit transfers as a file, the same bytes each time."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from lxml import etree

from bpn.adapters.bank.iso20022.terms import OwnAccount
from bpn.ports.senders import ChargeBearer, Payment, PaymentBatch

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_LONGEST_NAME = 140
_LONGEST_LINE = 70
_LONGEST_TEXT = 140
_LONGEST_ID = 35
_ROOM_FOR_NUMBER = 4
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_LATIN = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]", re.ASCII)
_SERVICE_LEVELS = {"SEPA": "SEPA", "FEDWIRE": "URGP", "FPS": "URNS", "ACH": "NURG", "SPEI": "URNS", "PIX": "URNS"}
_CLEARING_SYSTEMS = {"ACH": "USABA", "FEDWIRE": "USABA", "FPS": "GBDSC"}


@dataclass(frozen=True, slots=True)
class WrittenPayment:
    """A payment as a file of ours says it."""

    end_to_end_id: str
    information_id: str
    currency: str
    amount: str


def write_payment_file(
    batch: PaymentBatch, payments: Sequence[Payment], initiator: str, accounts: Mapping[str, OwnAccount]
) -> bytes:
    """The file of a batch.

    Args:
        batch: names the message and dates it.
        payments: of the batch those in a currency that `accounts` has; at least one.
        initiator: our name.
        accounts: what they leave from, by currency.
    """
    document = etree.Element("Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # the stubs forbid the default namespace
    message = _under(document, "CstmrCdtTrfInitn")
    header = _under(message, "GrpHdr")
    _text(header, "MsgId", batch.batch_id)
    _text(header, "CreDtTm", f"{batch.created_at:%Y-%m-%dT%H:%M:%S}Z")
    _text(header, "NbOfTxs", str(len(payments)))
    _text(header, "CtrlSum", _sum(payments))
    _text(_under(header, "InitgPty"), "Nm", initiator[:_LONGEST_NAME])
    ordered = sorted(payments, key=_group)
    for number, (_, grouped) in enumerate(itertools.groupby(ordered, key=_group), start=1):
        together = list(grouped)
        _information(message, batch, number, together, accounts[together[0].currency])
    written: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    return written


def information_id(batch_id: str, number: int) -> str:
    """The id of a part of a batch."""
    return f"{batch_id[: _LONGEST_ID - _ROOM_FOR_NUMBER]}-{number}"


def read_payment_file(path: Path) -> Iterator[WrittenPayment]:
    """The payments in a file of ours."""
    information = ""
    tags = ["{*}PmtInfId", "{*}CdtTrfTxInf"]
    with path.open("rb") as file:
        for _, element in etree.iterparse(file, events=("end",), tag=tags, resolve_entities=False, no_network=True):
            if etree.QName(element).localname == "PmtInfId":
                information = element.text or ""
                continue
            amount = element.find("{*}Amt/{*}InstdAmt")
            end_to_end_id = element.findtext("{*}PmtId/{*}EndToEndId") or ""
            if amount is not None:
                yield WrittenPayment(end_to_end_id, information, amount.get("Ccy") or "", amount.text or "")
            element.clear()


def _group(payment: Payment) -> tuple[str, str, str]:
    return payment.currency, payment.rail, payment.charge_bearer.value


def _sum(payments: Sequence[Payment]) -> str:
    return format(sum((Decimal(payment.amount) for payment in payments), Decimal(0)), "f")


def _information(
    message: etree._Element, batch: PaymentBatch, number: int, payments: Sequence[Payment], account: OwnAccount
) -> None:
    rail = payments[0].rail
    part = _under(message, "PmtInf")
    _text(part, "PmtInfId", information_id(batch.batch_id, number))
    _text(part, "PmtMtd", "TRF")
    _text(part, "NbOfTxs", str(len(payments)))
    _text(part, "CtrlSum", _sum(payments))
    if rail in _SERVICE_LEVELS:
        _text(_under(_under(part, "PmtTpInf"), "SvcLvl"), "Cd", _SERVICE_LEVELS[rail])
    _text(_under(part, "ReqdExctnDt"), "Dt", f"{batch.created_at:%Y-%m-%d}")
    _text(_under(part, "Dbtr"), "Nm", _readable(account.name, rail, _LONGEST_NAME))
    _account(part, "DbtrAcct", account.number)
    agent = _under(_under(part, "DbtrAgt"), "FinInstnId")
    if account.bic is not None:
        _text(agent, "BICFI", account.bic)
    else:
        _text(_under(agent, "Othr"), "Id", "NOTPROVIDED")
    bearer = ChargeBearer.SERVICE_LEVEL if rail == "SEPA" else payments[0].charge_bearer
    _text(part, "ChrgBr", bearer.value)
    for payment in payments:
        _transfer(part, payment)


def _transfer(part: etree._Element, payment: Payment) -> None:
    payee = payment.payee
    transfer = _under(part, "CdtTrfTxInf")
    _text(_under(transfer, "PmtId"), "EndToEndId", payment.end_to_end_id)
    amount = _text(_under(transfer, "Amt"), "InstdAmt", payment.amount)
    amount.set("Ccy", payment.currency)
    _text(_under(transfer, "UltmtDbtr"), "Nm", _readable(payment.payer_name, payment.rail, _LONGEST_NAME))
    _payee_bank(transfer, payment)
    _payee(transfer, payment)
    if payee.account or payee.pix_key:
        account = _account(transfer, "CdtrAcct", payee.account or payee.pix_key or "")
        if payee.pix_key:
            proxy = _under(account, "Prxy")
            _text(_under(proxy, "Tp"), "Prtry", "PIX")
            _text(proxy, "Id", payee.pix_key)
    if payment.remittance:
        _text(_under(transfer, "RmtInf"), "Ustrd", _readable(payment.remittance, payment.rail, _LONGEST_TEXT))


def _payee_bank(transfer: etree._Element, payment: Payment) -> None:
    payee = payment.payee
    if not (payee.bic or payee.bank_code or payee.bank_name):
        return
    agent = _under(_under(transfer, "CdtrAgt"), "FinInstnId")
    if payee.bic:
        _text(agent, "BICFI", payee.bic)
    if payee.bank_code:
        member = _under(agent, "ClrSysMmbId")
        if payment.rail in _CLEARING_SYSTEMS:
            _text(_under(member, "ClrSysId"), "Cd", _CLEARING_SYSTEMS[payment.rail])
        _text(member, "MmbId", payee.bank_code[:_LONGEST_ID])
    if payee.bank_name:
        _text(agent, "Nm", _readable(payee.bank_name, payment.rail, _LONGEST_NAME))


def _payee(transfer: etree._Element, payment: Payment) -> None:
    payee = payment.payee
    creditor = _under(transfer, "Cdtr")
    _text(creditor, "Nm", _readable(payee.name or "NOTPROVIDED", payment.rail, _LONGEST_NAME))
    if payee.country or payee.address:
        address = _under(creditor, "PstlAdr")
        if payee.country:
            _text(address, "Ctry", payee.country.upper())
        if payee.address:
            _text(address, "AdrLine", _readable(payee.address, payment.rail, _LONGEST_LINE))
    if payee.tax_id:
        identity = _under(_under(_under(creditor, "Id"), "PrvtId"), "Othr")
        _text(identity, "Id", payee.tax_id[:_LONGEST_ID])
        _text(_under(identity, "SchmeNm"), "Cd", "TXID")


def _account(parent: etree._Element, name: str, number: str) -> etree._Element:
    account = _under(parent, name)
    identity = _under(account, "Id")
    if _IBAN.fullmatch(number):
        _text(identity, "IBAN", number)
    else:
        _text(_under(identity, "Othr"), "Id", number[:34])
    return account


def _readable(text: str, rail: str, longest: int) -> str:
    """As the rail carries it: SEPA takes basic Latin letters only."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    if rail == "SEPA":
        plain = unicodedata.normalize("NFKD", printable).encode("ascii", "ignore").decode()
        printable = _LATIN.sub(".", plain)
    return " ".join(printable.split())[:longest].strip() or "NOTPROVIDED"


def _under(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, name)


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = _under(parent, name)
    element.text = text
    return element
