"""camt.052, .053 and .054 in the versions 02 to 08 and beyond: bookings, one at a time, in flat memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lxml import etree

from bpn.adapters.bank.iso20022.payment_file import WrittenPayment
from bpn.ports.readers import (
    BankEntry,
    BankParty,
    Handle,
    HandleKind,
    PayIn,
    PayInReversed,
    PaymentOutcome,
    PaymentReport,
    UnreadableEntry,
)

NAMESPACES = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]|pain\.002)\.001\.(\d\d)")
_VERSIONS = {"camt.052": range(2, 15), "camt.053": range(2, 15), "camt.054": range(2, 15), "pain.002": range(3, 16)}
_HOLDERS = {"Rpt", "Stmt", "Ntfctn"}
_NOT_PROVIDED = {"NOTPROVIDED", "NONREF", "NOREF", ""}
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,18}(?:\.[0-9]{0,5})?", re.ASCII)
_CLABE = re.compile(r"[0-9]{18}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_BIC_LENGTH = 8
_LONGEST_DETAIL = 4000

Expand = Callable[[str], Iterable[WrittenPayment]]
"""The payments of a part of a batch of ours, by its id; none when we wrote no such part."""


class UnreadableFileError(Exception):
    """A file that is not what it should be; the message says why."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is: the message and its version."""

    message: str
    version: int


@dataclass(slots=True)
class Survey:
    """What a first reading found: the kind of file, how many bookings, the closing balances."""

    kind: FileKind
    digest: str
    entries: int = 0
    announced: int | None = None
    closing: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """By account: currency, signed amount, day."""


class _ReadingError(Exception):
    """A booking that cannot be understood."""


def survey(path: Path) -> Survey:
    """Read a file through before anything of it counts.

    Raises:
        UnreadableFileError: not well-formed (cut, malformed), of another kind or version, or its own count is wrong.
    """
    digest = _digest(path)
    found: Survey | None = None
    try:
        for element in _elements(path):
            if found is None:
                found = Survey(_kind(element), digest)
            name = etree.QName(element).localname
            if name == "Ntry":
                found.entries += 1
            elif name == "TxsSummry":
                count = element.findtext("{*}TtlNtries/{*}NbOfNtries")
                if count is not None and count.isdigit():
                    found.announced = (found.announced or 0) + int(count)
            elif name in _HOLDERS:
                _note_closing(found, element)
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(f"it is not well-formed XML, or was cut: {error.msg}") from None
    if found is None:
        raise UnreadableFileError("it is no document of ISO 20022")
    if found.announced is not None and found.announced != found.entries:
        raise UnreadableFileError(f"it announces {found.announced} entries and has {found.entries}")
    return found


def read_bookings(path: Path, own_accounts: Mapping[str, str], expand: Expand) -> Iterator[BankEntry]:
    """The bookings of a statement that was surveyed.

    Args:
        path: the file.
        own_accounts: our accounts' numbers, with their currency.
        expand: resolves a booking of a whole batch.
    """
    place = 0
    for element in _elements(path):
        name = etree.QName(element).localname
        if name == "Ntry":
            place += 1
            yield from _bookings(element, _header_of(element, place), path.name, own_accounts, expand)
        elif name in _HOLDERS:
            place = 0
        _forget(element)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where a booking stands: the account, the bank, the statement, the booking's place in it."""

    account: str
    agent: str
    statement: str
    place: int


def _header_of(entry: etree._Element, place: int) -> _Header:
    holder = entry.getparent()
    if holder is None:
        return _Header("", "", "", place)
    account = holder.findtext("{*}Acct/{*}Id/{*}IBAN") or holder.findtext("{*}Acct/{*}Id/{*}Othr/{*}Id") or ""
    agent = holder.findtext("{*}Acct/{*}Svcr/{*}FinInstnId/{*}BICFI") or holder.findtext(
        "{*}Acct/{*}Svcr/{*}FinInstnId/{*}BIC"
    )
    return _Header(account.replace(" ", ""), agent or "", holder.findtext("{*}Id") or "", place)


