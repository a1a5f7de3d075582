"""Two times: wall time, which everybody shares, and business time, which a sandbox may move forward."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class Clock:
    """Business time is wall time plus an offset that only grows (zero outside a sandbox).

    Business time: quotes, schedules, cooling, what a record shows. Wall time: signatures, leases, webhooks.
    """

    offset: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """Business time, UTC."""
        return self.wall() + self.offset

    def wall(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(UTC)


def to_milliseconds(time: datetime) -> int:
    """Unix milliseconds of a time, the wire's form of it."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def to_microseconds(time: datetime) -> int:
    """Unix microseconds of a time: all that the database keeps of it."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def from_milliseconds(milliseconds: int) -> datetime:
    """The UTC time of Unix milliseconds; OverflowError beyond the year 9999."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
