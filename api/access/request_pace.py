"""This file counts how much one caller asks, so that none takes the service away from the others.

Each API process counts for itself: two of them let a caller do twice as much. The library's sliding window counter is
used, and not its moving window, which keeps a place for everybody who ever called (limits 5.8).
"""

from __future__ import annotations

import math
import time
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import RequestRefused

STRANGERS_SHARE: Final = 10
"""Who shows no good token may ask so many times less, counted by network address."""


class RequestPace:
    """So many requests a minute for each caller; 0 for any number. Safe for many threads."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._callers = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._strangers = RateLimitItemPerMinute(max(1, per_minute // STRANGERS_SHARE)) if per_minute else None

    def count(self, identity: str) -> None:
        """One more request of a caller who is known. Raises RequestRefused (429) where it is one too many."""
        self._count(self._callers, "caller", identity)

    def count_stranger(self, address: str) -> None:
        """One more request of somebody who is not known. Raises RequestRefused (429)."""
        self._count(self._strangers, "stranger", address)

    def _count(self, most: RateLimitItemPerMinute | None, *who: str) -> None:
        if most is None or self._limiter.hit(most, *who):
            return
        seconds = self._limiter.get_window_stats(most, *who).reset_time - time.time()
        raise RequestRefused(
            429,
            code="throttled",
            detail="too-many-requests",
            text="You have asked too much within a minute. Ask again after the seconds named in Retry-After.",
            headers={"Retry-After": str(max(1, math.ceil(seconds)))},
        )
