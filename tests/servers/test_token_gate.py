"""The gate of the tests lets through what a good token allows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.servers.bad_tokens import BAD_TOKENS
from tests.servers.loopback import reply
from tests.servers.token_gate import TokenGate, introspected_at, signed_by
from tests.servers.token_server import TokenServer

BAD = [
    *("expired", "without an end", "for another", "for nobody", "of another issuer", "of no issuer", "unsigned"),
    *("HS256 by the public key", "an unknown kid", "no kid", "a key of another type", "signed by another"),
    *("changed", "cut", "no base64", "no JSON"),
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[TokenServer]:
    with TokenServer() as server:
        yield server


@pytest.fixture
def gate(issuer: TokenServer) -> Iterator[TokenGate]:
    check = signed_by(issuer.issuer, jwks_url=issuer.jwks_url, audience=issuer.audience)
    with TokenGate(lambda _: reply({"let": "through"}), described=issuer.described, check=check) as running:
        yield running


def ask(gate: TokenGate, path: str, token: str | None, **how: object) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    method = "POST" if how else "GET"
    return httpx.request(method, f"{gate.base_url}{path}", headers=headers, **how).status_code  # type: ignore[arg-type]


def put(*types: str) -> dict[str, object]:
    entries = [{"request": {"method": "PUT", "url": f"{type_}/1"}} for type_ in types]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.mark.parametrize("wrong", BAD)
def test_a_bad_token_opens_nothing(gate: TokenGate, issuer: TokenServer, wrong: str) -> None:
    assert ask(gate, "/Patient/1", BAD_TOKENS[wrong](issuer)) == 401
    assert ask(gate, "/Patient/1", None) == 401
    assert (gate.tokens, len(gate.refused)) == ([], 2)


def test_a_good_token_opens_what_its_scopes_name(gate: TokenGate, issuer: TokenServer) -> None:
    token = issuer.token(scope="system/*.rs system/Observation.cruds user/Device.cruds")
    assert ask(gate, "/Patient/1", token) == ask(gate, "/Patient?_id=1", token) == 200
    assert ask(gate, "", token, json=put("Observation")) == 200
    assert gate.tokens == [token]
    assert ask(gate, "", token, json=put("Observation", "Device")) == 403
    assert ask(gate, "/Patient", issuer.token(scope="system/Patient.r")) == 403
    assert gate.refused == [(403, "POST /fhir"), (403, "GET /fhir/Patient")]


def test_the_issuer_s_new_key_and_its_word_count(issuer: TokenServer, gate: TokenGate) -> None:
    before = issuer.token()
    issuer.renew_key(keep=True)
    assert ask(gate, "/Patient/1", before) == ask(gate, "/Patient/1", issuer.token()) == 200
    with TokenGate(gate.upstream, described=issuer.described, check=introspected_at(issuer)) as asking:
        assert ask(asking, "/Patient/1", before) == 200
        issuer.revoke(before)
        assert ask(asking, "/Patient/1", before) == 401
        assert ask(asking, "/Patient/1", issuer.token(aud="https://another.example/fhir")) == 401
    assert ask(gate, "/.well-known/smart-configuration", None) == 200
