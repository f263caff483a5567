from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.log_file import LogFile, logging_to
from tests.unit.api.service import Door, running_door


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    with logging_to(tmp_path / "log") as file:
        yield file


@pytest.fixture
def door(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url) as running:
        yield running


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """The issuer of `smart_door`."""
    with TokenServer() as running:
        yield running


@pytest.fixture
def smart_door(tmp_path: Path, redis_server: RedisServer, server: TokenServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url, **smart_settings(server)) as running:
        yield running
