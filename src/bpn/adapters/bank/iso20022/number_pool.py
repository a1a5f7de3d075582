"""Account numbers that the bank has set aside for us, given out one by one.

`numbers/EUR/available/*.json` hold one number each: `{"number": "DE…", "bic": "…", "bankName": "…"}`, put there by
rename. A number that is given moves to `numbers/EUR/given/<request id>.json` and is never given again.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from bpn.adapters.bank.iso20022.bank import SOURCE
from bpn.adapters.bank.iso20022.statement import handle_of
from bpn.ports.readers import AccountNumbers, HandleKind, SourceUnavailableError
from bpn.ports.senders import AccountOpening, AccountRequest, OpeningState


class NumberPool:
    """An AccountIssuer on a directory; processes of one machine may share it."""

    source = SOURCE

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "numbers"

    async def open(self, request: AccountRequest) -> AccountOpening:
        """See AccountIssuer. PENDING until the bank has put a number there; codes for one payment are not offered."""
        if request.dynamic or request.rail == "PIX":
            return AccountOpening(OpeningState.FAILED, None, "NOT_OFFERED", "This bank opens no PIX accounts.")
        try:
            return await asyncio.to_thread(self._open, request)
        except OSError as error:
            raise SourceUnavailableError(f"the bank's numbers: {error}") from error

    async def close(self, request_id: str) -> None:
        """See AccountIssuer: the number stays ours, so that later payments to it can be returned."""

    def _open(self, request: AccountRequest) -> AccountOpening:
        folder = self._directory / request.currency
        given = folder / "given" / f"{request.request_id}.json"
        with _locked(folder):
            if not given.exists():
                self._give(folder / "available", given)
            if not given.exists():
                return AccountOpening(OpeningState.PENDING)
            return AccountOpening(OpeningState.OPEN, _numbers(json.loads(given.read_bytes()), request.holder_name))

    def _give(self, available: Path, given: Path) -> None:
        for path in sorted(available.glob("*.json")):
            # One rename gives it and takes it away: no crash can leave it in both places.
            path.rename(given)
            return


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    for name in ("available", "given"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _numbers(told: dict[str, str], holder_name: str) -> AccountNumbers:
    number, bic = told["number"].replace(" ", ""), told.get("bic")
    handle = handle_of(number, bic or "")
    try:
        country = IBAN(number).country_code if handle.kind is HandleKind.IBAN else told.get("country")
    except SchwiftyException:
        country = told.get("country")
    return AccountNumbers(
        account_holder_name=holder_name,
        bank_name=told.get("bankName", ""),
        handles=(handle,),
        country=country,
        iban=number if handle.kind is HandleKind.IBAN else None,
        clabe=number if handle.kind is HandleKind.CLABE else None,
        account_number=told.get("accountNumber") or (number if handle.kind is HandleKind.LOCAL else None),
        bic=bic,
        bank_code=told.get("bankCode"),
        sort_code=told.get("sortCode"),
        routing_number=told.get("routingNumber"),
    )
