"""Ids of 18 decimal digits that increase with time: 13 digits of Unix milliseconds, 2 of node, 3 of sequence."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime

from bpn.kernel.clock import to_milliseconds

NODES = 100
_PER_MILLISECOND = 1000


class Ids:
    """Draws ids that are unique while no two live processes share a node number.

    A process that draws more than a thousand in a millisecond borrows from the next one; a clock that steps
    back does not take the ids with it.
    """

    def __init__(self, node: Callable[[], int]) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """The next id: larger than all that this process drew before."""
        with self._lock:
            tick = time.time_ns() // 1_000_000 * _PER_MILLISECOND
            self._last = max(tick, self._last + 1)
            milliseconds, sequence = divmod(self._last, _PER_MILLISECOND)
        return (milliseconds * NODES + self._node()) * _PER_MILLISECOND + sequence


def first_id_at(moment: datetime) -> int:
    """An id that is below all drawn from this moment on, and above those drawn before."""
    return to_milliseconds(moment) * NODES * _PER_MILLISECOND


def random_wallet_id() -> int:
    """A wallet id: 53 bits at most, so that a JavaScript number holds it, and not to be guessed."""
    return secrets.randbelow(2**53 - 10**12) + 10**12


def random_token() -> str:
    """A token for a public URL: 192 random bits, URL-safe."""
    return secrets.token_urlsafe(24)
