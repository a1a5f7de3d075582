"""The payment links chapter's jobs: hear of deposits, end links in time, tell payers of confirmations."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.payment_links import operations
from bpn.chapters.payment_links.model import LinkTerms
from bpn.jobs.job import Fact, Listener, Transaction, TransactionOpener, job

_EXPIRED_AT_ONCE = 100
_COUNTED_AT_ONCE = 500


class PaymentLinkJobs:
    """The jobs of all links."""

    def __init__(self, open_transaction: TransactionOpener, terms: LinkTerms) -> None:
        self._open_transaction = open_transaction
        self._terms = terms

    def listener(self) -> Listener:
        """What follows from deposits and refunds, in the relay's transaction."""

        async def hear(tx: Transaction, facts: Sequence[Fact]) -> None:
            await operations.hear_facts(self._terms, tx, facts)

        return Listener(operations.HEARD, hear)

    @job(every_seconds=30)
    async def sweep_deposits(self) -> bool:
        """Look after cleared deposits whose fact was missed."""
        async with self._open_transaction() as tx:
            missed = await operations.list_missed(tx)
        if missed:
            async with self._open_transaction() as tx:
                await operations.follow_deposits(self._terms, tx, missed)
        return False

    @job(every_seconds=1)
    async def expire_links(self) -> bool:
        """End links whose time is over, some at a time."""
        async with self._open_transaction() as tx:
            ended = await operations.expire_links(self._terms, tx, _EXPIRED_AT_ONCE)
        return ended == _EXPIRED_AT_ONCE

    @job(every_seconds=1)
    async def tell_confirmations(self) -> bool:
        """Tell those who watch how far payments are confirmed."""
        for network in self._terms.wallet.networks:
            async with self._open_transaction() as tx:
                await operations.tell_confirmations(tx, network, _COUNTED_AT_ONCE)
        return False
