"""`$validate`, the artefacts it checks against, and the Parameters of operations, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.bundle import CORRELATE_TAKES
from fhir_mappings.operation_definitions import operation_definitions
from fhir_mappings.report_profiles import REPORT_PROFILE
from fhir_mappings.validate_operation import TAKES
from tests.unit.api.service import FHIR_JSON, Door, case

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "Calcium"},
    "subject": {"reference": "Patient/1"},
}
ADDRESSES = ("/$validate", "/Observation/$validate")


def ask(door: Door, address: str, body: Any, **query: str) -> list[dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = door.client.post(address, content=content, headers=FHIR_JSON, params=query)
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return list(outcome["issue"])


def errors(issues: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (one["details"]["coding"][0]["code"], one.get("expression", [""])[0])
        for one in issues
        if one["severity"] == "error"
    ]


def parameters(**values: Any) -> dict[str, Any]:
    forms = {"resource": "resource", "mode": "valueCode", "profile": "valueUri"}
    listed = [{"name": name, forms[name]: value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": listed}


@pytest.mark.requirement("OP-04", "OP-02")
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_resource_alone_and_in_parameters_gets_the_same_answer(door: Door, address: str) -> None:
    assert errors(ask(door, address, OBSERVATION)) == []
    broken = {**OBSERVATION, "status": "no-such", "issued": "yesterday"}
    alone = ask(door, address, broken)
    assert errors(alone) == [("unknown-code", "Observation.status"), ("invalid-element", "Observation.issued")]
    assert ask(door, address, parameters(resource=broken)) == alone
    assert "no-such" not in json.dumps(alone)


@pytest.mark.requirement("OP-04")
def test_modes(door: Door) -> None:
    assert errors(ask(door, "/$validate", parameters(resource=OBSERVATION, mode="create"))) == []
    assert errors(ask(door, "/$validate", parameters(resource=OBSERVATION, mode="update"))) == [
        ("missing-element", "Observation.id")
    ]
    list_ = {"resourceType": "List", "status": "current", "mode": "working"}
    assert errors(ask(door, "/List/$validate", list_)) == []
    assert errors(ask(door, "/List/$validate", list_, mode="create")) == [("not-offered", "List")]
    assert errors(ask(door, "/$validate", parameters(resource=OBSERVATION, mode="guess"))) == [("unknown-code", "")]
    assert errors(ask(door, "/$validate", parameters(mode="create"))) == [("no-resource", "")]


@pytest.mark.requirement("OP-04")
def test_profiles_of_ours_of_base_r4_and_of_nobody(door: Door) -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CT of the face"}}
    base = "http://hl7.org/fhir/StructureDefinition/DiagnosticReport"
    assert errors(ask(door, "/DiagnosticReport/$validate", report, profile=base)) == []
    of_ours = errors(ask(door, "/DiagnosticReport/$validate", parameters(resource=report, profile=REPORT_PROFILE)))
    assert ("missing-element", "DiagnosticReport.presentedForm") in of_ours
    assert ("invalid-element", "DiagnosticReport.code") in of_ours
    unknown = "https://example.org/StructureDefinition/of-nobody"
    assert errors(ask(door, "/$validate", report, profile=unknown)) == [("unknown-profile", "DiagnosticReport")]
    claims = {**report, "meta": {"profile": [unknown]}}
    (warning,) = ask(door, "/$validate", claims)
    assert (warning["severity"], warning["expression"]) == ("warning", ["DiagnosticReport.meta.profile[0]"])


@pytest.mark.requirement("OP-04")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "not-json"),
        (b'{"resourceType":', "not-json"),
        (b"[]", "invalid-element"),
        (b"", "no-resource"),
        (b'{"resourceType":"Nope"}', "unknown-type"),
        (b'{"resourceType":"Patient","id":"a","id":"b"}', "duplicate-key"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "too-deep"),
        (b'{"resourceType":"Procedure","status":"completed","occurrenceDateTime":"2020","used":[]}', "fhir-version"),
    ],
)
def test_what_is_no_resource_of_r4_is_said_with_200(door: Door, body: bytes, code: str) -> None:
    assert code in [found for found, _ in errors(ask(door, "/$validate", body))]


@pytest.mark.requirement("OP-04")
def test_nothing_is_stored_and_nothing_is_queued(door: Door) -> None:
    patient = {"resourceType": "Patient", "id": "canary", "identifier": [{"system": "urn:x:y", "value": "1"}]}
    for body in (patient, parameters(resource=patient, mode="create"), json.loads(case("V01"))):
        ask(door, "/$validate", body)
    assert door.client.get("/Patient/canary").status_code == 404
    assert door.client.get("/Patient", params={"identifier": "urn:x:y|1"}).json().get("entry", []) == []


def test_a_stored_resource_is_validated_as_it_is(door: Door) -> None:
    sent = {"resourceType": "Patient", "gender": "male", "birthDate": "1970-02-30"}
    place = door.client.post("/Patient", json=sent, headers=FHIR_JSON).headers["Location"]
    address = place.removeprefix(door.base).partition("/_history")[0]
    found = errors(ask(door, f"{address}/$validate", b""))
    assert found == [("invalid-element", "Patient.birthDate")]
    other = {"resourceType": "Patient", "id": "another"}
    assert errors(ask(door, f"{address}/$validate", other, mode="update")) == [("invalid-element", "Patient.id")]
    assert door.client.post("/Patient/none/$validate", headers=FHIR_JSON).status_code == 404


@pytest.mark.requirement("OP-04")
def test_the_type_of_the_address_counts(door: Door) -> None:
    assert errors(ask(door, "/Patient/$validate", OBSERVATION)) == [("invalid-element", "Observation.resourceType")]
    assert door.client.post("/Nope/$validate", json=OBSERVATION, headers=FHIR_JSON).status_code == 404


@pytest.mark.requirement("OP-03")
@pytest.mark.parametrize("address", ["/$validate", "/Observation/$validate", "/$correlate"])
@pytest.mark.parametrize(
    ("listed", "at"),
    [
        ([{"name": "canary", "valueString": "canary"}], 0),
        ([{"name": "profile", "valueUri": "a"}, {"name": "profile", "valueUri": "b"}], 1),
        ([{"name": "store", "valueBoolean": True}, {"name": "store", "valueBoolean": False}], 1),
        ([{"name": "store", "valueString": "canary"}], 0),
        ([{"name": "resource", "valueString": "canary"}], 0),
        ([{"valueString": "canary"}], 0),
        (["canary"], 0),
    ],
)
def test_parameters_that_an_operation_does_not_take(door: Door, address: str, listed: list[Any], at: int) -> None:
    body = json.dumps({"resourceType": "Parameters", "parameter": listed})
    answer = door.client.post(address, content=body, headers=FHIR_JSON)
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    takes = CORRELATE_TAKES if address == "/$correlate" else TAKES
    known = isinstance(listed[0], dict) and listed[0].get("name") in takes
    assert issue["expression"] == [f"Parameters.parameter[{at if known else 0}]"]
    assert "canary" not in answer.text


@pytest.mark.requirement("OP-01", "OP-02")
def test_the_definitions_say_what_the_operations_take() -> None:
    definitions = {one["id"]: one for one in operation_definitions(software_version="0.1.0")}
    stated = {id_: [one["name"] for one in definition["parameter"]] for id_, definition in definitions.items()}
    assert set(stated["validate"]) == {*TAKES, "return"}
    assert {*stated["correlate"]} - {"return"} <= CORRELATE_TAKES.keys()
    for definition in definitions.values():
        assert definition["code"]
        assert {"system", "type", "instance", "affectsState"} <= definition.keys()
        for one in definition["parameter"]:
            assert {"name", "use", "min", "max", "type"} <= one.keys()
    assert definitions["correlate"]["system"]
    assert definitions["patient-correlate"]["instance"]
    assert definitions["correlate"]["affectsState"]
    assert not definitions["validate"]["affectsState"]


@pytest.mark.requirement("OP-02")
def test_what_changes_state_is_not_asked_by_get(door: Door) -> None:
    for address in ("/$correlate", "/Patient/1/$correlate", "/$validate"):
        answer = door.client.get(address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.requirement("OP-01")
def test_artefacts_are_read_and_searched(door: Door) -> None:
    statement = door.client.get("/metadata").json()["rest"][0]
    listed = {row["type"]: [one["code"] for one in row["interaction"]] for row in statement["resource"]}
    for type_ in ("CodeSystem", "ValueSet", "ConceptMap", "StructureDefinition", "OperationDefinition"):
        assert listed[type_] == ["read", "search-type"]
        every = door.client.get(f"/{type_}").json()
        assert every["total"] == len(every["entry"]) > 0
        for entry in every["entry"]:
            found = door.client.get(entry["fullUrl"])
            assert found.json() == entry["resource"]
            by_url = door.client.get(f"/{type_}", params={"url": entry["resource"]["url"]}).json()
            assert [one["fullUrl"] for one in by_url["entry"]] == [entry["fullUrl"]]
        assert door.client.get(f"/{type_}/none").status_code == 404
        assert door.client.get(f"/{type_}", params={"_id": "none"}).json()["total"] == 0


def test_the_twelve_code_systems_hold_every_code_of_an_answer(door: Door) -> None:
    systems = {one["resource"]["url"]: one["resource"] for one in door.client.get("/CodeSystem").json()["entry"]}
    assert len(systems) == 12
    codes = {url: {concept["code"] for concept in system["concept"]} for url, system in systems.items()}
    answer = door.correlate(case("V01"))
    for coding in _codings(answer):
        if coding.get("system") in codes:
            assert coding["code"] in codes[coding["system"]]


def _codings(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [one for item in value for one in _codings(item)]
    if isinstance(value, dict):
        own = [value] if {"system", "code"} <= value.keys() else []
        return own + [one for item in value.values() for one in _codings(item)]
    return []


def test_a_job_is_validated_as_the_task_that_it_is_shown_as(door: Door) -> None:
    stored = door.client.post("/Patient", content=b'{"resourceType":"Patient"}', headers=FHIR_JSON)
    task = stored.headers["Link"].partition("/fhir/")[2].partition(">")[0]
    assert errors(ask(door, f"/{task}/$validate", b"")) == []
    assert errors(ask(door, f"/{task}/$validate", {"resourceType": "Task"})) != []
    assert door.client.post("/Task/nothing/$validate").status_code == 404
