"""The real service with `smart` access, and two authorization servers: a strict one, and one that nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, Key

from tests.examples import case_bundle
from tests.servers.oidc_provider import OidcServer, app_client, backend_client
from tests.servers.service import Service, smart_access
from tests.servers.token_server import AUDIENCE, TokenServer, new_key

FHIR_JSON = {"Content-Type": "application/fhir+json", "Prefer": "wait=60"}
SCOPES = "system/*.cruds user/*.cruds patient/*.rs"
RSA: Key = new_key()
EC: Key = ECKey.generate_key("P-384", {"use": "sig", "kid": "ec"})


def _service(folder: Path, issuer: str) -> Service:
    settings = smart_access(issuer, audience=AUDIENCE)
    return Service("serve", "--port", "0", "--data", str(folder / "data"), folder=folder, settings=settings)


def _get(service: Service, path: str, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{service.base_url}{path}", headers=headers, timeout=60)


def _correlate(service: Service, token: str) -> dict[str, Any]:
    """The report on the published case."""
    headers = {**FHIR_JSON, "Authorization": f"Bearer {token}"}
    body = json.dumps(case_bundle("V01"))
    answer = httpx.post(f"{service.base_url}/$correlate", content=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()["entry"][0]["resource"]
    return report


@pytest.mark.requirement("SM-06")
def test_a_backend_service_correlates_and_reads_and_nobody_else_does(tmp_path: Path) -> None:
    with TokenServer() as server, _service(tmp_path, server.issuer) as service:
        good, bad, little = server.token(), server.token(expires_in=-1), server.token(scope="system/Patient.rs")
        path = f"/DiagnosticReport/{_correlate(service, good)['id']}"
        assert _get(service, path, good).json()["resourceType"] == "DiagnosticReport"
        refused = [_get(service, path, token) for token in (None, bad, little)]
        assert [(answer.status_code, "error=" in answer.headers["WWW-Authenticate"]) for answer in refused] == [
            (401, False),
            (401, True),
            (403, True),
        ]
        assert all(answer.json()["resourceType"] == "OperationOutcome" for answer in refused)
        said = _get(service, "/metadata").json()["rest"][0]["security"]
        assert said["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
        assert _get(service, "/.well-known/smart-configuration").json()["token_endpoint"] == server.token_url
        assert httpx.get(service.base_url.replace("/fhir", "/health/ready")).json()["access"] == "smart"
        log = service.log.read_text()
        assert '"status": 401' in log
        assert "open-access" not in log
        for token in (good, bad, little):
            assert token.rpartition(".")[2] not in log


@pytest.fixture(scope="module")
def oidc() -> Iterator[OidcServer]:
    clients = [
        backend_client("by-rsa", RSA, scope=SCOPES),
        backend_client("by-ec", EC, scope=SCOPES),
        app_client("app", scope=SCOPES),
    ]
    with OidcServer(clients, audience=AUDIENCE, scope=SCOPES) as server:
        server.choose("dr-a", patient="p-2", fhirUser="Practitioner/7")
        yield server


@pytest.mark.requirement("SM-01", "SM-06")
@pytest.mark.timeout(900)  # the first time, npm brings what it needs
def test_tokens_of_an_authorization_server_that_nobody_here_wrote_are_believed(
    tmp_path: Path, oidc: OidcServer
) -> None:
    with _service(tmp_path, oidc.issuer) as service:
        tokens = [
            oidc.backend_token("by-rsa", RSA, scope="system/*.cruds"),
            oidc.backend_token("by-ec", EC, scope="system/*.cruds"),
            oidc.app_token("app", login="dr-a", scope="user/*.cruds"),
        ]
        path = f"/DiagnosticReport/{_correlate(service, tokens[0])['id']}"
        assert [_get(service, path, token).status_code for token in tokens] == [200, 200, 200]
        assert _get(service, path).status_code == 401
        only_patient = oidc.app_token("app", login="dr-a", scope="patient/*.rs")
        assert _get(service, path, only_patient).status_code in {403, 404}  # it is bound to another patient
        configuration = _get(service, "/.well-known/smart-configuration").json()
        assert configuration["authorization_endpoint"] == f"{oidc.issuer}/auth"
        assert configuration["code_challenge_methods_supported"] == ["S256"]
