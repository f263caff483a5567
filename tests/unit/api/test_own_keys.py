"""`GET /.well-known/jwks.json`: the public parts of our keys, for whoever must check a signature of ours."""

from pathlib import Path

import httpx
import pytest

from ehr.keys import new_key, read_keys, write_keys
from ehr.settings import EhrSettings
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.service import Door, running_door

ADDRESS = "/.well-known/jwks.json"


def _ask(door: Door) -> httpx.Response:
    return httpx.get(door.base.removesuffix("/fhir") + ADDRESS)


@pytest.mark.requirement("SM-09")
def test_our_public_keys_are_published_and_may_be_kept_for_a_while(tmp_path: Path, redis_server: RedisServer) -> None:
    file = tmp_path / "keys.json"
    write_keys(file, [new_key("ES384")])
    with running_door(tmp_path, redis_server.url, ehr=EhrSettings(key_set=file)) as door:
        first = _ask(door)
        assert first.status_code == 200
        assert first.headers["content-type"].startswith("application/json")
        assert first.headers["cache-control"] == "max-age=300"
        (key,) = first.json()["keys"]
        assert (key["kty"], key["alg"], key["kid"]) == ("EC", "ES384", read_keys(file)[0].kid)
        assert "d" not in key
        write_keys(file, [*read_keys(file), new_key("ES384")])
        assert len(_ask(door).json()["keys"]) == 2


def test_with_smart_access_they_are_for_everybody_too(tmp_path: Path, redis_server: RedisServer) -> None:
    file = tmp_path / "keys.json"
    write_keys(file, [new_key("ES384")])
    with (
        TokenServer() as server,
        running_door(tmp_path, redis_server.url, ehr=EhrSettings(key_set=file), **smart_settings(server)) as door,
    ):
        assert door.client.get("/Patient").status_code == 401
        assert len(_ask(door).json()["keys"]) == 1


def test_without_a_key_set_there_is_none(door: Door) -> None:
    answer = _ask(door)
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "FILLERTRACE_EHR_KEY_SET" in answer.text
