"""pain.002: what the bank says of a file of ours, before it books anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from bpn.adapters.bank.iso20022.payment_file import WrittenPayment
from bpn.ports.readers import BankEntry, PaymentOutcome, PaymentReport, UnreadableEntry

_OUTCOMES = {
    "ACCP": PaymentOutcome.ACCEPTED,
    "ACTC": PaymentOutcome.ACCEPTED,
    "ACSP": PaymentOutcome.ACCEPTED,
    "ACWC": PaymentOutcome.ACCEPTED,
    "ACSC": PaymentOutcome.SETTLED,
    "ACCC": PaymentOutcome.SETTLED,
    "RJCT": PaymentOutcome.REJECTED,
}
"""Others (RCVD, PDNG, PART) say nothing of a payment that matters here."""


def read_status_report(path: Path, written: Sequence[WrittenPayment], digest: str) -> Iterator[BankEntry]:
    """What a report says, payment by payment: what it says of a part or of the file holds for all in it.

    Args:
        path: the file.
        written: the payments of the file of ours that it is about.
        digest: of the report, part of the references.
    """
    document = _parsed(path)
    created = _moment(document.findtext(".//{*}GrpHdr/{*}CreDtTm"))
    by_id = {payment.end_to_end_id: payment for payment in written}
    told: set[str] = set()
    for transaction in document.iter("{*}TxInfAndSts"):
        end_to_end_id = (transaction.findtext("{*}OrgnlEndToEndId") or "").strip()
        told.add(end_to_end_id)
        payment = by_id.get(end_to_end_id)
        if payment is None:
            yield UnreadableEntry(
                f"{digest[:16]}:{end_to_end_id}",
                path.name,
                f"It speaks of a payment {end_to_end_id or '(none)'} that this file of ours does not have.",
                etree.tostring(transaction, encoding="unicode")[:4000],
            )
        else:
            yield from _report(payment, transaction, "TxSts", digest, created)
    for information in document.iter("{*}OrgnlPmtInfAndSts"):
        part = (information.findtext("{*}OrgnlPmtInfId") or "").strip()
        for payment in written:
            if payment.information_id == part and payment.end_to_end_id not in told:
                reports = list(_report(payment, information, "PmtInfSts", digest, created))
                told.update(payment.end_to_end_id for _ in reports)
                yield from reports
    group = document.find(".//{*}OrgnlGrpInfAndSts")
    if group is not None:
        for payment in written:
            if payment.end_to_end_id not in told:
                yield from _report(payment, group, "GrpSts", digest, created)


def original_message(path: Path) -> str:
    """The id of the file of ours that a report is about."""
    return (_parsed(path).findtext(".//{*}OrgnlMsgId") or "").strip()


def _parsed(path: Path) -> etree._ElementTree:
    """A report has a line per payment of one file of ours, so it is read whole."""
    return etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _report(
    payment: WrittenPayment, place: etree._Element, status: str, digest: str, created: datetime
) -> Iterator[BankEntry]:
    outcome = _OUTCOMES.get((place.findtext(f"{{*}}{status}") or "").strip())
    if outcome is None:
        return
    rejected = outcome is PaymentOutcome.REJECTED
    code = place.findtext("{*}StsRsnInf/{*}Rsn/{*}Cd") or place.findtext("{*}StsRsnInf/{*}Rsn/{*}Prtry") or "NARR"
    yield PaymentReport(
        reference=f"{digest[:16]}:{payment.end_to_end_id}:{outcome.value}",
        end_to_end_id=payment.end_to_end_id,
        outcome=outcome,
        currency=payment.currency,
        amount=payment.amount,
        reason_code=code if rejected else None,
        reason=place.findtext("{*}StsRsnInf/{*}AddtlInf") if rejected else None,
        rail_reference=place.findtext("{*}AcctSvcrRef"),
        booked_at=created,
    )


def _moment(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
