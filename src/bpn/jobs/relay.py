"""Hands recorded facts to their listeners, each once, and nudges the jobs that wait for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bpn.jobs.job import Fact, Job, Listener, Transaction, TransactionOpener
from bpn.outbox import operations as outbox

log = structlog.get_logger(__name__)
BATCH = 500
NAME = "outbox.relay"


class Relay:
    """Claims facts that nobody has relayed, lets every listener hear them, marks them: one transaction a batch."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        listeners: Sequence[Listener],
        jobs: Sequence[Job],
        nudge: Callable[[str], None],
    ) -> None:
        self._open_transaction = open_transaction
        self._listeners = listeners
        self._jobs = jobs
        self._nudge = nudge

    async def run(self) -> bool:
        """Relay one batch; true when there may be more.

        Where a listener fails, the facts are tried one by one, and the one that fails is put off.
        """
        try:
            async with self._open_transaction() as tx:
                facts = await outbox.claim(tx, BATCH)
                await self._hear(tx, facts)
        except Exception:
            log.exception("relay.batch_failed")
            return await self._run_one_by_one()
        self._nudge_after(facts)
        return len(facts) == BATCH

    async def _run_one_by_one(self) -> bool:
        for _ in range(BATCH):
            async with self._open_transaction() as tx:
                facts = await outbox.claim(tx, 1)
                if not facts:
                    return False
                try:
                    async with tx.connection.transaction():
                        await self._hear(tx, facts)
                except Exception:
                    log.exception("relay.fact_failed", fact=facts[0].name, fact_id=facts[0].fact_id)
                    await outbox.postpone(tx, facts[0])
                    continue
            self._nudge_after(facts)
        return True

    async def _hear(self, tx: Transaction, facts: Sequence[Fact]) -> None:
        for listener in self._listeners:
            if heard := [fact for fact in facts if fact.name in listener.facts]:
                await listener.hear(tx, heard)
        if facts:
            await outbox.mark_relayed(tx, facts)

    def _nudge_after(self, facts: Sequence[Fact]) -> None:
        names = {fact.name for fact in facts}
        for job in self._jobs:
            if job.after & names:
                self._nudge(job.name)
