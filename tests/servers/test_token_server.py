"""The authorization server of the tests is as strict as SMART Backend Services asks (protocol, SM-08)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from tests.servers.client_assertions import ASSERTION_TYPE
from tests.servers.token_server import RESOURCE_SERVER, TokenServer, new_key

RSA: Key = new_key()
EC: Key = ECKey.generate_key("P-384", {"use": "sig", "kid": "ec"})
SCOPE = "system/*.rs system/DiagnosticReport.cruds"


@pytest.fixture(scope="module")
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        running.register("inline", scope=SCOPE, jwks=KeySet([RSA, EC]).as_dict(private=False))
        yield running


def _assertion(
    server: TokenServer, *, key: Key = RSA, client_id: str = "inline", header: Any = None, **claims: Any
) -> str:
    head = {"alg": "ES384" if isinstance(key, ECKey) else "RS384", "kid": key.kid, **(header or {})}
    said = {
        "iss": client_id,
        "sub": client_id,
        "aud": server.token_url,
        "exp": int(time.time()) + 240,
        "jti": uuid.uuid4().hex,
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in head.items() if value is not None},
        {name: value for name, value in said.items() if value is not None},
        key,
        algorithms=[str(head["alg"])],
        default_type=None if header and "typ" in header else "JWT",
    )


def _ask(server: TokenServer, assertion: str, **form: str | None) -> httpx.Response:
    said = {
        "grant_type": "client_credentials",
        "scope": "system/Patient.rs",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **form,
    }
    return httpx.post(server.token_url, data={name: value for name, value in said.items() if value is not None})


def _refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_client_gets_a_token_that_the_published_keys_verify(server: TokenServer, key: Key) -> None:
    answer = _ask(server, _assertion(server, key=key))
    assert answer.status_code == 200, answer.text
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    said = answer.json()
    assert said.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (said["token_type"], said["scope"]) == ("bearer", "system/Patient.rs")
    assert 0 < said["expires_in"] <= 300
    published = KeySet.import_key_set(httpx.get(server.jwks_url).json())
    claims = jwt.decode(said["access_token"], published, algorithms=["RS384"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (server.issuer, server.audience, "inline")
    assert "d" not in published.as_dict()["keys"][0]


def test_keys_are_read_from_the_registered_address_each_time(server: TokenServer) -> None:
    with TokenServer() as publisher:  # any server with a key set will do
        server.register("by-url", scope=SCOPE, jwks_url=publisher.jwks_url)
        header = {"jku": publisher.jwks_url}
        assert _ask(server, _assertion(server, key=publisher.key, client_id="by-url", header=header)).is_success
        publisher.renew_key()
        assert _ask(server, _assertion(server, key=publisher.key, client_id="by-url")).is_success
        elsewhere = {"jku": f"{publisher.issuer}/other"}
        refused = _ask(server, _assertion(server, key=publisher.key, client_id="by-url", header=elsewhere))
        assert _refusal(refused) == (401, "invalid_client")
        publisher.away = True
        refused = _ask(server, _assertion(server, key=publisher.key, client_id="by-url"))
        assert _refusal(refused) == (401, "invalid_client")


@pytest.mark.parametrize(
    "wrong",
    [
        {"header": {"typ": None}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"kid": None}},
        {"header": {"kid": "another"}},
        {"header": {"alg": "RS256"}},
        {"header": {"jku": "https://another.example/jwks"}},  # none is registered
        {"iss": "another"},
        {"sub": "another"},
        {"iss": None},
        {"aud": "https://another.example/token"},
        {"aud": None},
        {"exp": None},
        {"exp": int(time.time()) - 1},
        {"exp": int(time.time()) + 3600},
        {"exp": "soon"},
        {"jti": None},
        {"jti": ""},
        {"key": RSAKey.generate_key(2048, {"kid": str(RSA.kid)})},  # the right kid, another's key
        {"key": ECKey.generate_key("P-384", {"kid": str(RSA.kid)})},  # the right kid, another type
    ],
)
def test_an_assertion_that_breaks_a_rule_is_no_client_s(server: TokenServer, wrong: dict[str, Any]) -> None:
    assert _refusal(_ask(server, _assertion(server, **wrong))) == (401, "invalid_client")


def test_an_assertion_counts_once(server: TokenServer) -> None:
    assertion = _assertion(server)
    assert _ask(server, assertion).is_success
    assert _refusal(_ask(server, assertion)) == (401, "invalid_client")


def test_two_keys_of_one_name_are_none(server: TokenServer) -> None:
    twice = [RSA.as_dict(private=False), {**new_key().as_dict(private=False), "kid": RSA.kid}]
    server.register("twice", scope=SCOPE, jwks={"keys": twice})
    assert _refusal(_ask(server, _assertion(server, client_id="twice"))) == (401, "invalid_client")


@pytest.mark.parametrize("assertion", ["", "a.b.c", "a.b", "e30.e30.e30", "W10.W10.W10"])
def test_what_is_no_assertion_is_refused(server: TokenServer, assertion: str) -> None:
    status, error = _refusal(_ask(server, assertion))
    assert (status, error) in {(401, "invalid_client"), (400, "invalid_request")}


def _unsigned(assertion: str) -> str:
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{assertion.split('.')[1]}."


@pytest.mark.parametrize("change", [_unsigned, lambda assertion: assertion[:-8]])
def test_an_assertion_without_its_signature_is_refused(server: TokenServer, change: Callable[[str], str]) -> None:
    assert _refusal(_ask(server, change(_assertion(server)))) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_request"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "user/*.rs launch openid"}, "invalid_scope"),
        ({"scope": "system/Patient.cruds"}, "invalid_scope"),
    ],
)
def test_a_form_that_breaks_a_rule_is_refused(server: TokenServer, form: dict[str, str | None], error: str) -> None:
    assert _refusal(_ask(server, _assertion(server), **form)) == (400, error)


def test_only_what_is_registered_is_granted(server: TokenServer) -> None:
    asked = "system/Patient.rs system/Patient.cruds system/DiagnosticReport.cu user/*.rs"
    answer = _ask(server, _assertion(server), scope=asked)
    assert answer.json()["scope"] == "system/Patient.rs system/DiagnosticReport.cu"


def test_of_more_than_is_registered_the_registered_part_is_granted(server: TokenServer) -> None:
    narrow = "system/Patient.rs system/Observation.rs?category=laboratory user/Device.rs"
    server.register("narrow", scope=narrow, jwks=KeySet([RSA]).as_dict(private=False))
    answer = _ask(server, _assertion(server, client_id="narrow"), scope="system/*.rs system/Patient.cruds")
    assert answer.json()["scope"] == "system/Patient.rs system/Observation.rs?category=laboratory"


def test_only_a_form_that_is_posted_is_read(server: TokenServer) -> None:
    said = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion": _assertion(server)}
    assert _refusal(httpx.post(server.token_url, json=said)) == (400, "invalid_request")
    assert httpx.get(server.token_url, params=said).status_code == 405
    twice = "scope=a&scope=b"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert _refusal(httpx.post(server.token_url, content=twice, headers=headers)) == (400, "invalid_request")


def test_introspection_answers_a_resource_server_that_it_knows(server: TokenServer) -> None:
    token = server.token(patient="p-1")
    asked = {"token": token}
    assert httpx.post(server.introspection_url, data=asked, auth=("another", "secret")).status_code == 401
    client_id, secret = map(quote_plus, RESOURCE_SERVER)
    said = httpx.post(server.introspection_url, data=asked, auth=(client_id, secret)).json()
    assert (said["active"], said["patient"]) == (True, "p-1")
    gone = server.token(expires_in=-1)
    assert httpx.post(server.introspection_url, data={"token": gone}, auth=(client_id, secret)).json() == {
        "active": False
    }