def _bookings(
    entry: etree._Element, header: _Header, document: str, own_accounts: Mapping[str, str], expand: Expand
) -> Iterator[BankEntry]:
    """All that one `Ntry` says; what cannot be understood is told as such."""
    status = (entry.findtext("{*}Sts/{*}Cd") or entry.findtext("{*}Sts") or "").strip()
    if status not in {"BOOK", ""}:
        return
    try:
        _check_own(header, own_accounts)
        yield from list(_entries(entry, header, expand))
    except _ReadingError as error:
        yield UnreadableEntry(
            reference=f"{header.account}:{header.statement}:{header.place}",
            document=document,
            reason=f"Entry {header.place} of statement {header.statement}: {error}.",
            detail=etree.tostring(entry, encoding="unicode")[:_LONGEST_DETAIL],
        )


def _check_own(header: _Header, own_accounts: Mapping[str, str]) -> None:
    if header.account not in own_accounts:
        raise _ReadingError(f"the account {header.account or '(none)'} is not ours")


def _entries(entry: etree._Element, header: _Header, expand: Expand) -> Iterator[BankEntry]:
    own_reference = _reference_text(entry.findtext("{*}AcctSvcrRef")) or ""
    details = entry.findall("{*}NtryDtls/{*}TxDtls")
    part = entry.findtext("{*}NtryDtls/{*}Btch/{*}PmtInfId")
    sign = _sign(entry, None)
    booked_at = _time(entry)
    if sign == "DBIT" and part and not any(_end_to_end(one) for one in details):
        written = list(expand(part))
        total = sum((Decimal(payment.amount) for payment in written), Decimal(0))
        amount, currency = _amount(entry.find("{*}Amt"))
        if written and (total != Decimal(amount) or any(payment.currency != currency for payment in written)):
            raise _ReadingError(f"it books {amount} {currency} for {part}, which is {total}")
        for payment in written:
            yield PaymentReport(
                reference=f"{header.account}:DBIT:{own_reference or part}/{payment.end_to_end_id}",
                end_to_end_id=payment.end_to_end_id,
                outcome=PaymentOutcome.SETTLED,
                currency=payment.currency,
                amount=payment.amount,
                reason_code=None,
                reason=None,
                rail_reference=own_reference or None,
                booked_at=booked_at,
            )
        if written:
            return
    seen: set[str] = set()
    for number, detail in enumerate(details or [None], start=1):
        reference = _reference_text(_text(detail, "Refs/AcctSvcrRef")) or ""
        if not reference or reference in seen:
            stem = reference or own_reference or f"{header.statement}:{header.place}"
            reference = f"{stem}/{number}" if len(details) > 1 else stem
        seen.add(reference)
        yield _booking(entry, detail, header, reference, booked_at)


def _booking(
    entry: etree._Element, detail: etree._Element | None, header: _Header, own: str, booked_at: datetime
) -> BankEntry:
    """One transaction: money that came, a payment of ours, or one of either that comes back."""
    sign = _sign(entry, detail)
    reversal = (entry.findtext("{*}RvslInd") or "").strip() in {"true", "1"}
    amount, currency = _amount(_find_amount(entry, detail))
    reference = f"{header.account}:{sign}{'R' if reversal else ''}:{own}"
    end_to_end_id = _end_to_end(detail)
    reason_code, reason = _return_reason(detail)
    returned = reason_code is not None or _is_return(entry, detail)
    rail_reference = _reference_text(_text(detail, "Refs/TxId")) or own
    if sign == "DBIT" and (reversal or returned):
        # Nothing of ours leaves as a return: this takes away what came before, under the same reference or id.
        taken_back = f"{header.account}:CRDT:{own}"
        return PayInReversed(reference, taken_back, end_to_end_id, currency, amount, reason_code, reason, booked_at)
    if sign == "DBIT" or returned or reversal:
        outcome = PaymentOutcome.SETTLED if sign == "DBIT" else PaymentOutcome.RETURNED
        return PaymentReport(
            reference, end_to_end_id, outcome, currency, amount, reason_code, reason, rail_reference, booked_at
        )
    return PayIn(
        reference=reference,
        handles=_handles(header, detail),
        currency=currency,
        amount=amount,
        payer=_party(detail),
        remittance=_remittance(entry, detail),
        end_to_end_id=end_to_end_id,
        booked_at=booked_at,
    )


