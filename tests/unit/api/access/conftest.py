from collections.abc import Iterator
from pathlib import Path

import pytest

from ehr.transport import Transport
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.service import Door, running_door


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=frozenset({"127.0.0.1"}), timeout_seconds=5) as open_transport:
        yield open_transport


@pytest.fixture
def smart_door(tmp_path: Path, redis_server: RedisServer, server: TokenServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url, **smart_settings(server)) as running:
        yield running
