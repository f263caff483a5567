"""This file remembers what was fetched from the issuer: how long it is fresh, and how long it is used all the same."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from api.access.errors import IssuerAway

PAUSE_SECONDS: Final = 10.0
"""Between two tries, whatever came of the first: a hundred strange tokens bring one question to the issuer."""
STALE_SECONDS: Final = 3600.0
WAIT_SECONDS: Final = 1.0
"""For the one that fetches: a slow issuer and many strange tokens must not hold every thread of the service."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """Something of the issuer's. Safe for many threads; one fetches, and the others go on with what there is.

    `fetch` raises IssuerAway where it cannot. What was fetched is fresh for `seconds`, and is used for an hour more
    while nothing newer can be had. `clock` gives seconds that never go back.
    """

    def __init__(self, fetch: Callable[[], T], *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._found: tuple[T, float] | None = None
        self._tried = -math.inf
        self._fetching = threading.Lock()

    def get(self, *, again: bool = False) -> T:
        """What there is, fetched before where it is no longer fresh, or `again`. Raises IssuerAway.

        It is not fetched `again` where that was tried a moment ago.
        """
        if again or self._older_than(self._seconds):
            wait = again or self._older_than(self._seconds + STALE_SECONDS)
            if self._fetching.acquire(timeout=WAIT_SECONDS if wait else 0):
                try:
                    self._try()
                finally:
                    self._fetching.release()
        found = self._found
        if found is None or self._older_than(self._seconds + STALE_SECONDS):
            raise IssuerAway
        return found[0]

    def _older_than(self, seconds: float) -> bool:
        return self._found is None or self._clock() - self._found[1] > seconds

    def _try(self) -> None:
        now = self._clock()
        if now - self._tried < PAUSE_SECONDS:
            return
        self._tried = now
        try:
            self._found = self._fetch(), now
        except IssuerAway:
            return  # `get` says so where nothing is left to go on with
