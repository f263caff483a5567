"""Fillertrace itself, started as its users start it: the real command in processes of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import processes

START_DEADLINE = 60.0
STOP_PATIENCE = 20.0
COMMAND = Path(sys.executable).with_name("fillertrace")


def smart_access(issuer: str, *, audience: str) -> dict[str, str]:
    """The settings of `smart` access with an authorization server on loopback."""
    return {
        "FILLERTRACE_API_ACCESS": "smart",
        "FILLERTRACE_API_ISSUER": issuer,
        "FILLERTRACE_API_AUDIENCE": audience,
        "FILLERTRACE_EHR_ALLOW": "127.0.0.1",
    }


class Service:
    """One `fillertrace` process: `serve`, `api` or `worker`, with exactly the settings given."""

    def __init__(self, verb: str, *arguments: str, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._command = [str(COMMAND), verb, *arguments]
        self._folder = folder
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[str] | None = None
        self.log = folder / f"{verb}.log"
        self.base_url = ""

    def start(self) -> Self:
        """Start it; for `serve` and `api`, wait until it says `ready` and keep its address."""
        # env(1) gives the child these settings and nothing of ours, and becomes the child by exec.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), **self._settings}
        clean = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        self._process = processes.spawn([*clean, *self._command], log=self.log, piped=True, directory=self._folder)
        assert self._process.stdout is not None
        lines = processes.LineReader(self._process.stdout)
        while self._command[1] != "worker" and not self.base_url:
            line = lines.next_line(START_DEADLINE)
            if line.startswith("ready "):
                self.base_url = line.removeprefix("ready ").strip()
        return self

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running process."""
        assert self._process is not None, "not started"
        return self._process

    def kill9(self) -> None:
        """End it as a power cut would."""
        processes.stop(self.process, signal.SIGKILL, STOP_PATIENCE)

    def stop(self) -> int:
        """End it politely; its exit code."""
        processes.stop(self.process, signal.SIGTERM, STOP_PATIENCE)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
