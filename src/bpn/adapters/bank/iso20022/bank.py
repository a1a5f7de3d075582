"""A bank that exchanges files, behind the ports of a bank."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import structlog

from bpn.adapters.bank.iso20022.outbox import Outbox
from bpn.adapters.bank.iso20022.payment_file import WrittenPayment, read_payment_file, write_payment_file
from bpn.adapters.bank.iso20022.statement import Survey, UnreadableFileError, read_bookings, survey
from bpn.adapters.bank.iso20022.status_report import original_message, read_status_report
from bpn.adapters.bank.iso20022.terms import FileTerms
from bpn.ports.readers import (
    BankBatch,
    BankEntry,
    PaymentOutcome,
    PaymentReport,
    SourceUnavailableError,
    UnreadableEntry,
)
from bpn.ports.senders import PaymentBatch

log = structlog.get_logger(__name__)
SOURCE = "ISO20022"
_UNFINISHED = (".part", ".tmp", ".filepart")
_DIGEST_DIGITS = 16
_BALANCES = "balances.json"
_NO_ACCOUNT = "AC13"
Result = TypeVar("Result")


@dataclass(slots=True)
class _Reading:
    """A file being read, and the batch of it that waits to be acknowledged."""

    path: Path
    survey: Survey | None
    entries: Iterator[BankEntry]
    folder: str
    number: int = 0
    batch: BankBatch | None = None


class FileBank:
    """Writes payment files, reads what the bank sends. Several processes may share the directory."""

    source = SOURCE

    def __init__(self, terms: FileTerms) -> None:
        self._terms = terms
        self._outbox = Outbox(terms.directory)
        self._inbox = terms.directory / "inbox"
        self._own = {account.number: currency for currency, account in terms.accounts.items()}
        self._reading: _Reading | None = None
        self._one_at_a_time = asyncio.Lock()
        # The parser's trees belong to the thread that reads them: a reading goes on in the thread that began it.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="iso20022")

    # Out.

    async def pay(self, batch: PaymentBatch) -> None:
        """See BankSender. Payments in a currency that has no account here are told as REJECTED."""
        await self._in_thread(lambda: self._pay(batch))

    def _pay(self, batch: PaymentBatch) -> None:
        payable = [payment for payment in batch.payments if payment.currency in self._terms.accounts]
        if payable:
            content = write_payment_file(batch, payable, self._terms.initiator, self._terms.accounts)
            self._outbox.hand_over(_payment_file_name(batch.batch_id), content)
        refused = [payment for payment in batch.payments if payment.currency not in self._terms.accounts]
        if refused:
            self._refuse(batch, [(one.end_to_end_id, one.currency, one.amount) for one in refused])

    def _refuse(self, batch: PaymentBatch, payments: list[tuple[str, str, str]]) -> None:
        """Leave word for the reader, under one name however often it is left."""
        self._inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = {"createdAt": batch.created_at.isoformat(), "payments": payments}
        _write(self._inbox / f"refused-{batch.batch_id}.json", json.dumps(note).encode())

    # In.

    async def read(self, limit: int) -> BankBatch | None:
        """See BankReader."""
        async with self._one_at_a_time:
            return await self._in_thread(lambda: self._read(limit))

    def _read(self, limit: int) -> BankBatch | None:
        while True:
            if self._reading is None:
                path = next(self._waiting(), None)
                if path is None:
                    return None
                self._reading = self._begin(path)
            reading = self._reading
            if reading.batch is not None:
                return reading.batch
            try:
                entries = tuple(itertools.islice(reading.entries, limit))
            except Exception:
                # What is left of this reading would look like the file's end: begin it again.
                self._reading = None
                raise
            if entries:
                reading.number += 1
                receipt = f"{reading.path.name}:{reading.number}"
                reading.batch = BankBatch(entries, receipt, more=True)
                return reading.batch
            self._finish(reading)
            self._reading = None

    async def acknowledge(self, receipt: str) -> None:
        """See BankReader. A file of which all is acknowledged leaves the inbox when more is asked for."""
        async with self._one_at_a_time:
            reading = self._reading
            if reading is not None and reading.batch is not None and reading.batch.receipt == receipt:
                reading.batch = None

    async def balances(self) -> dict[str, str]:
        """See BankReader: the closing balances of the newest statements."""
        return await self._in_thread(self._balances)

    def _balances(self) -> dict[str, str]:
        sums: dict[str, Decimal] = {}
        for currency, amount, _ in self._known_balances().values():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
        return {currency: format(amount, "f") for currency, amount in sums.items()}

    def _known_balances(self) -> dict[str, tuple[str, str, str]]:
        path = self._terms.directory / _BALANCES
        return json.loads(path.read_bytes()) if path.exists() else {}

    def _waiting(self) -> Iterator[Path]:
        """Files of the inbox that no longer grow, by name."""
        if not self._inbox.exists():
            return
        quiet_since = time.time() - self._terms.quiet_seconds
        for path in sorted(self._inbox.iterdir()):
            if path.name.startswith(".") or path.name.endswith(_UNFINISHED) or not path.is_file():
                continue
            if path.stat().st_mtime <= quiet_since:
                yield path

    def _begin(self, path: Path) -> _Reading:
        """Look a file through; what is wrong with it becomes its only entry."""
        if path.suffix == ".json" and path.name.startswith("refused-"):
            return _Reading(path, None, _refusals(path), "done")
        try:
            found = survey(path)
            if next((self._terms.directory / "done").glob(f"{found.digest[:_DIGEST_DIGITS]}-*"), None) is not None:
                return self._failing(path, "the same file was read before", found.digest)
            if found.kind.message == "pain.002":
                return _Reading(path, found, self._status_report(path, found), "done")
            return _Reading(path, found, read_bookings(path, self._own, self._expand), "done")
        except UnreadableFileError as error:
            return self._failing(path, str(error), None)

    def _failing(self, path: Path, reason: str, digest: str | None) -> _Reading:
        log.warning("bank.file_failed", file=path.name, reason=reason)
        stamp = digest[:_DIGEST_DIGITS] if digest else str(path.stat().st_mtime_ns)
        entry = UnreadableEntry(f"file:{path.name}:{stamp}", path.name, f"The file cannot be used: {reason}.", None)
        return _Reading(path, None, iter([entry]), "failed")

    def _status_report(self, path: Path, found: Survey) -> Iterator[BankEntry]:
        name = _payment_file_name(original_message(path))
        ours = self._outbox.archived(name)
        if ours is None:
            raise UnreadableFileError("it is about no file of ours")
        return read_status_report(path, list(read_payment_file(ours)), found.digest)

    def _expand(self, part: str) -> Iterator[WrittenPayment]:
        """The payments of a part of a file of ours; of a whole file where the bank names that."""
        for batch_id in (part.rpartition("-")[0], part):
            ours = self._outbox.archived(_payment_file_name(batch_id)) if batch_id else None
            if ours is not None:
                for payment in read_payment_file(ours):
                    if part in {payment.information_id, batch_id}:
                        yield payment
                return

    def _finish(self, reading: _Reading) -> None:
        """All of a file is recorded: it leaves the inbox. Another process may have been first."""
        if reading.survey is not None and reading.survey.closing:
            known = self._known_balances()
            for account, (currency, amount, day) in reading.survey.closing.items():
                if account in self._own and day >= known.get(account, ("", "", ""))[2]:
                    known[account] = (currency, amount, day)
            _write(self._terms.directory / _BALANCES, json.dumps(known).encode())
        folder = self._terms.directory / reading.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = reading.survey.digest[:_DIGEST_DIGITS] if reading.survey else str(time.time_ns())
        try:
            reading.path.rename(folder / f"{stamp}-{reading.path.name}")
        except FileNotFoundError:
            return
        _sync(folder)
        _sync(self._inbox)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            self._reading = None
            raise SourceUnavailableError(f"the bank's directory: {error}") from error


def _payment_file_name(batch_id: str) -> str:
    safe = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in batch_id)
    return f"pain001-{safe}.xml"


def _refusals(path: Path) -> Iterator[BankEntry]:
    note = json.loads(path.read_bytes())
    for end_to_end_id, currency, amount in note["payments"]:
        yield PaymentReport(
            reference=f"refused:{end_to_end_id}",
            end_to_end_id=end_to_end_id,
            outcome=PaymentOutcome.REJECTED,
            currency=currency,
            amount=amount,
            reason_code=_NO_ACCOUNT,
            reason=f"There is no account in {currency} at this bank.",
            rail_reference=None,
            booked_at=datetime.fromisoformat(note["createdAt"]),
        )


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
