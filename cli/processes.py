"""This file keeps N worker processes running: started with the service, started again when they die, ended with it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger("fillertrace.serve")
_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec next to nothing may happen.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_SHORT_LIFE_SECONDS = 10
_LONGEST_PAUSE_SECONDS = 10
_STOP_SECONDS = 10


def dying_with_us(by: signal.Signals) -> Callable[[], None] | None:
    """What a child does before it starts, so that it gets this signal when the thread that started it ends (Linux)."""
    libc, parent, number = _LIBC, os.getpid(), int(by)
    if libc is None:
        return None

    def ask_for_the_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died in between
            os._exit(1)

    return ask_for_the_signal


class Workers:
    """The worker processes of `fillertrace serve`.

    `tend` must be called again and again by the thread that made this object: Linux ends a child when the *thread* that
    started it ends, so that thread has to live as long as the service.
    """

    def __init__(self, count: int, *, environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-P", "-m", "cli.main", "worker"]
        self._environment = dict(environment)
        self._slots = [_Slot() for _ in range(count)]

    def tend(self) -> None:
        """Start the workers that are not running; one that keeps dying is started at growing intervals."""
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                slot.died()
            if slot.process is None and time.monotonic() >= slot.start_at:
                slot.process, slot.started = self._start(), time.monotonic()

    def stop(self) -> None:
        """Ask all to stop; end those that take too long. Their jobs are given back by the lease."""
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # our standard output says `ready` and nothing else
            start_new_session=True,  # a Ctrl-C is for us; we then stop the workers in order
            preexec_fn=dying_with_us(signal.SIGKILL),
        )


class _Slot:
    """One place for a worker: its process, and when the next one may be started."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.start_at = 0.0
        self._pause = 0.0

    def died(self) -> None:
        """Note that the worker has ended by itself."""
        assert self.process is not None
        lived = time.monotonic() - self.started
        self._pause = min(max(1.0, self._pause * 2), _LONGEST_PAUSE_SECONDS) if lived < _SHORT_LIFE_SECONDS else 0.0
        self.start_at = time.monotonic() + self._pause
        _log.warning("worker-ended", code=self.process.returncode, lived_seconds=round(lived, 1))
        self.process = None
