"""The door with `smart` access, over HTTP: who is let in, and what the others are told."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.servers.bad_tokens import BAD_TOKENS
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import bearer, smart_settings
from tests.unit.api.service import FHIR_JSON, Door, running_door

CHALLENGE = 'Bearer realm="fillertrace"'
NOT_GOOD = f'{CHALLENGE}, error="invalid_token"'
NOT_ENOUGH = f'{CHALLENGE}, error="insufficient_scope"'
PATIENT = json.dumps({"resourceType": "Patient", "identifier": [{"system": "https://a.example/mrn", "value": "7"}]})


def _said(answer: httpx.Response) -> tuple[int, str | None, str, str]:
    issue = answer.json()["issue"][0]
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    detail = issue["details"]["coding"][0]["code"]
    return answer.status_code, answer.headers.get("WWW-Authenticate"), issue["code"], detail


def test_a_good_token_reads_and_writes(smart_door: Door, server: TokenServer) -> None:
    headers = {**FHIR_JSON, **bearer(server.token())}
    created = smart_door.client.post("/Patient", content=PATIENT, headers=headers)
    assert created.status_code == 201
    for token in (server.token(), server.opaque_token()):
        for scheme in ("Bearer", "bearer", "BEARER "):
            read = smart_door.client.get("/Patient", headers={"Authorization": f"{scheme} {token}"})
            assert (read.status_code, read.json()["total"]) == (200, 1)


@pytest.mark.requirement("SM-06")
def test_without_a_token_it_is_said_which_kind_is_wanted(smart_door: Door) -> None:
    for headers in ({}, {"Authorization": "Basic dXNlcjpwYXNz"}):
        answer = smart_door.client.get("/Patient/1", headers=headers)
        assert _said(answer) == (401, CHALLENGE, "login", "not-authenticated")


@pytest.mark.requirement("SM-06")
def test_every_bad_token_gets_the_same_answer_and_is_repeated_nowhere(
    smart_door: Door, server: TokenServer, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = set()
    for wrong in BAD_TOKENS.values():
        token = wrong(server)
        answer = smart_door.client.get("/Patient/1", headers=bearer(token))
        assert _said(answer) == (401, NOT_GOOD, "login", "not-authenticated")
        answers.add(answer.content)
        written = capsys.readouterr()
        for part in (token, *token.split(".")):
            assert len(part) < 20 or part not in written.out + written.err + answer.text
    assert len(answers) == 1


@pytest.mark.requirement("SM-06")
@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer =", "Bearer \xe9", "Bearer,x", "Bearer a,b"])
def test_a_header_that_holds_no_token_holds_a_bad_one(smart_door: Door, header: str) -> None:
    answer = smart_door.client.get("/Patient/1", headers={"Authorization": header.encode("latin-1")})
    assert _said(answer) == (401, NOT_GOOD, "login", "not-authenticated")


def test_two_tokens_are_none(smart_door: Door, server: TokenServer) -> None:
    headers = [("Authorization", f"Bearer {server.token()}"), ("Authorization", f"Bearer {server.token()}")]
    assert _said(smart_door.client.get("/Patient/1", headers=headers))[:2] == (401, NOT_GOOD)


def test_a_token_in_the_address_or_the_body_is_not_looked_at(smart_door: Door, server: TokenServer) -> None:
    token = server.token()
    by_query = smart_door.client.get("/Patient", params={"access_token": token})
    by_body = smart_door.client.post("/Patient/_search", data={"access_token": token})
    assert {_said(answer)[:2] for answer in (by_query, by_body)} == {(401, CHALLENGE)}


@pytest.mark.requirement("SM-06")
def test_a_token_that_does_not_reach_so_far_is_told_so(smart_door: Door, server: TokenServer) -> None:
    for scope in ("", "openid", "system/Patient.dus", "launch/patient"):
        answer = smart_door.client.post(
            "/Patient", content=PATIENT, headers={**FHIR_JSON, **bearer(server.token(scope=scope))}
        )
        assert _said(answer) == (403, NOT_ENOUGH, "forbidden", "not-permitted")


@pytest.mark.requirement("SM-06")
def test_while_the_issuer_is_away_nobody_is_let_in(
    tmp_path: Path, redis_server: RedisServer, server: TokenServer
) -> None:
    token, opaque = server.token(), server.opaque_token()
    server.away = True
    with running_door(tmp_path, redis_server.url, **smart_settings(server)) as door:
        for one in (token, opaque):
            answer = door.client.get("/Patient/1", headers=bearer(one))
            assert _said(answer) == (503, None, "transient", "issuer-away")
            assert answer.headers["Retry-After"] == "10"
        assert door.client.get("/metadata").status_code == 200


@pytest.fixture
def slow_door(tmp_path: Path, redis_server: RedisServer, server: TokenServer) -> Iterator[Door]:
    with running_door(tmp_path, redis_server.url, **smart_settings(server, requests_per_minute=20)) as door:
        yield door


def _many(door: Door, token: str | None, count: int) -> list[int]:
    headers = {} if token is None else bearer(token)
    return [door.client.get("/Patient", headers=headers).status_code for _ in range(count)]


def test_one_caller_who_asks_too_much_waits_and_the_others_do_not(slow_door: Door, server: TokenServer) -> None:
    assert _many(slow_door, server.token(client_id="greedy"), 20) == [200] * 20
    answer = slow_door.client.get("/Patient", headers=bearer(server.token(client_id="greedy")))
    assert _said(answer) == (429, None, "throttled", "too-many-requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert _many(slow_door, server.token(client_id="modest"), 1) == [200]
    assert _many(slow_door, server.token(client_id="greedy", patient="p"), 1) == [200]  # another caller than without


def test_who_shows_no_good_token_waits_sooner(slow_door: Door, server: TokenServer) -> None:
    assert _many(slow_door, None, 1) + _many(slow_door, "bad", 2) == [401, 401, 429]
    assert _many(slow_door, server.token(), 1) == [200]


def test_a_limit_of_zero_is_none(tmp_path: Path, redis_server: RedisServer, server: TokenServer) -> None:
    with running_door(tmp_path, redis_server.url, **smart_settings(server, requests_per_minute=0)) as door:
        assert set(_many(door, None, 30)) == {401}


@pytest.mark.requirement("SM-06")
@pytest.mark.parametrize(
    "path", ["", "/$correlate", "/Patient", "/Patient/_search", "/$validate", "/Patient/1/$correlate"]
)
def test_who_sends_a_body_must_be_known_before_any_of_it_is_read(smart_door: Door, path: str) -> None:
    address = urlsplit(smart_door.base)
    lines = (f"POST /fhir{path} HTTP/1.1", f"Host: {address.netloc}", "Content-Type: text/plain", "Content-Length: 999")
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 401 ")
