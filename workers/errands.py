"""This file does a worker's errands to EHRs beside its jobs: fetching, writing back, listening.

In threads of their own, because they wait: an EHR that hangs holds up no correlation. Where no EHR is configured there
are none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from workers.fetching import fetch_next
from workers.jobs import Parts
from workers.listening import listen_next
from workers.servers import Servers
from workers.writing_back import write_next

_IDLE_SECONDS = 1.0
_STOP_SECONDS = 5.0
_ERRANDS = (fetch_next, write_next, listen_next)
_log = structlog.get_logger("fillertrace.worker")


@contextmanager
def doing_errands(parts: Parts) -> Iterator[None]:
    """Do errands for as long as the block lasts. What is under way at the end is left to another worker."""
    if not parts.ehr.servers:
        yield
        return
    stopped = threading.Event()
    servers = Servers(parts.ehr)
    threads = [
        threading.Thread(
            target=_work,
            args=(replace(parts, worker=f"{parts.worker}-{number}"), servers, stopped),
            name=f"fillertrace-errands-{number}",
            daemon=True,
        )
        for number in range(parts.ehr.threads)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join(_STOP_SECONDS / len(threads))
        servers.close()


def _work(parts: Parts, servers: Servers, stopped: threading.Event) -> None:
    while not stopped.is_set():
        busy = False
        for errand in _ERRANDS:
            try:
                busy |= errand(parts, servers)
            except Exception as error:
                # This thread must outlive every fault: nobody else would do what it leaves undone.
                _log.warning("errand-failed", errand=errand.__name__, error=type(error).__name__)
        stopped.wait(0.0 if busy else _IDLE_SECONDS)
