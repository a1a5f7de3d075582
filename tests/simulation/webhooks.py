"""Receivers that misbehave, and what they must have heard in the end."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bpn.chapters.webhooks.jobs import WebhookJobs
from bpn.jobs.job import Job, Listener
from bpn.ports.senders import PostAnswer
from bpn.wiring.house import House


@dataclass
class SimulatedReceivers:
    """The receivers of all merchants: the port WebhookPoster."""

    random: Random
    faults: float = 0.3
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def post(self, _url: str, body: bytes, _headers: dict[str, str]) -> PostAnswer:
        """Take it or not; a receiver may take it and still answer nothing."""
        fault = self.random.random() < self.faults
        if not fault or self.random.random() < 0.3:
            event = json.loads(body)
            known = self.heard.setdefault(event["eventId"], event)
            assert known == event, "an event changed between two tries"
        if fault:
            status = self.random.choice([None, 500, 429])
            return PostAnswer(status, b"", "timeout" if status is None else None, None, 1)
        return PostAnswer(200, b"", None, None, 1)

    def heal(self) -> None:
        """From now on they all answer."""
        self.faults = 0.0


def webhook_jobs(house: House, receivers: SimulatedReceivers) -> tuple[WebhookJobs, list[Job], list[Listener]]:
    """The chapter's part of a worker."""
    jobs = WebhookJobs(house.database.transaction, house.webhook_terms, receivers, house.clock)
    return jobs, [Job("webhooks.deliver", jobs.deliver, 1, frozenset())], [jobs.listener()]


def audit_webhooks(receivers: SimulatedReceivers, rows: list[dict[str, Any]]) -> list[str]:
    """What is wrong: a final state that its merchant never heard of, times that do not increase.

    `rows` are the transactions as they stand, each with `transactionId` and `status`.
    """
    told: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in receivers.heard.values():
        if event["eventType"] == "TRANSACTION_STATUS":
            told[event["referenceId"]].append((event["timestamp"], event["status"]))
    faults = []
    for row in rows:
        states = sorted(told[row["transactionId"]])
        if not states or states[-1][1] != row["status"]:
            faults.append(f"transaction {row['transactionId']} is {row['status']}, its merchant heard {states[-1:]}")
        if len({time for time, _ in states}) != len(states):
            faults.append(f"two events of transaction {row['transactionId']} have the same timestamp")
    return faults
