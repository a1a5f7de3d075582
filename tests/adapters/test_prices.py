"""The CoinMarketCap client against a local server that speaks its documented format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bpn.adapters.prices.coinmarketcap import CoinMarketCapPrices
from bpn.ports.readers import QuotedRate, SourceUnavailableError

TIME = "2026-11-24T01:02:03.000Z"


def entry(identity: int, symbol: str, price: str | None) -> str:
    quote = f'{{"USD": {{"price": {price or "null"}, "last_updated": "{TIME}"}}}}'
    return f'"{identity}": {{"id": {identity}, "symbol": "{symbol}", "quote": {quote}}}'


def conversion(**prices: str | None) -> str:
    quotes = ", ".join(
        f'"{currency}": {{"price": {price or "null"}, "last_updated": "{TIME}"}}' for currency, price in prices.items()
    )
    return f'{{"id": 2781, "symbol": "USD", "amount": 1, "last_updated": "{TIME}", "quote": {{{quotes}}}}}'


@dataclass
class Source:
    """Answers as `/v2/cryptocurrency/quotes/latest` and `/v2/tools/price-conversion` do."""

    url: str = ""
    status: int = 200
    data: str = entry(825, "USDT", "1.0001234567890123456789") + "," + entry(3408, "USDC", "0.9998")
    conversion: str = conversion(BRL="5.41", EUR="0.8620000000000000000001", MXN=None)
    head: str = '{"error_code": 0, "error_message": null, "credit_count": 1}'
    asked: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query), request.headers.get("X-CMC_PRO_API_KEY")))
        data = self.conversion if request.path.endswith("price-conversion") else f"{{{self.data}}}"
        text = f'{{"status": {self.head}, "data": {data}}}'
        return web.Response(status=self.status, text=text, content_type="application/json")


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    source = Source()
    application = web.Application()
    application.router.add_get("/{path:.*}", source.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    source.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield source
    await runner.cleanup()


async def ask(source: Source, *currencies: str) -> dict[tuple[str, str], QuotedRate]:
    prices = CoinMarketCapPrices("key", source.url, fiat=frozenset({"USD", "BRL", "EUR", "MXN"}))
    try:
        found = await prices.rates(currencies or ["USDT", "USDC", "BBRL", "USD", "BRL", "EUR", "MXN"])
        return {(rate.base, rate.quote): rate for rate in found}
    finally:
        await prices.close()


async def test_all_rates_in_two_calls_read_without_a_float(source: Source) -> None:
    found = await ask(source)
    assert {pair: rate.rate for pair, rate in found.items()} == {
        ("USDT", "USD"): Decimal("1.0001234567890123456789"),
        ("USDC", "USD"): Decimal("0.9998"),
        ("USD", "BRL"): Decimal("5.41"),
        ("USD", "EUR"): Decimal("0.8620000000000000000001"),
    }
    assert {rate.time for rate in found.values()} == {datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)}
    assert source.asked == [
        ("/v2/cryptocurrency/quotes/latest", {"id": "825,3408", "convert": "USD"}, "key"),
        ("/v2/tools/price-conversion", {"amount": "1", "id": "2781", "convert": "BRL,EUR,MXN"}, "key"),
    ]


async def test_a_price_that_is_missing_is_absent(source: Source) -> None:
    source.data = entry(825, "USDT", None)
    assert await ask(source, "USDT", "USDC") == {}


async def test_a_conversion_may_come_in_a_list(source: Source) -> None:
    source.conversion = f"[{conversion(BRL='5.5')}]"
    assert (await ask(source, "BRL"))["USD", "BRL"].rate == Decimal("5.5")


@pytest.mark.parametrize(
    ("status", "head", "data"),
    [
        (401, '{"error_code": 1001, "error_message": "This API Key is invalid."}', ""),
        (429, '{"error_code": 1008, "error_message": "Rate limit."}', ""),
        (500, "{}", ""),
        (200, '{"error_code": 0}', entry(825, "USDT", "-1")),
        (200, '{"error_code": 0}', entry(825, "USDT", '"cheap"')),
        (200, '{"error_code": 0}', '"825": {}'),
        (200, "not json", ""),
    ],
)
async def test_anything_else_is_unavailable(source: Source, status: int, head: str, data: str) -> None:
    source.status, source.head, source.data = status, head, data
    with pytest.raises(SourceUnavailableError):
        await ask(source)


async def test_nobody_there() -> None:
    with pytest.raises(SourceUnavailableError):
        await ask(Source(url="http://127.0.0.1:9"))
