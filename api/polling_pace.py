"""This file says when a running job is asked for far too often.

The rule is gentle: a client that waits as Retry-After says needs one poll in hand, and has two hundred of them.

Each process counts for itself and forgets the job that was polled longest ago: the rule protects, it does not account.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

_SECONDS_AT_ONCE = 10.0
_REMEMBERED = 10_000


class PollingPace:
    """Polls in hand for each job: so many come back per second, up to ten seconds' worth."""

    def __init__(self, per_second: float, *, remembered: int = _REMEMBERED) -> None:
        self._per_second = per_second
        self._most = per_second * _SECONDS_AT_ONCE
        self._remembered = remembered
        self._in_hand: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: str, *, now: float) -> bool:
        """Whether this poll may be answered; `now` in seconds of a clock that never goes back."""
        with self._lock:
            left, seen = self._in_hand.pop(key, (self._most, now))
            left = min(self._most, left + (now - seen) * self._per_second)
            allowed = left >= 1
            self._in_hand[key] = (left - 1 if allowed else left, now)
            if len(self._in_hand) > self._remembered:
                self._in_hand.popitem(last=False)
            return allowed
