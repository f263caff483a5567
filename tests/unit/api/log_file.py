"""What the service logs, in a file that a test can read while it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import structlog


class LogFile:
    """The lines so far. A line comes a little after the answer that it is about."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path = path
        self._stream = stream
        self._read = 0

    def line_of(self, request_id: str) -> str:
        """The lines that name a request, of those that were not read yet. Raises AssertionError where none comes."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            self._stream.flush()
            with self._path.open(encoding="utf-8") as lines:
                lines.seek(self._read)
                text = lines.read()
            whole = text[: text.rfind("\n") + 1]
            if found := [line for line in whole.splitlines() if request_id in line]:
                self._read += len(whole.encode())
                return "\n".join(found)
            time.sleep(0.002)
        raise AssertionError("the request is not in the log")


@contextmanager
def logging_to(path: Path) -> Iterator[LogFile]:
    """Have the service in this process log to a file, for as long as the block lasts."""
    with path.open("w", encoding="utf-8") as stream:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
        yield LogFile(path, stream)
        structlog.reset_defaults()
