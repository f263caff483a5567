"""Child processes that end with us, and ways to wait for them."""

import contextlib
import ctypes
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing but one call may happen.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_LOG_TAIL_BYTES = 2000

_launchers: dict[int, ThreadPoolExecutor] = {}
_launchers_lock = threading.Lock()


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals | None = signal.SIGKILL,
    piped: bool = False,
    directory: Path | None = None,
) -> subprocess.Popen[str]:
    """Start a child that gets ``death_signal`` when this process ends, however it ends.

    Standard error is appended to ``log``, and so is standard output unless ``piped``.
    """

    def start() -> subprocess.Popen[str]:
        with log.open("ab") as stream:
            return subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else stream,
                stderr=stream,
                cwd=directory,
                encoding="utf-8",
                # A Ctrl-C belongs to the tests, which then stop their servers in order.
                start_new_session=True,
                preexec_fn=_before_exec(death_signal),
            )

    return _launcher().submit(start).result()


def _launcher() -> ThreadPoolExecutor:
    """The one thread of this process that forks.

    Linux sends the death signal when the forking *thread* ends, not the process: a server that was
    started from a short-lived thread would die with it.
    """
    with _launchers_lock:
        launcher = _launchers.get(os.getpid())
        if launcher is None:
            launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="test-servers")
            _launchers[os.getpid()] = launcher
        return launcher


def _before_exec(death_signal: signal.Signals | None) -> Callable[[], None] | None:
    libc = _LIBC
    if libc is None or death_signal is None:
        return None
    number = int(death_signal)

    def ask_for_death_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return ask_for_death_signal


def stop(process: subprocess.Popen[str], by: signal.Signals, patience: float) -> None:
    """End a child by a signal, and by SIGKILL when it takes longer than ``patience`` seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(by)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


class LineReader:
    """Reads a child's lines in the background, so that waiting for one can have a deadline."""

    def __init__(self, stream: IO[str]) -> None:
        """Start to read ``stream`` to its end."""
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        # ValueError: the stream was closed by stop().
        with contextlib.suppress(OSError, ValueError):
            for line in stream:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def next_line(self, timeout: float) -> str:
        """Return the next line; EOFError when the child ended, TimeoutError when it took too long."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no line within {timeout:.0f} s") from None
        if line is None:
            self._lines.put(None)
            raise EOFError("the process has ended")
        return line


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[str], timeout: float) -> bool:
    """Ask ``ready`` again and again; False when the child ended or the time is over."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if ready():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return False


def free_port() -> int:
    """Return a port of the loopback interface that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def new_folder(name: str) -> Path:
    """Make a private temporary folder with a short path: socket names may have 107 bytes only."""
    return Path(tempfile.mkdtemp(prefix=f"fillertrace-{name}-"))


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it; a leftover is no reason to fail a test."""
    shutil.rmtree(folder, ignore_errors=True)


def tail(log: Path) -> str:
    """Return the end of a log in one line, for the message of an exception."""
    try:
        data = log.read_bytes()[-_LOG_TAIL_BYTES:]
    except OSError:
        return "no log"
    return " | ".join(data.decode("utf-8", "replace").split("\n")).strip(" |") or "empty log"
