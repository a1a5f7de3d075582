"""USD prices, kept fresh."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.model import Price
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import PriceReader, SourceUnavailableError

log = structlog.get_logger(__name__)


class PriceJobs:
    """Keeps the USD prices of all currencies fresh."""

    def __init__(self, open_transaction: TransactionOpener, currencies: Sequence[str], source: PriceReader) -> None:
        self._open_transaction = open_transaction
        self._currencies = currencies
        self._source = source

    @job(every_seconds=30)
    async def refresh_prices(self) -> bool:
        """Ask the source for all prices at once; when it is down the last ones stand until they are too old."""
        try:
            quoted = await self._source.prices(self._currencies)
        except SourceUnavailableError as error:
            log.warning("prices.unavailable", source=self._source.source, error=str(error))
            return False
        prices = {currency: Price(price.usd, price.time, self._source.source) for currency, price in quoted.items()}
        async with self._open_transaction() as tx:
            await operations.record_prices(tx, prices)
        return False
