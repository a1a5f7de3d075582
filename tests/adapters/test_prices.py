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
from bpn.ports.readers import SourceUnavailableError

TIME = "2026-11-24T01:02:03.000Z"


def entry(identity: int, symbol: str, price: str | None) -> str:
    quote = f'{{"USD": {{"price": {price or "null"}, "last_updated": "{TIME}"}}}}'
    return f'"{identity}": {{"id": {identity}, "symbol": "{symbol}", "quote": {quote}}}'


@dataclass
class Source:
    """Answers as `/v2/cryptocurrency/quotes/latest` does."""

    url: str = ""
    status: int = 200
    data: str = entry(825, "USDT", "1.0001234567890123456789") + "," + entry(3408, "USDC", "0.9998")
    head: str = '{"error_code": 0, "error_message": null, "credit_count": 1}'
    asked: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query), request.headers.get("X-CMC_PRO_API_KEY")))
        text = f'{{"status": {self.head}, "data": {{{self.data}}}}}'
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


async def ask(source: Source) -> Any:
    prices = CoinMarketCapPrices("key", source.url)
    try:
        return await prices.prices(["USDT", "USDC", "BBRL"])
    finally:
        await prices.close()


async def test_all_prices_in_one_call_read_without_a_float(source: Source) -> None:
    found = await ask(source)
    assert found["USDT"].usd == Decimal("1.0001234567890123456789")
    assert found["USDC"].usd == Decimal("0.9998")
    assert found["USDT"].time == datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    assert "BBRL" not in found
    assert source.asked == [("/v2/cryptocurrency/quotes/latest", {"id": "825,3408", "convert": "USD"}, "key")]


async def test_a_price_that_is_missing_is_absent(source: Source) -> None:
    source.data = entry(825, "USDT", None)
    assert await ask(source) == {}


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
