from collections.abc import Iterator
from pathlib import Path

import pytest

from ehr.transport import Transport
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.access.neighbours import EHR, Street, move_in
from tests.unit.api.service import running_door


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=frozenset({"127.0.0.1"}), timeout_seconds=5) as open_transport:
        yield open_transport


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Street]:
    folder: Path = tmp_path_factory.mktemp("street")
    with (
        TokenServer() as server,
        running_door(folder, redis_server.url, requests_per_minute=0, **smart_settings(server)) as door,
    ):
        yield Street(door=door, server=server, patients=move_in(door, server))


@pytest.fixture
def own_street(tmp_path: Path, redis_server: RedisServer) -> Iterator[Street]:
    """A street of one test alone, whose tokens name patients as the EHR does."""
    with (
        TokenServer() as server,
        running_door(
            tmp_path, redis_server.url, requests_per_minute=0, patient_base=EHR, **smart_settings(server)
        ) as door,
    ):
        yield Street(door=door, server=server, patients=move_in(door, server))
