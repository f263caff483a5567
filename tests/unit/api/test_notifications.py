"""A word of an EHR that something is new: heard with our secret, and nothing in it is believed or kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from ehr.settings import EhrSettings
from store import listening
from store.tables import listened
from tests.servers.redis import RedisServer
from tests.unit.api.log_file import LogFile
from tests.unit.api.service import Door, running_door

SECRET = "a-secret-of-more-than-thirty-two-letters"


@pytest.fixture
def at_home(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    ehr = EhrSettings(
        servers=("main=https://ehr.example/fhir", "other=https://other.example/fhir"),
        subscribe=("main",),
        notify_url="https://fillertrace.example",
        notify_secret=SECRET,
    )
    with running_door(tmp_path, redis_server.url, ehr=ehr) as door:
        yield door


def send(door: Door, path: str, *, method: str = "POST", body: str = "", **headers: str) -> int:
    address = door.base.replace("/fhir", path)
    return door.client.request(method, address, content=body, headers=headers).status_code


def told(door: Door) -> list[str]:
    with door.database.read() as connection:
        return list(connection.scalars(sa.select(listened.c.server).where(listened.c.told_at.is_not(None))))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"/notify/{SECRET}/main", ""),
        ("PUT", f"/notify/{SECRET}/main/Observation/12", '{"resourceType":"Observation","id":"12","note":"canary"}'),
    ],
)
def test_a_word_makes_its_ehr_due_at_once(at_home: Door, log: LogFile, method: str, path: str, body: str) -> None:
    assert send(at_home, path, method=method, body=body, **{"X-Request-Id": "the-word"}) == 204
    assert told(at_home) == ["main"]
    turn = listening.take_turn(at_home.database, ["main"], worker="w", now=datetime.now(UTC), lease_seconds=1)
    assert turn is not None
    said = log.line_of("the-word")
    assert "route=/notify/{secret}/{server}" in said
    assert not [one for one in (SECRET, "canary", "Observation/12") if one in said]


@pytest.mark.parametrize(
    "path",
    [
        "/notify/another-secret/main",
        f"/notify/{SECRET}/other",
        f"/notify/{SECRET}/nobody",
        f"/notify/{SECRET}é/main",
        "/notify//main",
    ],
)
def test_a_word_without_our_secret_or_from_elsewhere_is_not_heard(at_home: Door, path: str) -> None:
    assert send(at_home, path) == 404
    assert told(at_home) == []


def test_where_nothing_is_listened_to_no_word_is_heard(door: Door) -> None:
    assert send(door, f"/notify/{SECRET}/main") == 404
    assert send(door, "/notify/None/main") == 404