def _handles(header: _Header, detail: etree._Element | None) -> tuple[Handle, ...]:
    """What was paid: the account that the payer named, then the account of the statement."""
    named = _text(detail, "RltdPties/CdtrAcct/Id/IBAN") or _text(detail, "RltdPties/CdtrAcct/Id/Othr/Id")
    bic = _text(detail, "RltdAgts/CdtrAgt/FinInstnId/BICFI") or _text(detail, "RltdAgts/CdtrAgt/FinInstnId/BIC")
    proxy = _text(detail, "RltdPties/CdtrAcct/Prxy/Id")
    found = [Handle(HandleKind.PIX_KEY, proxy)] if proxy else []
    found += [handle_of(number.replace(" ", ""), bic or header.agent) for number in (named, header.account) if number]
    return tuple(dict.fromkeys(found))


def handle_of(number: str, bic: str) -> Handle:
    """An account number of a statement as a handle: IBAN, CLABE, else beside its bank's BIC."""
    if _IBAN.fullmatch(number):
        return Handle(HandleKind.IBAN, number)
    if _CLABE.fullmatch(number):
        return Handle(HandleKind.CLABE, number)
    return Handle(HandleKind.LOCAL, f"{bic[:_BIC_LENGTH]}/{number}" if bic else number)


def _party(detail: etree._Element | None) -> BankParty:
    debtor = detail.find("{*}RltdPties/{*}Dbtr") if detail is not None else None
    agent = "RltdAgts/DbtrAgt/FinInstnId"
    lines = [] if debtor is None else [line.text or "" for line in debtor.iter("{*}AdrLine")]
    return BankParty(
        name=None if debtor is None else _first(debtor, "Nm"),
        account=_text(detail, "RltdPties/DbtrAcct/Id/IBAN") or _text(detail, "RltdPties/DbtrAcct/Id/Othr/Id"),
        bank_code=_text(detail, f"{agent}/ClrSysMmbId/MmbId"),
        bic=_text(detail, f"{agent}/BICFI") or _text(detail, f"{agent}/BIC"),
        bank_name=_text(detail, f"{agent}/Nm"),
        country=None if debtor is None else _first(debtor, "Ctry"),
        address=", ".join(lines) or None,
    )


def _remittance(entry: etree._Element, detail: etree._Element | None) -> str | None:
    if detail is not None:
        lines = [line.text or "" for line in detail.findall("{*}RmtInf/{*}Ustrd")]
        creditor_reference = _text(detail, "RmtInf/Strd/CdtrRefInf/Ref")
        if lines or creditor_reference:
            return " ".join([*lines, creditor_reference or ""]).strip()
    return (entry.findtext("{*}AddtlNtryInf") or "").strip() or None


def _return_reason(detail: etree._Element | None) -> tuple[str | None, str | None]:
    code = _text(detail, "RtrInf/Rsn/Cd") or _text(detail, "RtrInf/Rsn/Prtry")
    if code is None and detail is not None and detail.find("{*}RtrInf") is not None:
        code = "NARR"
    return code, _text(detail, "RtrInf/AddtlInf")


def _is_return(entry: etree._Element, detail: etree._Element | None) -> bool:
    codes = {
        element.text
        for place in (entry, detail)
        if place is not None
        for element in place.findall("{*}BkTxCd/{*}Domn/{*}Fmly/{*}SubFmlyCd")
    }
    return bool(codes & {"RRTN", "RPCR", "RRCT"})


def _end_to_end(detail: etree._Element | None) -> str | None:
    return _reference_text(_text(detail, "Refs/EndToEndId"))


def _find_amount(entry: etree._Element, detail: etree._Element | None) -> etree._Element | None:
    if detail is not None:
        for path in ("{*}Amt", "{*}AmtDtls/{*}TxAmt/{*}Amt"):
            found = detail.find(path)
            if found is not None:
                return found
        parent = detail.getparent()
        if parent is not None and len(parent.findall("{*}TxDtls")) > 1:
            raise _ReadingError("one of its transactions has no amount")
    return entry.find("{*}Amt")


