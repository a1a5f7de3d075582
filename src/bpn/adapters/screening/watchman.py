"""Moov Watchman: `GET /v2/search`, once for each name and once for the address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from bpn.ports.readers import ScreeningVerdict, SourceUnavailableError

_TIMEOUT_SECONDS = 10.0
_CURRENCIES = ("ETH", "USDT", "USDC", "BSC", "ARB")
"""The words under which the lists that Watchman reads keep addresses of EVM networks."""


class Watchman:
    """Hits what Watchman finds at least as similar as the threshold."""

    def __init__(self, base_url: str, threshold: int) -> None:
        self._least = Decimal(threshold) / 100
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up. Raises SourceUnavailableError when Watchman does not answer as documented."""
        if address is not None:
            asked = [f"{currency}:{address}" for currency in _CURRENCIES]
            found = await self._search({"cryptoAddress": asked})
            if found is not None:
                return ScreeningVerdict(hit=True, reason=f"The address is listed: {found}.")
        for name in names:
            found = await self._search({"name": [name]})
            if found is not None:
                return ScreeningVerdict(hit=True, reason=f"The name is like {found}.")
        return ScreeningVerdict(hit=False)

    async def _search(self, query: dict[str, list[str]]) -> str | None:
        """What names the best match, None where none reaches the threshold; the server leaves those below it out."""
        parameters = {**query, "minMatch": [str(self._least)], "limit": ["1"]}
        try:
            answer = await self._client.get("/v2/search", params=parameters)
            body = json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnavailableError(f"Watchman: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise SourceUnavailableError(f"Watchman: HTTP {answer.status_code}")
        try:
            return next(
                (_named(one) for one in body["entities"] or () if Decimal(one.get("match", 1)) >= self._least), None
            )
        except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise SourceUnavailableError("Watchman: the answer has another form than documented") from error


def _named(entity: dict[str, Any]) -> str:
    source = entity.get("sourceList") or entity.get("source") or "a list"
    return f"{entity['name']} ({source} {entity.get('sourceID', '')})"
