"""Who signs with a token: a person, by a `user/` scope, who is a Practitioner and sees the whole report."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import bearer
from tests.unit.api.service import FHIR_JSON, Door, case

PRACTITIONER = {"fhirUser": "https://ehr.example/fhir/Practitioner/7"}


@pytest.fixture
def report(smart_door: Door, server: TokenServer) -> dict[str, Any]:
    found: dict[str, Any] = smart_door.correlate(case("V01"), **bearer(server.token()))["entry"][0]["resource"]
    return found


def put(door: Door, report: dict[str, Any], token: str) -> httpx.Response:
    body = json.dumps({**report, "status": "final", "resultsInterpreter": [{"display": "Dr A"}]})
    headers = {**FHIR_JSON, **bearer(token), "If-Match": f'W/"{report["meta"]["versionId"]}"'}
    return door.client.put(f"/DiagnosticReport/{report['id']}", content=body, headers=headers)


@pytest.mark.requirement("SM-06", "DR-01")
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("system/*.cruds", PRACTITIONER),
        ("system/DiagnosticReport.u user/*.rs", PRACTITIONER),
        ("user/*.rs", PRACTITIONER),
        ("user/*.cruds", {}),
        ("user/*.cruds", {"fhirUser": "https://ehr.example/fhir/Patient/7"}),
        ("user/*.cruds", {"fhirUser": "https://ehr.example/fhir/Practitioner/"}),
        ("user/*.cruds", {"fhirUser": "https://ehr.example/fhir/PractitionerRole/7"}),
        ("user/DiagnosticReport.cruds", PRACTITIONER),  # who does not see what the report rests on
        ("user/*.rs user/DiagnosticReport.u?status=preliminary", PRACTITIONER),
    ],
)
def test_no_other_token_signs(
    smart_door: Door, server: TokenServer, report: dict[str, Any], scope: str, claims: dict[str, str]
) -> None:
    refused = put(smart_door, report, server.token(scope=scope, **claims))
    assert refused.status_code == 403
    assert refused.json()["issue"][0]["code"] == "forbidden"
    path = f"/DiagnosticReport/{report['id']}"
    assert smart_door.client.get(path, headers=bearer(server.token())).json()["status"] == "preliminary"


@pytest.mark.requirement("DR-01")
def test_a_practitioner_signs_and_is_named_by_the_token(
    smart_door: Door, server: TokenServer, report: dict[str, Any]
) -> None:
    token = server.token(scope="user/*.cruds", **PRACTITIONER)
    signed = put(smart_door, report, token)
    assert (signed.status_code, signed.json()["status"]) == (200, "final")
    query = {"target": f"DiagnosticReport/{report['id']}", "_sort": "-_lastUpdated"}
    found = smart_door.client.get("/Provenance", params=query, headers=bearer(token)).json()["entry"]
    agents = [agent for entry in found for agent in entry["resource"]["agent"]]
    assert PRACTITIONER["fhirUser"] in [agent["who"].get("reference") for agent in agents]
    assert "identity not verified" not in json.dumps(found)