def _amount(element: etree._Element | None) -> tuple[str, str]:
    text = "" if element is None else (element.text or "").strip()
    currency = "" if element is None else element.get("Ccy") or ""
    if not _AMOUNT.fullmatch(text) or not _CURRENCY.fullmatch(currency):
        raise _ReadingError("its amount is none")
    value = Decimal(text)
    if value == 0:
        raise _ReadingError("its amount is zero")
    plain = format(value, "f")
    return plain.rstrip(".") if "." in plain else plain, currency


def _sign(entry: etree._Element, detail: etree._Element | None) -> str:
    sign = _text(detail, "CdtDbtInd") or (entry.findtext("{*}CdtDbtInd") or "").strip()
    if sign not in {"CRDT", "DBIT"}:
        raise _ReadingError("it is neither a credit nor a debit")
    return sign


def _time(entry: etree._Element) -> datetime:
    for path in ("{*}BookgDt/{*}DtTm", "{*}BookgDt/{*}Dt", "{*}ValDt/{*}DtTm", "{*}ValDt/{*}Dt"):
        text = entry.findtext(path)
        if text:
            try:
                return _moment(text.strip())
            except ValueError:
                raise _ReadingError("its booking date is none") from None
    raise _ReadingError("it has no booking date")


def _moment(text: str) -> datetime:
    if "T" not in text:
        return datetime.combine(date.fromisoformat(text[:10]), time(), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(element: etree._Element | None, path: str) -> str | None:
    """The text of a path of local names, None when it is not there or empty."""
    if element is None:
        return None
    text = element.findtext("/".join(f"{{*}}{name}" for name in path.split("/")))
    return (text or "").strip() or None


def _first(element: etree._Element, name: str) -> str | None:
    """The first element of this name, at any depth: where it stands differs by version."""
    found = next(element.iter(f"{{*}}{name}"), None)
    return None if found is None else (found.text or "").strip() or None


def _reference_text(text: str | None) -> str | None:
    stripped = (text or "").strip()
    return None if stripped.upper() in _NOT_PROVIDED else stripped


def _note_closing(found: Survey, holder: etree._Element) -> None:
    account = holder.findtext("{*}Acct/{*}Id/{*}IBAN") or holder.findtext("{*}Acct/{*}Id/{*}Othr/{*}Id") or ""
    for balance in holder.findall("{*}Bal"):
        if balance.findtext("{*}Tp/{*}CdOrPrtry/{*}Cd") != "CLBD":
            continue
        amount = balance.find("{*}Amt")
        day = (balance.findtext("{*}Dt/{*}Dt") or balance.findtext("{*}Dt/{*}DtTm") or "")[:10]
        try:
            value = Decimal((amount.text if amount is not None else None) or "")
        except InvalidOperation:
            continue
        signed = -value if balance.findtext("{*}CdtDbtInd") == "DBIT" else value
        currency = amount.get("Ccy") if amount is not None else None
        found.closing[account.replace(" ", "")] = (currency or "", format(signed, "f"), day)


def _elements(path: Path) -> Iterator[etree._Element]:
    """Bookings, summaries and whole statements as they end. No entity is resolved and nothing is fetched."""
    tags = ["{*}Ntry", "{*}TxsSummry", "{*}Document", *(f"{{*}}{name}" for name in sorted(_HOLDERS))]
    with path.open("rb") as file:
        parsing: Any = etree.iterparse(
            file, events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in parsing:
            if element.getroottree().docinfo.doctype:
                raise UnreadableFileError("it has a document type, which no such file has")
            yield element


def _kind(element: etree._Element) -> FileKind:
    namespace = etree.QName(element).namespace or ""
    matched = NAMESPACES.fullmatch(namespace)
    if matched is None:
        raise UnreadableFileError(f"it is of {namespace or 'no namespace'}, which is not read here")
    kind = FileKind(matched[1], int(matched[2]))
    if kind.version not in _VERSIONS[kind.message]:
        raise UnreadableFileError(f"version {kind.version:02} of {kind.message} is not read here")
    return kind


def _forget(element: etree._Element) -> None:
    """Let go of what was read, and of the booking before it."""
    element.clear()
    before = element.getprevious()
    parent = element.getparent()
    if parent is not None and before is not None and etree.QName(before).localname == "Ntry":
        parent.remove(before)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
