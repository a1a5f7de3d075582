"""Asking the lists about one party: whoever cannot be looked up waits, and holds up nobody else."""

from __future__ import annotations

import structlog

from bpn.chapters.wallet.model import ScreeningCase
from bpn.ports.readers import ScreeningReader, ScreeningVerdict, SourceUnavailableError

log = structlog.get_logger(__name__)


async def screened(screening: ScreeningReader, case: ScreeningCase) -> ScreeningVerdict | None:
    """What the lists say of a party; None where a source is down: the case waits and is never cleared."""
    try:
        return await screening.screen(case.address, case.names)
    except SourceUnavailableError as error:
        log.warning("screening.unavailable", transaction_id=case.transaction_id, error=str(error))
        return None
