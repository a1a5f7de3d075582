"""Live prices from the CoinMarketCap Pro API: `GET /v2/cryptocurrency/quotes/latest`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from bpn.ports.readers import Price, SourceUnavailableError

IDS: Mapping[str, int] = {"USDT": 825, "USDC": 3408, "BNB": 1839, "ETH": 1027, "POL": 28321}
"""CoinMarketCap's own ids: symbols are ambiguous there."""
_TIMEOUT_SECONDS = 10.0


class CoinMarketCapPrices:
    """Asks for all prices in one call."""

    source = "COINMARKETCAP"

    def __init__(self, api_key: str, base_url: str, ids: Mapping[str, int] = IDS) -> None:
        self._ids = ids
        self._client = httpx.AsyncClient(
            base_url=base_url, headers={"X-CMC_PRO_API_KEY": api_key, "Accept": "application/json"},
            timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def prices(self, currencies: Sequence[str]) -> dict[str, Price]:
        """The newest USD price of each currency that has an id; those that the answer lacks are absent.

        Raises:
            SourceUnavailableError: no answer, a refusal (wrong key, rate limit) or an answer of another form.
        """
        asked = {currency: self._ids[currency] for currency in currencies if currency in self._ids}
        query = {"id": ",".join(str(identity) for identity in asked.values()), "convert": "USD"}
        try:
            answer = await self._client.get("/v2/cryptocurrency/quotes/latest", params=query)
            body = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnavailableError(f"CoinMarketCap: {type(error).__name__}") from error
        try:
            if answer.status_code != httpx.codes.OK or body["status"]["error_code"] != 0:
                raise SourceUnavailableError(
                    f"CoinMarketCap: HTTP {answer.status_code}: {body['status']['error_message']}"
                )
            return {
                currency: price
                for currency, identity in asked.items()
                if (price := _price(body["data"].get(str(identity)))) is not None
            }
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            raise SourceUnavailableError("CoinMarketCap: the answer has another form than documented") from error


def _price(entry: Any) -> Price | None:
    """The price in an entry of `data`; None where the source has none."""
    quote = None if entry is None else entry["quote"]["USD"]
    if quote is None or quote["price"] is None:
        return None
    price = Decimal(quote["price"])
    if not price.is_finite() or price <= 0:
        raise ValueError("a price must be positive")
    return Price(price, datetime.fromisoformat(quote["last_updated"]))
