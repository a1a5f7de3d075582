"""Live rates from the CoinMarketCap Pro API: stablecoins in USD, and USD converted to fiat currencies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from bpn.ports.readers import QuotedRate, SourceUnavailableError

IDS: Mapping[str, int] = {"USDT": 825, "USDC": 3408, "BNB": 1839, "ETH": 1027, "POL": 28321}
"""CoinMarketCap's own ids: symbols are ambiguous there."""
_USD_ID = 2781
_TIMEOUT_SECONDS = 10.0


class CoinMarketCapPrices:
    """Asks for all rates in two calls: `quotes/latest` for stablecoins, `price-conversion` for fiat currencies."""

    source = "COINMARKETCAP"

    def __init__(
        self, api_key: str, base_url: str, ids: Mapping[str, int] = IDS, fiat: frozenset[str] = frozenset()
    ) -> None:
        """Take the key, where to ask, the ids of cryptocurrencies and the codes of fiat currencies."""
        self._ids = ids
        self._fiat = fiat
        self._client = httpx.AsyncClient(
            base_url=base_url, headers={"X-CMC_PRO_API_KEY": api_key, "Accept": "application/json"},
            timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def rates(self, currencies: Sequence[str]) -> list[QuotedRate]:
        """USD prices of the stablecoins that have an id, and what a dollar is in each fiat currency.

        Those that the answer lacks are absent.

        Raises:
            SourceUnavailableError: no answer, a refusal (wrong key, rate limit) or an answer of another form.
        """
        coins = {currency: self._ids[currency] for currency in currencies if currency in self._ids}
        fiat = [currency for currency in currencies if currency in self._fiat and currency != "USD"]
        try:
            found = await self._prices_of(coins) if coins else []
            return found + (await self._conversions(fiat) if fiat else [])
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise SourceUnavailableError("CoinMarketCap: the answer has another form than documented") from error

    async def _prices_of(self, coins: Mapping[str, int]) -> list[QuotedRate]:
        data = await self._ask(
            "/v2/cryptocurrency/quotes/latest",
            {"id": ",".join(str(identity) for identity in coins.values()), "convert": "USD"},
        )
        entries = {currency: data.get(str(identity)) for currency, identity in coins.items()}
        return [
            rate
            for currency, entry in entries.items()
            if entry is not None and (rate := _rate(currency, "USD", entry["quote"]["USD"])) is not None
        ]

    async def _conversions(self, fiat: Sequence[str]) -> list[QuotedRate]:
        data = await self._ask(
            "/v2/tools/price-conversion", {"amount": "1", "id": str(_USD_ID), "convert": ",".join(fiat)}
        )
        # One currency converts as an object; the same endpoint answers a list where a symbol is ambiguous.
        quotes = (data[0] if isinstance(data, list) else data)["quote"]
        return [rate for currency in fiat if (rate := _rate("USD", currency, quotes.get(currency))) is not None]

    async def _ask(self, path: str, query: Mapping[str, str]) -> Any:
        """The `data` of a good answer."""
        try:
            answer = await self._client.get(path, params=query)
            body = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnavailableError(f"CoinMarketCap: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK or body["status"]["error_code"] != 0:
            raise SourceUnavailableError(f"CoinMarketCap: HTTP {answer.status_code}: {body['status']['error_message']}")
        return body["data"]


def _rate(base: str, quote: str, entry: Any) -> QuotedRate | None:
    """The rate in an entry of `quote`; None where the source has none."""
    if entry is None or entry["price"] is None:
        return None
    price = Decimal(entry["price"])
    if not price.is_finite() or price <= 0:
        raise ValueError("a price must be positive")
    return QuotedRate(base, quote, price, datetime.fromisoformat(entry["last_updated"]))
