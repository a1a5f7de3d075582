"""What a chapter gives a worker to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bpn.jobs.job import Job, Listener


@dataclass(frozen=True, slots=True)
class Work:
    """A chapter's jobs, and what listens to facts in the relay's transaction."""

    jobs: Sequence[Job]
    listeners: Sequence[Listener] = field(default_factory=tuple)
