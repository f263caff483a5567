"""Where an application gets a token for us: the SMART configuration and the CapabilityStatement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.hapi import HapiValidator
from tests.servers.redis import RedisServer
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings
from tests.unit.api.service import Door, running_door

PATH = "/.well-known/smart-configuration"
OURS = {"permission-patient", "permission-user", "permission-v1", "permission-v2"}


def _configuration(door: Door, **headers: str) -> dict[str, Any]:
    answer = door.client.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def _interactive(server: TokenServer) -> None:
    """An issuer that lets people log in, too."""
    server.described |= {
        "authorization_endpoint": f"{server.issuer}/authorize",
        "revocation_endpoint": f"{server.issuer}/revoke",
        "management_endpoint": f"{server.issuer}/manage",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "capabilities": [
            "launch-ehr",
            "launch-standalone",
            "client-confidential-asymmetric",
            "sso-openid-connect",
            "context-ehr-patient",
            "permission-offline",
            "permission-v2",
            "smart-imaging-access",
        ],
        "userinfo": {"strange": 1},
    }


@pytest.mark.requirement("SM-01", "SM-02")
def test_what_the_issuer_says_of_itself_is_passed_on_and_only_permissions_are_ours(
    smart_door: Door, server: TokenServer
) -> None:
    _interactive(server)
    found = _configuration(smart_door)
    passed_on = {
        name: server.described[name]
        for name in (
            "issuer",
            "jwks_uri",
            "authorization_endpoint",
            "token_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
            "management_endpoint",
            "grant_types_supported",
            "scopes_supported",
            "response_types_supported",
            "token_endpoint_auth_methods_supported",
            "token_endpoint_auth_signing_alg_values_supported",
        )
    }
    own = {"code_challenge_methods_supported", "capabilities"}
    assert {name: value for name, value in found.items() if name not in own} == passed_on
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert set(found["capabilities"]) == OURS | {
        "launch-ehr",
        "launch-standalone",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-ehr-patient",
        "permission-offline",
    }


@pytest.mark.requirement("SM-01")
def test_it_is_json_whatever_is_asked_for_and_for_every_page_and_without_a_token(smart_door: Door) -> None:
    first = _configuration(smart_door)
    for accept in ("application/fhir+json", "text/html", "application/fhir+xml", "image/png"):
        assert _configuration(smart_door, Accept=accept) == first
    page = smart_door.client.get(PATH, headers={"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"})
    assert page.headers["Access-Control-Allow-Origin"] == "*"
    assert all(
        one.startswith("http")
        for name, one in first.items()
        if name.endswith(("_endpoint", "_uri")) or name == "issuer"
    )
    assert smart_door.client.head(PATH).status_code == 200
    assert smart_door.client.post(PATH).headers["Allow"] == "GET, HEAD"


@pytest.mark.requirement("SM-01")
def test_the_least_is_there_where_the_issuer_says_little(
    tmp_path: Path, redis_server: RedisServer, server: TokenServer
) -> None:
    server.described = {}
    said = {"token_url": "https://ehr.example/token", "jwks_url": server.jwks_url}
    with running_door(tmp_path, redis_server.url, **smart_settings(server, **said)) as door:
        assert _configuration(door) == {
            "issuer": server.issuer,
            "token_endpoint": "https://ehr.example/token",
            "jwks_uri": server.jwks_url,
            "grant_types_supported": ["client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": sorted(OURS),
        }
    said["authorize_url"] = "https://ehr.example/authorize"
    with running_door(tmp_path, redis_server.url, **smart_settings(server, **said)) as door:
        server.away = True  # what the settings say can be said all the same
        found = _configuration(door)
    assert found["authorization_endpoint"] == "https://ehr.example/authorize"
    assert found["grant_types_supported"] == ["authorization_code"]


def test_what_is_no_address_or_no_list_is_not_passed_on(smart_door: Door, server: TokenServer) -> None:
    server.described |= {
        "revocation_endpoint": "/revoke",
        "management_endpoint": {"url": 1},
        "scopes_supported": "openid",
        "capabilities": ["client-public", 7],
    }
    found = _configuration(smart_door)
    assert found.keys().isdisjoint({"revocation_endpoint", "management_endpoint", "scopes_supported"})
    assert set(found["capabilities"]) == OURS | {"client-public"}


@pytest.mark.requirement("SM-01")
def test_nothing_untrue_is_said_while_nothing_is_known(smart_door: Door, server: TokenServer) -> None:
    server.away = True
    answer = smart_door.client.get(PATH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "issuer-away"


def test_an_issuer_by_another_name_is_not_the_issuer(smart_door: Door, server: TokenServer) -> None:
    server.described["issuer"] = "https://another.example"
    assert smart_door.client.get(PATH).status_code == 503


def test_an_issuer_that_names_no_token_endpoint_is_of_no_use(smart_door: Door, server: TokenServer) -> None:
    del server.described["token_endpoint"]
    assert smart_door.client.get(PATH).status_code == 503


def test_open_access_has_no_authorization_server_and_says_so(door: Door) -> None:
    answer = door.client.get(PATH, headers={"Origin": "https://app.example"})
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["details"]["coding"][0]["code"]) == (404, "access-is-open")
    assert "open" in issue["details"]["text"]


def _statement(door: Door) -> dict[str, Any]:
    found: dict[str, Any] = door.client.get("/metadata").json()
    return found


@pytest.mark.requirement("SM-01", "HTTP-01")
def test_the_capability_statement_names_the_same_addresses(
    smart_door: Door, server: TokenServer, hapi_validator: HapiValidator
) -> None:
    _interactive(server)
    statement = _statement(smart_door)
    security = statement["rest"][0]["security"]
    assert security["service"][0]["coding"] == [
        {
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
            "code": "SMART-on-FHIR",
        }
    ]
    assert security["extension"][0]["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    assert {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]} == {
        "token": server.token_url,
        "authorize": f"{server.issuer}/authorize",
        "manage": f"{server.issuer}/manage",
    }
    assert [one.message for one in hapi_validator.validate(statement) if one.is_error] == []


def test_the_capability_statement_is_there_while_the_issuer_is_not(smart_door: Door, server: TokenServer) -> None:
    server.away = True
    security = _statement(smart_door)["rest"][0]["security"]
    assert security["service"]
    assert "extension" not in security
    assert "Open access" not in security["description"]
