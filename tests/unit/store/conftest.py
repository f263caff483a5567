"""The record on both engines, the queue on a real Redis."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database, open_database
from store.queue import Queue
from store.schema import upgrade
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.sqlite3'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.create_database(f"store_{uuid.uuid4().hex}")


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    opened = open_database(empty_url)
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that a test may stop, wipe and restart."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def queue(redis_server: RedisServer) -> Iterator[Queue]:
    redis_server.flush()
    opened = Queue(redis_server.url)
    opened.mark()
    yield opened
    opened.close()
