"""A bank that exchanges files: what leaves is valid and leaves once; what comes is read or listed, and never lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bpn.adapters.bank.iso20022 import outbox as outbox_module
from bpn.adapters.bank.iso20022.bank import FileBank
from bpn.adapters.bank.iso20022.number_pool import NumberPool
from bpn.adapters.bank.iso20022.outbox import Outbox
from bpn.adapters.bank.iso20022.payment_file import information_id
from bpn.adapters.bank.iso20022.terms import FileTerms, OwnAccount
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
from bpn.ports.senders import AccountRequest, ChargeBearer, OpeningState, Payment, PaymentBatch
from statements import (
    OWN_IBAN,
    TAIL,
    VIRTUAL_IBAN,
    Booking,
    batch_booking,
    check_by_schema,
    head,
    plain_booking,
    statement,
    status_report,
)

MOMENT = datetime(2026, 11, 25, 3, 4, 5, 678, tzinfo=UTC)
GERMAN = BankParty(name="Jürgen Müller & Söhne", account="DE02500105170137075030", bic="INGDDEFF", country="DE")
AMERICAN = BankParty(
    name="Ana Sousa", account="123456789", bank_code="021000021", bank_name="Bank", country="us", address="1 Main St"
)
BRAZILIAN = BankParty(name="Bob", pix_key="bob@example.com", tax_id="11144477735", country="BR")
CHINESE = BankParty(name="面包店", account="123456", bic="HSBCHKHH", country="HK")


def terms(folder: Path) -> FileTerms:
    accounts = {
        "EUR": OwnAccount(OWN_IBAN, "BPN Müller GmbH", "COBADEFF"),
        "USD": OwnAccount("987654321", "BPN Inc."),
        "BRL": OwnAccount("445566", "BPN Ltda"),
        "HKD": OwnAccount("778899", "BPN HK", "HSBCHKHH"),
    }
    return FileTerms(folder, "BPN", accounts, quiet_seconds=0)


@pytest.fixture
def bank(tmp_path: Path) -> FileBank:
    return FileBank(terms(tmp_path))


def payment(reference: str, **other: object) -> Payment:
    usual = Payment(reference, "SEPA", "EUR", "10.50", "Padaria São João", GERMAN, "Order 12 – thanks\n€")
    return replace(usual, **other)


def deliver(folder: Path, name: str, content: bytes) -> Path:
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    path = inbox / name
    path.write_bytes(content)
    return path


def names(folder: Path, kind: str) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in (folder / kind).glob("*")) if (folder / kind).exists() else []


async def drain(bank: FileBank, limit: int = 100) -> list[BankEntry]:
    told: list[BankEntry] = []
    while batch := await bank.read(limit):
        told += batch.entries
        await bank.acknowledge(batch.receipt)
    return told


class TestPaymentFile:
    async def test_is_valid_by_the_schema_for_every_rail(self, bank: FileBank, tmp_path: Path) -> None:
        payments = (
            payment("P1"),
            payment("P2", amount="0.01", remittance=None, payee=replace(GERMAN, bic=None)),
            payment("P3", rail="SWIFT", charge_bearer=ChargeBearer.SHARED),
            payment("P4", rail="ACH", currency="USD", payee=AMERICAN, charge_bearer=ChargeBearer.PAYER),
            payment("P5", rail="FEDWIRE", currency="USD", amount="1000000.00", payee=AMERICAN),
            payment("P6", rail="PIX", currency="BRL", payee=BRAZILIAN),
            payment("P7", rail="LOCAL", currency="HKD", payee=CHINESE),
            payment("P8", payee=CHINESE, remittance="…" * 200),
        )
        await bank.pay(PaymentBatch("B1", MOMENT, payments))
        (path,) = (tmp_path / "outbox").glob("*.xml")
        content = path.read_bytes()
        check_by_schema(content)
        text = content.decode()
        assert path.name == "pain001-B1.xml"
        assert "<MsgId>B1</MsgId>" in text
        assert "Jurgen Muller . Sohne" in text
        assert "面包店" in text
        for one in payments:
            assert f"<EndToEndId>{one.end_to_end_id}</EndToEndId>" in text

    async def test_the_same_batch_is_the_same_file_and_leaves_once(self, bank: FileBank, tmp_path: Path) -> None:
        batch = PaymentBatch("B1", MOMENT, (payment("P1"), payment("P2")))
        await asyncio.gather(*(one.pay(batch) for one in [bank, FileBank(terms(tmp_path))] * 5))
        (path,) = (tmp_path / "outbox").glob("*.xml")
        first = path.read_bytes()
        path.unlink()  # the bank takes it
        await bank.pay(batch)
        assert list((tmp_path / "outbox").glob("*.xml")) == []
        assert (tmp_path / "archive" / path.name).read_bytes() == first
        assert list((tmp_path / "outbox" / ".pending").iterdir()) == []

    async def test_a_currency_without_an_account_is_told_as_rejected(self, bank: FileBank, tmp_path: Path) -> None:
        batch = PaymentBatch("B1", MOMENT, (payment("P1"), payment("P2", currency="GBP", amount="7.00")))
        await bank.pay(batch)
        await bank.pay(batch)
        (report,) = await drain(bank)
        assert isinstance(report, PaymentReport)
        assert (report.end_to_end_id, report.outcome, report.amount) == ("P2", PaymentOutcome.REJECTED, "7.00")
        assert "P2" not in next((tmp_path / "outbox").glob("*.xml")).read_text()


class TestCrashes:
    """Whichever step of handing a file over is the last, the bank gets the file once in the end."""

    STEPS = ("open", "fsync", "link", "unlink", "rename")

    @pytest.mark.parametrize("step", range(12))
    def test_between_any_two_steps(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        class Died(BaseException):
            pass

        left = step

        def dying(function):
            def call(*arguments, **options):
                nonlocal left
                if left == 0:
                    raise Died
                left -= 1
                return function(*arguments, **options)

            return call

        with monkeypatch.context() as patched:
            for name in ("link", "fsync"):
                patched.setattr(outbox_module.os, name, dying(getattr(os, name)))
            for name in ("unlink", "rename", "samefile"):
                patched.setattr(Path, name, dying(getattr(Path, name)))
            with contextlib.suppress(Died):
                Outbox(tmp_path).hand_over("a.xml", b"content")
        taken = self.take(tmp_path)
        Outbox(tmp_path).hand_over("a.xml", b"content")
        taken += self.take(tmp_path)
        Outbox(tmp_path).hand_over("a.xml", b"content")
        taken += self.take(tmp_path)
        assert taken == [b"content"]

    @staticmethod
    def take(folder: Path) -> list[bytes]:
        """What the bank finds, and takes away."""
        found = []
        for path in (folder / "outbox").glob("*.xml"):
            found.append(path.read_bytes())
            path.unlink()
        return found

    def test_killed_for_real_again_and_again(self, tmp_path: Path) -> None:
        program = (
            "import sys; from pathlib import Path; from bpn.adapters.bank.iso20022.outbox import Outbox\n"
            "print('ready', flush=True)\n"
            "for number in range(100_000): Outbox(Path(sys.argv[1])).hand_over(f'{number}.xml', b'content')\n"
        )
        for _ in range(3):
            process = subprocess.Popen(
                [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            process.stdout.readline()
            while len(list((tmp_path / "archive").glob("*"))) < 20:
                pass
            process.kill()
            process.wait()
            process.stdout.close()
        count = len(list((tmp_path / "archive").glob("*")))
        for number in range(count):
            Outbox(tmp_path).hand_over(f"{number}.xml", b"content")
        assert len(list((tmp_path / "outbox").glob("*.xml"))) == count
        assert [path for path in (tmp_path / "outbox" / ".pending").iterdir() if path.suffix == ".xml"] == []


class TestStatement:
    @pytest.mark.parametrize("version", range(2, 15))
    async def test_every_version_says_the_same(self, bank: FileBank, tmp_path: Path, version: int) -> None:
        content = statement(
            [
                Booking("R1"),
                Booking("R2", sign="DBIT", end_to_end_id="P1", paid=None),
                Booking("R3", end_to_end_id="P1", return_code="AC04", paid=None),
                Booking("R4", sign="DBIT", reversal=True, end_to_end_id="E2E-1"),
                Booking("R5", status="PDNG"),
            ],
            version,
            count=5,
        )
        check_by_schema(content)
        deliver(tmp_path, "statement.xml", content)
        pay_in, settled, returned, reversed_ = await drain(bank)
        assert isinstance(pay_in, PayIn)
        assert pay_in.reference == f"{OWN_IBAN}:CRDT:R1"
        assert pay_in.handles == (Handle(HandleKind.IBAN, VIRTUAL_IBAN), Handle(HandleKind.IBAN, OWN_IBAN))
        assert (pay_in.amount, pay_in.currency, pay_in.end_to_end_id) == ("10.50", "EUR", "E2E-1")
        assert pay_in.payer == BankParty("Ana Sousa", "FR1420041010050500013M02606", bic="PSSTFRPP")
        assert (pay_in.remittance, pay_in.booked_at) == ("Order 12", datetime(2026, 11, 24, tzinfo=UTC))
        assert isinstance(settled, PaymentReport)
        assert (settled.end_to_end_id, settled.outcome) == ("P1", PaymentOutcome.SETTLED)
        assert isinstance(returned, PaymentReport)
        assert (returned.outcome, returned.reason_code) == (PaymentOutcome.RETURNED, "AC04")
        assert isinstance(reversed_, PayInReversed)
        assert reversed_.end_to_end_id == "E2E-1"
        assert names(tmp_path, "done") == ["statement.xml"]
        assert await bank.balances() == {"EUR": "1500.25"}

    async def test_a_batch_booked_in_one_sum_settles_each_payment(self, bank: FileBank, tmp_path: Path) -> None:
        await bank.pay(PaymentBatch("B1", MOMENT, (payment("P1"), payment("P2", amount="4.50"))))
        part = information_id("B1", 1)
        content = statement([batch_booking(part, "15.00")])
        check_by_schema(content)
        deliver(tmp_path, "statement.xml", content)
        told = await drain(bank)
        assert [(one.end_to_end_id, one.outcome) for one in told if isinstance(one, PaymentReport)] == [
            ("P1", PaymentOutcome.SETTLED),
            ("P2", PaymentOutcome.SETTLED),
        ]
        deliver(tmp_path, "other.xml", statement([batch_booking(part, "15.01")]))
        (wrong,) = await drain(bank)
        assert isinstance(wrong, UnreadableEntry)

    @pytest.mark.parametrize(
        "content",
        [
            statement([Booking("R1")])[:-40],
            statement([Booking("R1")])[:300],
            b"",
            b"no XML at all",
            statement([Booking("R1")]).replace(b"camt.053.001.08", b"camt.053.001.99"),
            statement([Booking("R1")]).replace(b"camt.053.001.08", b"pacs.008.001.08"),
            statement([Booking("R1")], count=2),
            b'<!DOCTYPE Document [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + statement([Booking("R1")])[39:],
            status_report("NOBODYS", group="RJCT"),
        ],
        ids=["cut", "cut early", "empty", "malformed", "other version", "other message", "count", "doctype", "unknown"],
    )
    async def test_a_file_that_cannot_be_used_is_listed_and_kept(
        self, bank: FileBank, tmp_path: Path, content: bytes
    ) -> None:
        deliver(tmp_path, "a.xml", content)
        deliver(tmp_path, "b.xml", statement([Booking("R9")]))
        bad, good = await drain(bank)
        assert isinstance(bad, UnreadableEntry)
        assert bad.document == "a.xml"
        assert isinstance(good, PayIn)
        assert (names(tmp_path, "failed"), names(tmp_path, "done")) == (["a.xml"], ["b.xml"])
        (kept,) = (tmp_path / "failed").glob("*")
        assert kept.read_bytes() == content

    async def test_the_same_file_twice_is_listed(self, bank: FileBank, tmp_path: Path) -> None:
        for name in ("a.xml", "b.xml"):
            deliver(tmp_path, name, statement([Booking("R1")]))
        first, second = await drain(bank)
        assert isinstance(first, PayIn)
        assert isinstance(second, UnreadableEntry)
        assert "before" in second.reason

    async def test_the_same_booking_in_two_statements_has_one_reference(self, bank: FileBank, tmp_path: Path) -> None:
        deliver(tmp_path, "a.xml", statement([Booking("R1")], statement="S-1"))
        deliver(tmp_path, "b.xml", statement([Booking("R1"), Booking("R2")], version=2, statement="S-2"))
        references = [entry.reference for entry in await drain(bank)]
        assert references == [f"{OWN_IBAN}:CRDT:R1", f"{OWN_IBAN}:CRDT:R1", f"{OWN_IBAN}:CRDT:R2"]

    @pytest.mark.parametrize(
        "bad",
        [
            Booking("R2").xml(8).replace("10.50", "ten"),
            Booking("R2").xml(8).replace("10.50", "0"),
            Booking("R2").xml(8).replace("10.50", "-1"),
            Booking("R2").xml(8).replace("CRDT", "BOTH"),
            Booking("R2").xml(8).replace("2026-11-24", "yesterday"),
        ],
    )
    async def test_one_bad_booking_is_listed_and_the_others_are_read(
        self, bank: FileBank, tmp_path: Path, bad: str
    ) -> None:
        deliver(tmp_path, "a.xml", statement([Booking("R1"), bad, Booking("R3")]))
        first, listed, last = await drain(bank)
        assert isinstance(first, PayIn)
        assert isinstance(last, PayIn)
        assert isinstance(listed, UnreadableEntry)
        assert "R2" in (listed.detail or "")

    async def test_an_account_that_is_not_ours_is_listed(self, bank: FileBank, tmp_path: Path) -> None:
        deliver(tmp_path, "a.xml", statement([Booking("R1"), Booking("R2")], account="FR1420041010050500013M02606"))
        told = await drain(bank)
        assert [type(entry) for entry in told] == [UnreadableEntry] * 2
        assert len({entry.reference for entry in told}) == 2

    async def test_what_is_not_acknowledged_comes_again(self, bank: FileBank, tmp_path: Path) -> None:
        deliver(tmp_path, "a.xml", statement([Booking(f"R{number}") for number in range(5)]))
        first = await bank.read(2)
        assert first is not None
        assert await bank.read(2) == first
        await bank.acknowledge("an older receipt")
        assert await bank.read(2) == first
        await bank.acknowledge(first.receipt)
        await bank.acknowledge(first.receipt)
        second = await bank.read(2)
        assert second is not None
        assert second.entries != first.entries
        # Another process, after a crash of this one, begins the file again and loses nothing.
        told = await drain(FileBank(terms(tmp_path)), limit=2)
        assert [entry.reference.rpartition(":")[2] for entry in told] == [f"R{number}" for number in range(5)]
        assert names(tmp_path, "done") == ["a.xml"]
        await bank.acknowledge(second.receipt)
        assert len(await drain(bank)) == 1

    async def test_files_that_still_grow_wait(self, tmp_path: Path) -> None:
        slow = FileBank(replace(terms(tmp_path), quiet_seconds=3600))
        path = deliver(tmp_path, "a.xml", statement([Booking("R1")]))
        deliver(tmp_path, "b.xml.part", b"half")
        deliver(tmp_path, ".c.xml", b"half")
        assert await slow.read(10) is None
        os.utime(path, (1, 1))
        assert len(await drain(slow)) == 1

    def test_memory_is_flat_at_a_hundred_thousand_bookings(self, tmp_path: Path) -> None:
        (tmp_path / "inbox").mkdir()
        with (tmp_path / "inbox" / "large.xml").open("w") as file:
            file.write(head(8, count=100_000))
            file.writelines(plain_booking(number) for number in range(100_000))
            file.write(TAIL)
        read = subprocess.run(
            [sys.executable, "-c", READ_ALL, str(tmp_path), OWN_IBAN], capture_output=True, text=True, check=True
        )
        count, distinct, early, late = map(int, read.stdout.split())
        assert (count, distinct) == (100_000, 100_000)
        assert late - early < 10_000, "kilobytes that were needed after the first ten thousand"


READ_ALL = """
import asyncio, resource, sys
from pathlib import Path
from bpn.adapters.bank.iso20022.bank import FileBank
from bpn.adapters.bank.iso20022.terms import FileTerms, OwnAccount


