"""Pages of other sites: who may read our answers from a browser, and who may not even ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.settings import ApiSettings
from tests.servers.redis import RedisServer
from tests.unit.api.service import FHIR_JSON, Door, running_door

VIEWER = "https://viewer.hospital.example"
STRANGER = "https://news.example"
EXPOSED = {
    "Location", "Content-Location", "ETag", "Last-Modified", "Retry-After", "X-Progress", "Link", "Preference-Applied"
}  # fmt: skip
ALLOW_ORIGIN = "Access-Control-Allow-Origin"


@pytest.fixture
def open_to_viewer(tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url, cors_origins=(VIEWER,)) as door:
        yield door


def _from(origin: str) -> dict[str, str]:
    """What a browser says of a request that a page of another site makes."""
    return {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


def _preflight(door: Door, path: str, *, origin: str, method: str = "PUT") -> httpx.Response:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "if-match,prefer,content-type"}
    return door.client.request("OPTIONS", path, headers={**_from(origin), **asked})


@pytest.mark.requirement("HTTP-17")
def test_a_listed_page_may_ask_and_read(open_to_viewer: Door) -> None:
    door = open_to_viewer
    before = _preflight(door, "/Patient/1", origin=VIEWER)
    assert (before.status_code, before.headers[ALLOW_ORIGIN]) == (200, VIEWER)
    methods = {one.strip() for one in before.headers["Access-Control-Allow-Methods"].split(",")}
    assert methods == {"GET", "HEAD", "POST", "PUT", "DELETE"}
    allowed = {one.strip().lower() for one in before.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"if-match", "prefer", "content-type"}
    created = door.client.post(
        "/Patient", content='{"resourceType": "Patient"}', headers={**FHIR_JSON, **_from(VIEWER)}
    )
    assert (created.status_code, created.headers[ALLOW_ORIGIN]) == (201, VIEWER)
    exposed = {one.strip() for one in created.headers["Access-Control-Expose-Headers"].split(",")}
    assert exposed >= EXPOSED
    assert "Access-Control-Allow-Credentials" not in created.headers
    missing = door.client.get("/Patient/nobody", headers=_from(VIEWER))
    assert (missing.status_code, missing.headers[ALLOW_ORIGIN]) == (404, VIEWER)


@pytest.mark.requirement("HTTP-17")
def test_any_other_page_gets_nothing_and_does_nothing(door: Door, open_to_viewer: Door) -> None:
    for one, origin in ((open_to_viewer, STRANGER), (open_to_viewer, "null"), (door, VIEWER), (door, "null")):
        for answer in (
            one.client.post("/Patient", content='{"resourceType": "Patient"}', headers={**FHIR_JSON, **_from(origin)}),
            one.client.get("/Patient/nobody", headers=_from(origin)),
        ):
            assert answer.status_code == 403
            assert answer.json()["resourceType"] == "OperationOutcome"
            assert ALLOW_ORIGIN not in answer.headers
        before = _preflight(one, "/Patient/1", origin=origin)
        assert (before.status_code, ALLOW_ORIGIN in before.headers) == (405, False)
        without_origin = one.client.get("/Patient/nobody", headers={"Sec-Fetch-Site": "cross-site"})
        assert without_origin.status_code == 403


@pytest.mark.requirement("HTTP-17")
def test_how_to_talk_to_us_is_for_every_page(door: Door) -> None:
    answer = door.client.get("/metadata", headers=_from(STRANGER))
    assert (answer.status_code, answer.headers[ALLOW_ORIGIN]) == (200, "*")
    before = _preflight(door, "/metadata", origin=STRANGER, method="GET")
    assert (before.status_code, before.headers[ALLOW_ORIGIN]) == (200, "*")
    later = door.client.get("/.well-known/smart-configuration", headers=_from(STRANGER))
    assert later.headers[ALLOW_ORIGIN] == "*"


@pytest.mark.requirement("HTTP-17")
def test_who_is_no_page_is_not_asked_for_an_origin(door: Door) -> None:
    assert door.client.get("/Patient/nobody").status_code == 404
    assert door.client.get("/Patient/nobody", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 404


@pytest.mark.parametrize(
    "origin", ["*", "viewer.example", "https://viewer.example/", "https://viewer.example/app", "null"]
)
def test_only_origins_can_be_listed(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        ApiSettings(cors_origins=(origin,))


@pytest.mark.parametrize("host", ["rebound.example:8080", "192.168.1.4", "localhost.evil.example"])
def test_a_page_whose_name_was_made_to_lead_here_gets_nothing(door: Door, host: str) -> None:
    assert door.client.get("/Patient", headers={"Host": host}).status_code == 403


def test_this_machine_and_the_base_url_are_ours(tmp_path: Path, redis_server: RedisServer) -> None:
    with running_door(tmp_path, redis_server.url, base_url="https://correlate.hospital.example/fhir") as door:
        for host in ("localhost:8080", "[::1]:8080", "127.0.0.1", "correlate.hospital.example"):
            assert door.client.get("/Patient", headers={"Host": host}).status_code == 200, host


def test_the_capability_statement_says_whether_pages_of_others_may_call(door: Door, open_to_viewer: Door) -> None:
    said = [one.client.get("/metadata").json()["rest"][0]["security"]["cors"] for one in (door, open_to_viewer)]
    assert said == [False, True]
