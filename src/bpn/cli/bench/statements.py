"""A bank's statement of a hundred thousand bookings, imported: each a pay-in, settled in the ledger."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from pathlib import Path
from typing import TextIO

from bpn.cli.bench.figure import Course, Figure
from bpn.cli.installation import database_url
from bpn.cli.sandbox import Sandbox, wait_for
from bpn.settings import BankAccountSettings, BankSettings
from bpn.wiring.house import House, open_house
from bpn.wiring.workers import open_workers

_ENTRIES = 100_000
_EARLY = 10_000
_ENTRIES_AT_ONCE = 500
_OWN = "BENCH-1"
_KILOBYTES = 1024


async def measure(course: Course) -> list[Figure]:
    """Entries a second from the file into the ledger, and what memory that took after the first tenth."""
    iban = await asyncio.to_thread(_open_account, course.sandbox)
    with tempfile.TemporaryDirectory(prefix="bpn-") as name:
        folder = Path(name)
        (folder / "inbox").mkdir()
        with (folder / "inbox" / "statement.xml").open("w") as file:
            _write_statement(file, iban)
        bank = BankSettings(
            directory=folder,
            initiator="BPN",
            accounts={"EUR": BankAccountSettings(number=_OWN, name="BPN")},
            quiet_seconds=0,
        )
        settings = course.sandbox.settings.model_copy(update={"bank": bank})
        async with open_house(settings, database_url(settings)) as house:
            seconds, growth = await _import(house)
        left = [path.name for path in (folder / "inbox").iterdir()]
    note = f"{growth / _KILOBYTES:,.0f} MB more at the end than after {_EARLY:,}"
    what = f"camt.053 of {_ENTRIES:,} entries imported, each a pay-in settled"
    return [Figure(what, _ENTRIES / seconds, None, note, len(left))]


def _open_account(sandbox: Sandbox) -> str:
    """A virtual account in euro; its IBAN."""
    with sandbox.client() as client:
        opened = client.post("/v1/virtual-account/sub/create", {"currency": "EUR", "companyName": "Bench"})

        def find() -> str | None:
            shown = client.get("/v1/virtual-account/sub/detail", accountId=opened["accountId"])
            return shown["iban"] if shown["status"] == "SUCCESS" else None

        return wait_for(find, "the account")


def _write_statement(file: TextIO, iban: str) -> None:
    file.write(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>'
        "<CreDtTm>2026-11-25T01:00:00Z</CreDtTm></GrpHdr><Stmt><Id>S</Id><CreDtTm>2026-11-25T01:00:00Z</CreDtTm>"
        f"<Acct><Id><Othr><Id>{_OWN}</Id></Othr></Id></Acct>"
        f"<TxsSummry><TtlNtries><NbOfNtries>{_ENTRIES}</NbOfNtries></TtlNtries></TxsSummry>\n"
    )
    file.writelines(
        '<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-24'
        f"</Dt></BookgDt><AcctSvcrRef>R{number}</AcctSvcrRef><BkTxCd><Prtry><Cd>1</Cd></Prtry></BkTxCd><NtryDtls>"
        f"<TxDtls><Refs><EndToEndId>E{number}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Ana Sousa</Nm></Pty></Dbtr>"
        "<DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct>"
        f"<CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct></RltdPties></TxDtls></NtryDtls></Ntry>\n"
        for number in range(_ENTRIES)
    )
    file.write("</Stmt></BkToCstmrStmt></Document>\n")


async def _import(house: House) -> tuple[float, int]:
    """Seconds until nothing is left to read, and kilobytes that were needed after the first entries."""
    async with open_workers(house) as jobs:
        read = next(job.run for job in jobs if job.name == "accounts.read_bank_entries")
        started = time.monotonic()
        rounds, early = 0, 0
        while await read():
            rounds += 1
            if rounds == _EARLY // _ENTRIES_AT_ONCE:
                early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early
