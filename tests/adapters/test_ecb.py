"""The reader of the ECB's daily reference rates against a local server that gives its file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiohttp import web

from bpn.adapters.prices.ecb import EcbRates
from bpn.ports.readers import SourceUnavailableError

FILE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
                 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time='2026-11-24'>
      <Cube currency='USD' rate='1.1602'/>
      <Cube currency='JPY' rate='181.35'/>
      <Cube currency='BRL' rate='6.2791'/>
    </Cube>
  </Cube>
</gesmes:Envelope>"""


@dataclass
class Bank:
    url: str = ""
    text: str = FILE
    status: int = 200

    async def answer(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.status, text=self.text, content_type="text/xml")


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    bank = Bank()
    application = web.Application()
    application.router.add_get("/stats/eurofxref/eurofxref-daily.xml", bank.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bank.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stats/eurofxref/eurofxref-daily.xml"
    yield bank
    await runner.cleanup()


async def ask(bank: Bank) -> dict[tuple[str, str], Decimal]:
    source = EcbRates(bank.url)
    try:
        found = await source.rates(["EUR", "USD", "BRL", "USDC"])
    finally:
        await source.close()
    assert {rate.time for rate in found} == {datetime(2026, 11, 24, tzinfo=UTC)}
    return {(rate.base, rate.quote): rate.rate for rate in found}


async def test_reads_what_one_euro_is_in_the_currencies_asked_for(bank: Bank) -> None:
    assert await ask(bank) == {("EUR", "USD"): Decimal("1.1602"), ("EUR", "BRL"): Decimal("6.2791")}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, FILE),
        (200, "<html>closed</html>"),
        (200, "not xml"),
        (200, FILE.replace("2026-11-24", "yesterday")),
        (200, FILE.replace("1.1602", "-1")),
        (200, FILE.replace("1.1602", "dear")),
        (200, FILE.replace("1.1602", "NaN")),
        (200, FILE.replace("<?xml", '<!DOCTYPE a [<!ENTITY b "1.2">]><?xml')),
    ],
)
async def test_anything_else_is_unavailable(bank: Bank, status: int, text: str) -> None:
    bank.status, bank.text = status, text
    with pytest.raises(SourceUnavailableError):
        await ask(bank)


async def test_nobody_there() -> None:
    with pytest.raises(SourceUnavailableError):
        await ask(Bank(url="http://127.0.0.1:9/"))
