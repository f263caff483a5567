"""This file opens the database, SQLite or PostgreSQL, and gives out transactions.

SQLite: write-ahead log, full sync, foreign keys on, writers take the lock at once (BEGIN IMMEDIATE), so that a
transaction never fails half way because another one wrote first. PostgreSQL: psycopg 3, READ COMMITTED; who must be
alone locks a row. Driver errors never leave this file: their texts hold values of the record.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine import URL

from store.errors import Busy, StoreError

Result = TypeVar("Result")

WRITE = "fillertrace_write"
COLLISION_ATTEMPTS = 5
_AGAIN_STATES = frozenset({"40001", "40P01", "55P03", "57014"})  # PostgreSQL: serialization, deadlock, lock, timeout


class Collision(Busy):
    """Two transactions made the same thing at once; the loser should look again. Used by `write_again` only."""


class Database:
    """One database of one process. Safe for many threads; after a fork the child opens its own connections."""

    def __init__(self, engine: Engine, *, url: URL) -> None:
        self.engine = engine
        self.url = url
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite polls for its lock; inside one process an ordinary lock is fairer and quicker.
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one snapshot in SQLite, each statement its own in PostgreSQL."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back on an exception.

        When the block has ended with `durable`, the data are on disk. Without it they survive the death of this process
        but not a power cut: for leases, audit rows of reads and the like, of which nothing depends.
        """
        if not self.is_sqlite:
            with _translated(), self.engine.begin() as connection:
                if not durable:
                    connection.execute(text("SET LOCAL synchronous_commit = off"))
                yield connection
            return
        with self._writing, _translated(), self.engine.connect() as plain:
            connection = plain.execution_options(**{WRITE: True})
            _synchronise(connection, "FULL" if durable else "NORMAL")
            with connection.begin():
                yield connection

    def write_again(self, work: Callable[[Connection], Result], *, durable: bool = True) -> Result:
        """Run `work` in a write transaction, and again from the start where another transaction got in its way.

        `work` must have no effect but its statements. Raises Busy when it keeps colliding.
        """
        for attempt in range(1, COLLISION_ATTEMPTS + 1):
            try:
                with self.write(durable=durable) as connection:
                    return work(connection)
            except Collision:
                if attempt == COLLISION_ATTEMPTS:
                    raise Busy("the record is busy") from None
                time.sleep(0.01 * attempt)
        raise AssertionError("unreachable")

    def answers(self) -> bool:
        """Whether the database can be read now (for /health/ready)."""
        try:
            with self.read() as connection:
                connection.execute(text("SELECT 1"))
        except StoreError:
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_database(url: str, *, pool_size: int = 5, busy_timeout_seconds: float = 30.0) -> Database:
    """Open `sqlite:///path` or `postgresql+psycopg://…`; a plain `postgresql://` is taken for psycopg 3.

    Opens no connection yet. The tables are made by `store.schema.upgrade`.
    """
    try:
        address = make_url(url)
    except exc.ArgumentError:
        raise StoreError("the database address cannot be read") from None
    if address.drivername in {"postgresql", "postgres"}:
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername in {"sqlite", "sqlite+pysqlite"}:
        engine = _open_sqlite(address, pool_size=pool_size, busy_timeout_seconds=busy_timeout_seconds)
    elif address.drivername == "postgresql+psycopg":
        engine = _open_postgresql(address, pool_size=pool_size, busy_timeout_seconds=busy_timeout_seconds)
    else:
        raise StoreError(f"databases of the kind {address.get_backend_name()} are not supported: SQLite or PostgreSQL")
    _forget_connections_in_children(engine)
    return Database(engine, url=address)


def in_parts(values: Iterable[str], *, size: int = 1000) -> Iterator[list[str]]:
    """The values in lists short enough for an IN condition (both databases bound the number of parameters)."""
    rest = list(values)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _open_sqlite(address: URL, *, pool_size: int, busy_timeout_seconds: float) -> Engine:
    if not address.database or address.database == ":memory:":
        raise StoreError("SQLite needs a file: sqlite:///path/to/fillertrace.sqlite3")
    Path(address.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        address,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=busy_timeout_seconds,
        connect_args={"timeout": busy_timeout_seconds, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(driver_connection: Any, record: object) -> None:
        driver_connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            driver_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _open_postgresql(address: URL, *, pool_size: int, busy_timeout_seconds: float) -> Engine:
    milliseconds = int(busy_timeout_seconds * 1000)
    return create_engine(
        address,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=busy_timeout_seconds,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "options": f"-c lock_timeout={milliseconds} -c timezone=UTC"},
        hide_parameters=True,
    )


def _forget_connections_in_children(engine: Engine) -> None:
    reference = weakref.ref(engine)

    def forget() -> None:
        alive = reference()
        if alive is not None:
            alive.dispose(close=False)  # the parent goes on using its sockets

    os.register_at_fork(after_in_child=forget)


def _synchronise(connection: Connection, level: str) -> None:
    # Outside a transaction, on the driver's connection: inside one, SQLite ignores it.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA synchronous={level}")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError:
        raise Collision("another transaction was first") from None
    except exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _AGAIN_STATES:
            raise Collision("another transaction was in the way") from None
        if isinstance(error, exc.OperationalError | exc.InterfaceError):
            raise Busy("the database is locked or cannot be reached") from None
        raise StoreError(f"the database refused a statement ({type(error).__name__}, {state or 'no code'})") from None
    except exc.TimeoutError:
        raise Busy("no database connection was free") from None
