"""The orders chapter's jobs: hear of funds and payouts, expire what waits, forget old quotes."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.accounts.model import OrderChanged, VirtualAccountChanged
from bpn.chapters.orders import operations
from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.wallet.model import DepositCleared
from bpn.jobs.job import Fact, Listener, Transaction, TransactionOpener, job


class OrderJobs:
    """What happens to orders without a request."""

    def __init__(self, open_transaction: TransactionOpener, terms: OrderTerms) -> None:
        self._open_transaction = open_transaction
        self._terms = terms

    def listener(self) -> Listener:
        """Hears of cleared deposits, pay-ins and payouts of orders, of accounts that a bank has opened for them."""
        return Listener(frozenset({DepositCleared.name, OrderChanged.name, VirtualAccountChanged.name}), self._hear)

    async def _hear(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        await operations.hear_facts(self._terms, tx, facts)

    @job(every_seconds=30, after=(DepositCleared.name,))
    async def receive_deposits(self) -> bool:
        """Find cleared deposits that nobody has given to their orders."""
        async with self._open_transaction() as tx:
            for funds in await operations.list_waiting_deposits(tx):
                await operations.receive_funds(self._terms, tx, funds)
        return False

    @job(every_seconds=5)
    async def expire_orders(self) -> bool:
        """End orders whose funds are overdue."""
        async with self._open_transaction() as tx:
            return await operations.expire_orders(self._terms, tx)

    @job(every_seconds=600)
    async def forget_old_quotes(self) -> bool:
        """Delete quotes that ended long ago."""
        async with self._open_transaction() as tx:
            return await operations.forget_old_quotes(tx)
