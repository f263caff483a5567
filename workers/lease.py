"""This file keeps a claim alive while its work runs, so that long work is not taken for a dead worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from store.errors import LeaseLost, StoreError

_RENEWALS_PER_LEASE = 3


class KeptLease:
    """While the block runs, `renew` is called three times in the length of a lease. One that is lost is not fought for:
    the end of the work finds out by itself."""

    def __init__(self, renew: Callable[[], object], *, lease_seconds: float) -> None:
        self._renew_once = renew
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
                self._renew_once()
            except LeaseLost:
                return
            except StoreError:
                continue  # busy: there is time for another try
