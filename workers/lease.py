"""This file keeps a claim alive while its job runs, so that long work is not taken for a dead worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from store import jobs
from store.database import Database
from store.errors import LeaseLost, StoreError

_RENEWALS_PER_LEASE = 3


class KeptLease:
    """While the block runs, the lease of `claimed` is renewed three times in its length. A lost one is not fought for:
    the end of the job finds out by itself."""

    def __init__(
        self, database: Database, claimed: jobs.Claimed, *, clock: Callable[[], datetime], lease_seconds: float
    ) -> None:
        self._database = database
        self._claimed = claimed
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="fillertrace-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(1.0)

    def _renew(self) -> None:
        while not self._ended.wait(self._lease_seconds / _RENEWALS_PER_LEASE):
            try:
                jobs.renew(self._database, self._claimed, now=self._clock(), lease_seconds=self._lease_seconds)
            except LeaseLost:
                return
            except StoreError:
                continue  # busy: there is time for another try
