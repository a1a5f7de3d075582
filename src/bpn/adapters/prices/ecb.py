"""Euro reference rates of the European Central Bank: the file `eurofxref-daily.xml`, new on working days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

import httpx
from lxml import etree

from bpn.ports.readers import QuotedRate, SourceUnavailableError

URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_LARGEST_FILE = 1024 * 1024
_TIMEOUT_SECONDS = 10.0


class EcbRates:
    """Reads what one euro is in each currency. The file has a date and no time: its rates are as of midnight UTC."""

    source = "ECB"

    def __init__(self, url: str = URL) -> None:
        self._url = url
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def rates(self, currencies: Sequence[str]) -> list[QuotedRate]:
        """The day's rate of the euro in each of these currencies that the file names.

        Raises:
            SourceUnavailableError: no answer, or a file of another form.
        """
        try:
            answer = await self._client.get(self._url)
        except httpx.HTTPError as error:
            raise SourceUnavailableError(f"ECB: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK or len(answer.content) > _LARGEST_FILE:
            raise SourceUnavailableError(f"ECB: HTTP {answer.status_code}, {len(answer.content)} bytes")
        try:
            return _read(answer.content, frozenset(currencies))
        except (etree.XMLSyntaxError, KeyError, ValueError, StopIteration, InvalidOperation) as error:
            raise SourceUnavailableError("ECB: the file has another form than documented") from error


def _read(content: bytes, currencies: frozenset[str]) -> list[QuotedRate]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(content, parser)
    day = next(cube for cube in root.iter(_CUBE) if "time" in cube.attrib)
    at = datetime.combine(date.fromisoformat(str(day.attrib["time"])), time(), UTC)
    rates = [
        QuotedRate("EUR", str(cube.attrib["currency"]), Decimal(str(cube.attrib["rate"])), at)
        for cube in day.iter(_CUBE)
        if cube.attrib.get("currency") in currencies
    ]
    if not all(quoted.rate.is_finite() and quoted.rate > 0 for quoted in rates):
        raise ValueError("a rate must be positive")
    return rates