async def main():
    bank = FileBank(FileTerms(Path(sys.argv[1]), "BPN", {"EUR": OwnAccount(sys.argv[2], "BPN")}, quiet_seconds=0))
    numbers, count, early = bytearray(100_000), 0, 0
    while batch := await bank.read(1000):
        for entry in batch.entries:
            numbers[int(entry.reference.rpartition("R")[2])] = 1
        count += len(batch.entries)
        await bank.acknowledge(batch.receipt)
        if count == 10_000:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(count, sum(numbers), early, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


asyncio.run(main())
"""


class TestStatusReport:
    async def test_says_payment_by_payment(self, bank: FileBank, tmp_path: Path) -> None:
        await bank.pay(PaymentBatch("B1", MOMENT, (payment("P1"), payment("P2", amount="4.50"))))
        content = status_report("B1", payments=[("P1", "ACSP", None), ("P2", "RJCT", "AC01"), ("P9", "RJCT", None)])
        check_by_schema(content)
        deliver(tmp_path, "report.xml", content)
        accepted, rejected, unknown = await drain(bank)
        assert isinstance(accepted, PaymentReport)
        assert (accepted.end_to_end_id, accepted.outcome) == ("P1", PaymentOutcome.ACCEPTED)
        assert isinstance(rejected, PaymentReport)
        assert (rejected.outcome, rejected.reason_code, rejected.amount) == (PaymentOutcome.REJECTED, "AC01", "4.50")
        assert isinstance(unknown, UnreadableEntry)

    async def test_a_file_refused_whole_rejects_each_payment(self, bank: FileBank, tmp_path: Path) -> None:
        await bank.pay(PaymentBatch("B1", MOMENT, (payment("P1"), payment("P2"))))
        content = status_report("B1", group="RJCT")
        check_by_schema(content)
        deliver(tmp_path, "report.xml", content)
        told = await drain(bank)
        assert [
            (one.end_to_end_id, one.outcome, one.reason_code) for one in told if isinstance(one, PaymentReport)
        ] == [
            ("P1", PaymentOutcome.REJECTED, "FF01"),
            ("P2", PaymentOutcome.REJECTED, "FF01"),
        ]


class TestNumberPool:
    @staticmethod
    def request(request_id: str, **other: object) -> AccountRequest:
        return replace(AccountRequest(request_id, "EUR", "DE", "SEPA", "Ana Sousa"), **other)

    async def test_gives_each_number_once(self, tmp_path: Path) -> None:
        pool = NumberPool(tmp_path)
        assert (await pool.open(self.request("A1"))).state is OpeningState.PENDING
        available = tmp_path / "numbers" / "EUR" / "available"
        for place, number in enumerate((VIRTUAL_IBAN, OWN_IBAN)):
            content = {"number": number, "bic": "BYLADEM1", "bankName": "DKB"}
            (available / f"{place}.json").write_text(json.dumps(content))
        opened = await asyncio.gather(
            *(NumberPool(tmp_path).open(self.request(f"A{number}")) for number in (1, 2, 3) * 3)
        )
        found = [one.numbers.iban for one in opened if one.numbers is not None]
        assert set(found) == {VIRTUAL_IBAN, OWN_IBAN}
        again = [await pool.open(self.request(f"A{number}")) for number in (1, 2, 3)]
        assert sorted(one.state.value for one in again) == ["open", "open", "pending"]
        (first,) = [one.numbers for one in again if one.numbers is not None and one.numbers.iban == VIRTUAL_IBAN]
        assert first.handles == (Handle(HandleKind.IBAN, VIRTUAL_IBAN),)

    async def test_offers_no_pix(self, tmp_path: Path) -> None:
        refused = await NumberPool(tmp_path).open(self.request("A1", currency="BRL", rail="PIX"))
        assert refused.state is OpeningState.FAILED
