"""The KYB chapter's job: look up who was shared."""

from __future__ import annotations

import structlog

from bpn.chapters.kyb import operations
from bpn.chapters.kyb.model import KybStatusChanged, KybTerms
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import ScreeningReader, SourceUnavailableError

log = structlog.get_logger(__name__)
_SCREENED_AT_ONCE = 50


class KybJobs:
    """Screens sub users, and lets the sandbox's rule or a person decide."""

    def __init__(self, open_transaction: TransactionOpener, terms: KybTerms, screening: ScreeningReader) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._screening = screening

    @job(every_seconds=5, after=(KybStatusChanged.name,))
    async def screen_sub_users(self) -> bool:
        """Look up the names of new sub users."""
        async with self._open_transaction() as tx:
            cases = await operations.list_screening(self._terms, tx, _SCREENED_AT_ONCE)
        for case in cases:
            try:
                verdict = await self._screening.screen(None, case.names)
            except SourceUnavailableError as error:
                log.warning("kyb.screening_unavailable", error=str(error))
                return False
            async with self._open_transaction() as tx:
                await operations.record_screening(self._terms, tx, case, hit=verdict.hit, reason=verdict.reason)
        return len(cases) == _SCREENED_AT_ONCE
