"""A private PostgreSQL from the machine's own package, also for tests that run as root."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.servers import ServerUnavailable, processes

START_DEADLINE = 60.0
STOP_PATIENCE = 20.0
# PostgreSQL refuses to run as root; Debian's package makes this user.
SYSTEM_USER = "postgres"
SUPERUSER = "postgres"


def find_programs() -> Path:
    """Find the folder with the newest initdb and postgres; ServerUnavailable when there is none."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    complete = [folder for folder in folders if (folder / "initdb").is_file()]
    if complete:
        return max(complete, key=_version)
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ServerUnavailable("PostgreSQL is not here: no /usr/lib/postgresql/*/bin and no initdb on PATH.")
    return Path(on_path).resolve().parent


def _version(folder: Path) -> float:
    number = re.match(r"\d+(\.\d+)?", folder.parent.name)
    return float(number[0]) if number else 0.0


class PostgresqlServer:
    """A PostgreSQL cluster of our own on a free loopback port, in a folder that goes away with it.

    ``with PostgresqlServer() as server:`` creates and starts it. It is fast because fsync is off: what is
    committed survives kill9(), but would not survive a power cut. Data outlive stop() until close().
    """

    def __init__(self) -> None:
        """Find the programs and, as root, the user that must run them."""
        self._programs = find_programs()
        self._as_user = _system_user_when_root()
        self._folder = processes.new_folder("postgresql")
        if self._as_user is not None:
            os.chown(self._folder, self._as_user.pw_uid, self._as_user.pw_gid)
        self._port = processes.free_port()
        self._password = secrets.token_hex(16)
        self._process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        """The file that holds the server's output."""
        return self._folder / "postgresql.log"

    def url(self, database: str = SUPERUSER) -> str:
        """Return the address of a database for SQLAlchemy; it stays the same over a restart."""
        return f"postgresql+psycopg://{SUPERUSER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its url."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            connection.execute(statement)
        return self.url(name)

    def start(self) -> None:
        """Create the cluster the first time, start it, and return when it answers."""
        if self._process is not None:
            raise RuntimeError("This PostgreSQL is already running.")
        if not self._data.exists():
            self._initialise()
        deadline = time.monotonic() + START_DEADLINE
        while not self._start_once(deadline):
            said = processes.tail(self.log)
            self.kill9()
            # After kill9() the server's children need a moment to notice.
            if "still in use" not in said or time.monotonic() > deadline:
                raise ServerUnavailable(f"PostgreSQL did not start; its log ends with: {said}")
            time.sleep(0.1)

    def _start_once(self, deadline: float) -> bool:
        self._process = processes.spawn(
            self._as_system_user([self._programs / "postgres", *self._settings()]),
            log=self.log,
            # Immediate shutdown: SIGKILL would leave the children of the server behind.
            death_signal=signal.SIGQUIT,
            directory=self._folder,
        )
        return processes.wait_until(self._answers, self._process, deadline - time.monotonic())

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(self._password)
        password.chmod(0o600)
        if self._as_user is not None:
            os.chown(password, self._as_user.pw_uid, self._as_user.pw_gid)
        command: list[str | Path] = [
            self._programs / "initdb",
            f"--pgdata={self._data}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        result = subprocess.run(
            self._as_system_user(command),
            cwd=self._folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        password.unlink()
        if result.returncode != 0:
            processes.remove_folder(self._data)
            raise ServerUnavailable(f"PostgreSQL's initdb failed: {' '.join(result.stderr.split())}")

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        return ["-D", str(self._data), *(f"--{name}={value}" for name, value in settings.items())]

    def _as_system_user(self, command: list[str | Path]) -> list[str]:
        plain = [str(part) for part in command]
        if self._as_user is None:
            return plain
        # The change of user clears the death signal that spawn() asked for, so setpriv asks again.
        return [
            "setpriv",
            f"--reuid={self._as_user.pw_uid}",
            f"--regid={self._as_user.pw_gid}",
            "--clear-groups",
            "--pdeathsig=QUIT",
            "--",
            *plain,
        ]

    def _dsn(self) -> str:
        return self.url().replace("+psycopg", "")

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self._dsn(), connect_timeout=5):
            return True
        return False

    def stop(self) -> None:
        """Stop in order, cutting off open connections, and keep the data; harmless when not running."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGINT, STOP_PATIENCE)
            self._process = None

    def kill9(self) -> None:
        """Kill the server without warning; harmless when it is not running."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGKILL, STOP_PATIENCE)
            self._process = None

    def restart(self) -> None:
        """Stop in order if it is running, and start again with the same data and the same url."""
        self.stop()
        self.start()

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


def _system_user_when_root() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise ServerUnavailable("PostgreSQL cannot run as root and setpriv, which would change that, is missing.")
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise ServerUnavailable(f"PostgreSQL cannot run as root and there is no user {SYSTEM_USER}.") from None
