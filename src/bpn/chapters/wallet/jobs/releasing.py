"""Deposits that are booked: their senders are looked up, or overdue."""

from __future__ import annotations

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.jobs.screening import screen_all
from bpn.chapters.wallet.model import (
    DepositChanged,
    Network,
    RefundChanged,
    ScreeningCase,
    WalletTerms,
    WhitelistChanged,
)
from bpn.jobs.job import Transaction, TransactionOpener, job
from bpn.ports.readers import ScreeningReader, ScreeningVerdict

_EXPIRED_AT_ONCE = 100


class ReleasingJobs:
    """Releases, freezes and refuses the deposits of one network."""

    def __init__(
        self, open_transaction: TransactionOpener, terms: WalletTerms, network: Network, screening: ScreeningReader
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._screening = screening

    @job(every_seconds=5, after=(DepositChanged.name,))
    async def screen_deposits(self) -> bool:
        """Look up the senders of deposits, and release or freeze."""
        async with self._open_transaction() as tx:
            cases = await operations.list_screening(self._terms, tx, self._network.name)

        async def decide(tx: Transaction, case: ScreeningCase, verdict: ScreeningVerdict) -> None:
            await operations.decide_screening(tx, case, hit=verdict.hit, reason=verdict.reason)

        await screen_all(self._screening, self._open_transaction, cases, decide)
        return False

    @job(every_seconds=5, after=(RefundChanged.name,))
    async def screen_refunds(self) -> bool:
        """Look up the addresses that deposits are returned to."""
        async with self._open_transaction() as tx:
            cases = await operations.list_refund_screening(tx, self._network.name)

        async def decide(tx: Transaction, case: ScreeningCase, verdict: ScreeningVerdict) -> None:
            await operations.decide_refund_screening(tx, case, hit=verdict.hit, reason=verdict.reason)

        await screen_all(self._screening, self._open_transaction, cases, decide)
        return False

    @job(every_seconds=5, after=(WhitelistChanged.name,))
    async def screen_whitelist(self) -> bool:
        """Look up addresses of the whitelist that are new, and reject what is listed."""
        async with self._open_transaction() as tx:
            cases = await operations.list_unscreened_whitelist(self._terms, tx, self._network.name)

        async def decide(tx: Transaction, case: ScreeningCase, verdict: ScreeningVerdict) -> None:
            await operations.record_whitelist_screening(self._terms, tx, case, hit=verdict.hit, reason=verdict.reason)

        await screen_all(self._screening, self._open_transaction, cases, decide)
        return False

    @job(every_seconds=30)
    async def expire_senders(self) -> bool:
        """Put deposits into suspense whose sender's details are overdue, some at a time."""
        async with self._open_transaction() as tx:
            expired = await operations.expire_senders(tx, self._network.name, _EXPIRED_AT_ONCE)
        return expired == _EXPIRED_AT_ONCE
