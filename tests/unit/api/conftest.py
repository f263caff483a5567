from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.redis import RedisServer
from tests.unit.api.service import Door, running_door


@pytest.fixture
def door(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url) as running:
        yield running
