"""The provider chapter's jobs: hear of deposits, refunds and payouts; end what waits too long."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.provider import operations
from bpn.chapters.provider.model import ProviderTerms
from bpn.jobs.job import Fact, Listener, Transaction, TransactionOpener, job


class ProviderJobs:
    """What happens to collection orders without a request."""

    def __init__(self, open_transaction: TransactionOpener, terms: ProviderTerms) -> None:
        self._open_transaction = open_transaction
        self._terms = terms

    def listener(self) -> Listener:
        """What follows from deposits, refunds and payouts, in the relay's transaction."""
        return Listener(operations.HEARD, self._hear)

    async def _hear(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        await operations.hear_facts(self._terms, tx, facts)

    @job(every_seconds=30)
    async def sweep_deposits(self) -> bool:
        """Make the orders of cleared deposits whose fact was missed."""
        async with self._open_transaction() as tx:
            missed = await operations.list_missed(tx)
        if missed:
            async with self._open_transaction() as tx:
                await operations.follow_deposits(self._terms, tx, missed)
        return False

    @job(every_seconds=5)
    async def expire_orders(self) -> bool:
        """Mark orders whose deadline is over."""
        async with self._open_transaction() as tx:
            return await operations.expire_orders(self._terms, tx)
