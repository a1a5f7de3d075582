"""The fx chapter's jobs: ask every source for its rates, forget old history."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from prometheus_client import Gauge

from bpn.chapters.fx import operations
from bpn.chapters.fx.model import FxTerms
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import RateReader, SourceUnavailableError

log = structlog.get_logger(__name__)
HELD = Gauge("bpn_fx_rates_held", "Rates that jumped and wait for the operator.", ["source"])


class RateJobs:
    """Keeps the rates of all sources fresh."""

    def __init__(self, open_transaction: TransactionOpener, terms: FxTerms, sources: Sequence[RateReader]) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._sources = sources

    @job(every_seconds=30)
    async def refresh_rates(self) -> bool:
        """Ask every source; where one is down its last rates stand until they are too old."""
        for source in self._sources:
            try:
                quoted = await source.rates(self._terms.currencies)
            except SourceUnavailableError as error:
                log.warning("rates.unavailable", source=source.source, error=str(error))
                continue
            async with self._open_transaction() as tx:
                held = await operations.record_rates(self._terms, tx, source.source, quoted)
            HELD.labels(source.source).set(len(held))
            for rate in held:
                log.error("rate.held", pair=f"{rate.base}/{rate.quote}", source=rate.source, held=str(rate.held))
        return False

    @job(every_seconds=600)
    async def forget_old_rates(self) -> bool:
        """Delete history that is older than it is kept for."""
        async with self._open_transaction() as tx:
            return await operations.forget_old_rates(self._terms, tx)
