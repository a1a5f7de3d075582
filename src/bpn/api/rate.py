"""How often a key may ask: a moving window of a second, in the memory of each process."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bpn.api.errors import RateLimited


class RateLimit:
    """Counts requests by key. With several API processes, each lets as many through."""

    def __init__(self, per_second: int | None) -> None:
        self._item = None if per_second is None else RateLimitItemPerSecond(per_second)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, api_key: str) -> None:
        """Count a request; raises RateLimited when the key has none left in this second."""
        if self._item is None or self._limiter.hit(self._item, api_key):
            return
        window = self._limiter.get_window_stats(self._item, api_key)
        wait = max(1, math.ceil(window.reset_time - time.time()))
        raise RateLimited(f"This API key may make {self._item.amount} requests a second; try again in {wait} s.", wait)
