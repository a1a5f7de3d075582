"""From an authenticated request to its committed answer: replay memory, claims, the operation, one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
import structlog

from bpn.api import idempotency, replay
from bpn.api.encoding import encode_data
from bpn.api.errors import ReplayedRequest, RequestInProgress, Unavailable
from bpn.api.route import Call, Outcome, Route
from bpn.database.pool import Database, Transaction
from bpn.kernel.errors import IdempotencyConflict, Refusal
from bpn.merchants.model import Merchant

log = structlog.get_logger(__name__)
_TRIES = 3


@dataclass(slots=True)
class Errand:
    """One POST on its way through the corridor.

    `refusal` is what the door would say if the signature turns out to be fresh: it is remembered all the same.
    """

    merchant: Merchant
    seen: replay.Seen
    request: object = None
    refusal: Refusal | None = None
    claim: idempotency.Claim | None = None
    answer: asyncio.Future[bytes | Refusal] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Corridor:
    """Runs the POSTs of one route.

    Requests that arrive while a transaction commits share the next one (group commit); each is accepted or refused
    on its own. A route that does not batch shares with nobody and waits for nobody.
    """

    def __init__(self, route: Route, database: Database) -> None:
        self._route = route
        self._database = database
        self._waiting: deque[Errand] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, errand: Errand) -> bytes | Refusal:
        """The `data` of the answer, or the refusal, once it is committed. Raises on a fault of ours."""
        if self._route.largest_batch == 1:
            await self._settle([errand])
        else:
            self._waiting.append(errand)
            if not self._running:
                task = asyncio.create_task(self._drain())
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        return await errand.answer

    async def _drain(self) -> None:
        while self._waiting:
            await self._settle(self._next_batch())

    def _next_batch(self) -> list[Errand]:
        """The longest prefix in which no signature and no claim stands twice, so that order decides as one by one."""
        batch: list[Errand] = []
        names: set[object] = set()
        while self._waiting and len(batch) < self._route.largest_batch:
            errand = self._waiting[0]
            claim = errand.claim
            name = claim and (claim.merchant_id, claim.key)
            if errand.seen in names or (name and name in names):
                break
            names |= {errand.seen, name}
            batch.append(self._waiting.popleft())
        return batch

    async def _settle(self, batch: list[Errand]) -> None:
        try:
            results = await self._attempt(batch)
        except Exception as fault:  # noqa: BLE001 - a fault of one must not take the others with it
            if len(batch) > 1:
                for errand in batch:
                    await self._settle([errand])
                return
            _give(batch[0], fault)
            return
        for errand, result in zip(batch, results, strict=True):
            _give(errand, result)

    async def _attempt(self, batch: Sequence[Errand]) -> list[bytes | Refusal]:
        """Run and commit; deadlocks and serialization failures are tried again from the start."""
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                async with self._database.transaction() as tx:
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
            await idempotency.keep(tx, [claim for claim, _ in accepted], [data for _, data in accepted])
        return [results[place] for place in range(len(batch))]

    async def _look_up_claims(
        self, tx: Transaction, batch: Sequence[Errand], results: dict[int, bytes | Refusal]
    ) -> None:
        claims = [(place, errand.claim) for place, errand in enumerate(batch) if errand.claim and place not in results]
        if not claims:
            return
        standings = await idempotency.look_up(tx, [claim for _, claim in claims])
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
        try:
            # A savepoint: a refusal undoes what the operation did and keeps the signature used.
            async with tx.connection.transaction():
                return await self._route.handle(tx, calls)
        except Refusal as refusal:
            if len(calls) > 1:
                raise
            return [refusal]


def _give(errand: Errand, result: bytes | Refusal | Exception) -> None:
    """Hand over a result, unless the client has gone: what was decided stands either way."""
    if errand.answer.done():
        return
    if isinstance(result, Exception) and not isinstance(result, Refusal):
        errand.answer.set_exception(result)
    else:
        errand.answer.set_result(result)
