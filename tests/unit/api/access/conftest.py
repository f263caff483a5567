from collections.abc import Iterator
from pathlib import Path

import pytest

from ehr.transport import Transport
from tests.servers.redis import RedisServer
from tests.unit.api.access.issuer import guarded_door
from tests.unit.api.access.neighbours import EHR, Street, move_in


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(private_hosts=frozenset({"127.0.0.1"}), timeout_seconds=5) as open_transport:
        yield open_transport


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Street]:
    folder: Path = tmp_path_factory.mktemp("street")
    with guarded_door(folder, redis_server.url, requests_per_minute=0) as (door, server):
        yield Street(door=door, server=server, patients=move_in(door, server))


@pytest.fixture
def own_street(tmp_path: Path, redis_server: RedisServer) -> Iterator[Street]:
    """A street of one test alone, whose tokens name patients as the EHR does."""
    with guarded_door(tmp_path, redis_server.url, requests_per_minute=0, patient_base=EHR) as (door, server):
        yield Street(door=door, server=server, patients=move_in(door, server))
