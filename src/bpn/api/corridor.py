"""From an authenticated request to its committed answer: replay memory, claims, the operation, one transaction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import psycopg
import structlog
from opentelemetry.trace import SpanContext

from bpn.api import idempotency, replay
from bpn.api.encoding import encode_data
from bpn.api.errors import ReplayedRequest, RequestInProgress, Unavailable
from bpn.api.gathering import Gathering
from bpn.api.route import Call, Outcome, Route
from bpn.database.pool import Database, Transaction
from bpn.kernel.encryption import Cipher
from bpn.kernel.errors import IdempotencyConflict, Refusal
from bpn.kernel.spans import TRACING, present, span
from bpn.merchants.model import Merchant

log = structlog.get_logger(__name__)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Errand:
    """One POST on its way through the corridor.

    `refusal` is what the door would say if the signature turns out to be fresh: it is remembered all the same.
    `span` is where it stands in its trace, None where nothing is traced.
    """

    merchant: Merchant
    seen: replay.Seen
    request: object
    refusal: Refusal | None
    claim: idempotency.Claim | None
    span: SpanContext | None = None

    def names(self) -> list[Hashable]:
        """What no two errands of one transaction may share."""
        return [self.seen, (self.claim.merchant_id, self.claim.key)] if self.claim else [self.seen]


class Corridor:
    """Runs the POSTs of one route; those of a route that batches share transactions (group commit)."""

    def __init__(self, route: Route, database: Database, cipher: Cipher) -> None:
        self._route = route
        self._database = database
        self._cipher = cipher
        self._gathering = Gathering(self._attempt, route.largest_batch, Errand.names)

    async def run(self, errand: Errand) -> bytes | Refusal:
        """The `data` of the answer, or the refusal, once it is committed. Raises on a fault of ours."""
        if TRACING.tracer is None:
            return await self._gathering.run(errand)
        with span(self._route.operation):
            return await self._gathering.run(replace(errand, span=present()))

    async def _attempt(self, batch: Sequence[Errand]) -> list[bytes | Refusal]:
        """Run and commit; deadlocks and serialization failures are tried again from the start."""
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                # One transaction for all: it stands in the first one's trace, and names the others.
                first, *others = [errand.span for errand in batch]
                with span("transaction", {"bpn.calls": len(batch)}, parent=first, links=[one for one in others if one]):
                    async with self._database.transaction(pipelined=self._route.largest_batch > 1) as tx:
                        return await self._work(tx, batch)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                if last:
                    raise
                log.warning("corridor.again", operation=self._route.operation)
            except (psycopg.errors.LockNotAvailable, psycopg.OperationalError) as error:
                log.warning("corridor.unavailable", operation=self._route.operation, error=str(error))
                refusal = Unavailable("The service is busy; nothing happened. Try again with the same id.")
                return [refusal for _ in batch]
        raise AssertionError

    async def _work(self, tx: Transaction, batch: Sequence[Errand]) -> list[bytes | Refusal]:
        results: dict[int, bytes | Refusal] = {}
        verdicts = await replay.remember(tx, [errand.seen for errand in batch])
        for place, (errand, verdict) in enumerate(zip(batch, verdicts, strict=True)):
            may_repeat = errand.claim is not None or self._route.reading or self._route.claim_field is not None
            if verdict == "replay" or (verdict == "retry" and not may_repeat):
                results[place] = ReplayedRequest("This signature was used before; sign each request anew.")
            elif errand.refusal is not None:
                results[place] = errand.refusal
        await self._look_up_claims(tx, batch, results)
        due = [place for place in range(len(batch)) if place not in results]
        outcomes = await self._handle(tx, [batch[place] for place in due])
        accepted: list[tuple[idempotency.Claim, bytes]] = []
        for place, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                results[place] = outcome
                continue
            results[place] = data = encode_data(outcome)
            if claim := batch[place].claim:
                accepted.append((claim, data))
        if accepted:
            await idempotency.keep(tx, self._cipher, [claim for claim, _ in accepted], [data for _, data in accepted])
        return [results[place] for place in range(len(batch))]

    async def _look_up_claims(
        self, tx: Transaction, batch: Sequence[Errand], results: dict[int, bytes | Refusal]
    ) -> None:
        claims = [(place, errand.claim) for place, errand in enumerate(batch) if errand.claim and place not in results]
        if not claims:
            return
        standings = await idempotency.look_up(tx, self._cipher, [claim for _, claim in claims])
        for (place, claim), standing in zip(claims, standings, strict=True):
            match standing:
                case idempotency.Answered(data):
                    results[place] = data
                case idempotency.Conflict():
                    field_name = self._route.claim_field or "Idempotency-Key"
                    results[place] = IdempotencyConflict(
                        f"{field_name} {claim.key!r} was used before, with other content."
                    )
                case idempotency.InProgress():
                    results[place] = RequestInProgress("A request with the same id is being worked on; ask again.")

    async def _handle(self, tx: Transaction, errands: Sequence[Errand]) -> Sequence[Outcome]:
        if not errands:
            return []
        calls = [Call(errand.merchant, errand.request) for errand in errands]
        if tx.pipelined:
            # An operation that takes batches answers its refusals, and has written nothing for them.
            return await self._route.handle(tx, calls)
        try:
            # A refusal undoes what the operation did and keeps the signature used.
            async with tx.connection.transaction():
                try:
                    return await self._route.handle(tx, calls)
                except Refusal as refusal:
                    if not refusal.keeps_changes:
                        raise
                    return [refusal]
        except Refusal as refusal:
            return [refusal]
