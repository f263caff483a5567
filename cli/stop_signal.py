"""This file waits for SIGTERM or Ctrl-C. Must be made in the main thread, as Python asks."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class StopSignal:
    """Becomes true when the process is asked to stop."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether we are asked to stop."""
        return self._asked.wait(seconds)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()
