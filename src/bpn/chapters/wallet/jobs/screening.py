"""Asking the lists about parties: whoever cannot be looked up waits, and holds up nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from bpn.chapters.wallet.model import ScreeningCase
from bpn.jobs.job import Transaction, TransactionOpener
from bpn.ports.readers import ScreeningReader, ScreeningVerdict, SourceUnavailableError

log = structlog.get_logger(__name__)

Decide = Callable[[Transaction, ScreeningCase, ScreeningVerdict], Awaitable[object]]
"""Writes down what follows of a verdict."""


async def screen_all(
    screening: ScreeningReader, open_transaction: TransactionOpener, cases: Sequence[ScreeningCase], decide: Decide
) -> None:
    """Look parties up one by one, and decide on each in a transaction of its own; who cannot be looked up waits."""
    for case in cases:
        verdict = await screened(screening, case)
        if verdict is None:
            continue
        async with open_transaction() as tx:
            await decide(tx, case, verdict)


async def screened(screening: ScreeningReader, case: ScreeningCase) -> ScreeningVerdict | None:
    """What the lists say of a party; None where a source is down: the case waits and is never cleared."""
    try:
        return await screening.screen(case.address, case.names)
    except SourceUnavailableError as error:
        log.warning("screening.unavailable", transaction_id=case.transaction_id, error=str(error))
        return None
