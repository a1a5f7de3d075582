"""The webhooks chapter's jobs: deliver what is due, forget what is old."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram

from bpn.chapters.webhooks import operations, rules
from bpn.chapters.webhooks.model import Attempt, Delivery, WebhookTerms
from bpn.jobs.job import Fact, Job, Listener, Transaction, TransactionOpener, collect_jobs, job
from bpn.kernel.clock import Clock, to_milliseconds
from bpn.kernel.spans import outgoing_headers, span
from bpn.merchants.model import Credential
from bpn.ports.senders import WebhookPoster

log = structlog.get_logger(__name__)
TRIES = Counter("bpn_webhook_tries_total", "Tries to deliver a webhook, by how they ended.", ["outcome"])
FIRST_TRY_SECONDS = Histogram(
    "bpn_webhook_first_try_seconds", "From an event's timestamp to the beginning of the first try."
)
_IN_HAND = 200
_FORGOTTEN_AT_ONCE = 1_000


class WebhookJobs:
    """Delivers events. What is in hand goes on while more is claimed: nobody waits for a slow receiver."""

    def __init__(
        self, open_transaction: TransactionOpener, terms: WebhookTerms, poster: WebhookPoster, clock: Clock
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._poster = poster
        self._clock = clock
        self._in_hand: set[asyncio.Task[None]] = set()

    def jobs(self) -> list[Job]:
        """The jobs; delivery is nudged by every fact that becomes an event."""
        nudged = Job("webhooks.deliver", self.deliver, 1, frozenset(self._terms.sources))
        return [nudged, *collect_jobs(self, "webhooks")]

    def listener(self) -> Listener:
        """What turns facts into events, in the relay's transaction."""

        async def hear(tx: Transaction, facts: Sequence[Fact]) -> None:
            await operations.announce_events(self._terms, tx, facts)

        return Listener(frozenset(self._terms.sources), hear)

    async def deliver(self) -> bool:
        """Claim what is due and begin to send it; true when more may be due at once."""
        free = _IN_HAND - len(self._in_hand)
        if free <= 0:
            return False
        async with self._open_transaction() as tx:
            claimed = await operations.claim_deliveries(self._terms, tx, free)
        for delivery, credential in claimed:
            task = asyncio.create_task(self._send(delivery, credential))
            self._in_hand.add(task)
            task.add_done_callback(self._in_hand.discard)
        return bool(claimed)

    async def settle(self) -> None:
        """Wait until nothing is in hand."""
        while self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _send(self, delivery: Delivery, credential: Credential | None) -> None:
        now = self._clock.wall()
        timestamp = to_milliseconds(now)
        if delivery.attempts == 0:
            FIRST_TRY_SECONDS.observe(max(0, timestamp - delivery.event.timestamp) / 1000)
        headers = rules.headers_of(delivery.event, delivery.endpoint, credential, now, str(timestamp))
        try:
            with span("webhook", {"bpn.event_type": delivery.event.event_type}, kind=SpanKind.CLIENT) as opened:
                answer = await self._poster.post(
                    delivery.endpoint.url, delivery.event.body, headers | outgoing_headers()
                )
                if opened is not None and answer.status is not None:
                    opened.set_attribute("http.response.status_code", answer.status)
            attempt = Attempt(
                delivery.attempts + 1,
                now,
                answer.status,
                answer.latency_milliseconds,
                answer.error,
                answer.body,
                answer.retry_after_seconds,
            )
            async with self._open_transaction() as tx:
                await operations.record_attempt(self._terms, tx, delivery, attempt, random.random())  # noqa: S311 - spreads load, guards nothing
            TRIES.labels("delivered" if rules.succeeded(attempt) else "failed").inc()
        except Exception:
            # The lease runs out and the delivery is claimed again.
            log.exception("webhook.not_recorded", event_id=str(delivery.event.event_id))

    @job(every_seconds=600)
    async def forget_old_events(self) -> bool:
        """Delete events that are older than the retention, some at a time."""
        async with self._open_transaction() as tx:
            forgotten = await operations.forget_old_events(self._terms, tx, _FORGOTTEN_AT_ONCE)
        return forgotten == _FORGOTTEN_AT_ONCE
