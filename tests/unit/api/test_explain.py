"""`$explain` says the same as the report it explains, and everything that the report leaves out."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from fhir.resources.R4B import get_fhir_model_class

from store.tables import report_resources, report_versions
from tests.examples import CASE_IDS, case_bytes
from tests.servers.hapi import HapiValidator
from tests.unit.api.service import FHIR_JSON, KNOWLEDGE, Door

Json = dict[str, Any]
OURS = "https://fillertrace.example/fhir"
STRENGTH = f"{OURS}/StructureDefinition/answer-strength"
SIDES = ("for", "against", "neither", "unknown")
WITH_HAPI = ("V01", "V07")


def _explained(door: Door, report_id: str) -> Json:
    answer = door.client.get(f"/DiagnosticReport/{report_id}/$explain")
    assert answer.status_code == 200, answer.text
    explanation: Json = answer.json()
    return explanation


def _named(parameters: list[Json], name: str) -> list[Json]:
    return [one for one in parameters if one["name"] == name]


def _value(parameters: list[Json], name: str) -> Any:
    (one,) = _named(parameters, name)
    return next(value for key, value in one.items() if key.startswith("value"))


def _code(concept: Json) -> str:
    code: str = concept["coding"][0]["code"]
    return code


def _causes(explanation: Json) -> dict[str, Json]:
    """Per cause its category and, per question, reply, strength and words."""
    found = {}
    for cause in _named(explanation["parameter"], "cause"):
        parts = cause["part"]
        answers = {
            _code(_value(answer["part"], "question")): (
                _code(_value(answer["part"], "reply")),
                _value(answer["part"], "strength"),
            )
            for side in SIDES
            for answer in _named(parts, side)
        }
        found[_code(_value(parts, "code"))] = {
            "category": _code(_value(parts, "category")),
            "in_report": _value(parts, "inReport"),
            "answers": answers,
        }
    return found


def _of_report(observations: list[Json]) -> dict[str, Json]:
    """The same from the report's Observations."""
    return {
        _code(one["code"]): {
            "category": _code(one["valueCodeableConcept"]),
            "in_report": True,
            "answers": {
                _code(component["code"]): (
                    _code(component["valueCodeableConcept"]),
                    next(item["valueCode"] for item in component["extension"] if item["url"] == STRENGTH),
                )
                for component in one.get("component", ())
            },
        }
        for one in observations
        if one["code"]["coding"][0]["system"] == f"{OURS}/CodeSystem/cause"
    }


def _kind(observation: Json) -> str:
    system = f"{OURS}/CodeSystem/result"
    kind: str = next(one["code"] for one in observation["code"]["coding"] if one["system"] == system)
    return kind


@pytest.mark.requirement("OP-05")
def test_it_says_what_the_report_says_and_every_cause_beside(door: Door) -> None:
    for case_id in CASE_IDS:
        bundle = door.correlate(case_bytes(case_id))
        resources = [entry["resource"] for entry in bundle["entry"]]
        report, observations = resources[0], [one for one in resources if one["resourceType"] == "Observation"]
        # A case may share its patient with another: then the report is the living one, and is explained as such.
        explanation = _explained(door, report["id"])
        parameters = explanation["parameter"]
        get_fhir_model_class("Parameters").model_validate(explanation)
        causes = _causes(explanation)
        assert set(causes) == set(KNOWLEDGE.causes), case_id
        shown = {name: one for name, one in causes.items() if one["in_report"]}
        results = {one["reference"].rpartition("/")[2] for one in report["result"]}
        assert shown == _of_report([one for one in observations if one["id"] in results]), case_id
        by_kind: dict[str, list[str]] = {}
        for one in observations:
            if one["id"] in results:
                by_kind.setdefault(_kind(one), []).append(_code(one["valueCodeableConcept"]))
        assert [_code(_value(parameters, "attribution"))] == by_kind["filler-attribution"]
        alerts = [_code(_value(one["part"], "code")) for one in _named(parameters, "alert")]
        assert alerts == by_kind.get("alert", [])
        findings = [_code(_value(one["part"], "attribution")) for one in _named(parameters, "finding")]
        assert findings == by_kind.get("finding-attribution", [])
        assert _value(parameters, "reproduced") is True
        assert _value(parameters, "conclusion") == report["conclusion"]


def test_what_could_not_be_seen_is_named_by_class_and_reason(door: Door, hapi_validator: HapiValidator) -> None:
    bundle = json.loads(case_bytes("V01"))
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Procedure":
            entry["resource"]["meta"] = {"security": [{"code": "MASKED"}]}
    report_id = door.correlate(json.dumps(bundle))["entry"][0]["resource"]["id"]
    explanation = _explained(door, report_id)
    (withheld,) = _named(explanation["parameter"], "withheld")
    assert {one["name"]: _value([one], one["name"]) for one in withheld["part"]} == {
        "data": "filler-history",
        "because": "masked",
        "says": "procedures and filler products (sent with parts taken out)",
    }
    assert _code(_value(explanation["parameter"], "attribution")) == "indeterminate"
    assert _value(explanation["parameter"], "reproduced") is True
    (seeing, *_) = _named(explanation["parameter"], "wouldChange")
    assert [one["name"] for one in seeing["part"]] == ["becomes", "says"]
    assert [one for one in hapi_validator.validate(explanation) if one.is_error] == []


@pytest.mark.requirement("OP-05")
def test_every_answer_has_its_side_its_evidence_and_its_source(door: Door) -> None:
    bundle = door.correlate(case_bytes("V01"))
    explanation = _explained(door, bundle["entry"][0]["resource"]["id"])
    parameters = explanation["parameter"]
    sources = {_value(one["part"], "id"): one["part"] for one in _named(parameters, "source")}
    assert all(_value(part, "title") and _value(part, "checked") for part in sources.values())
    sides: dict[str, int] = {}
    for cause in _named(parameters, "cause"):
        for side in SIDES:
            for answer in _named(cause["part"], side):
                sides[side] = sides.get(side, 0) + 1
                strength, reply = _value(answer["part"], "strength"), _code(_value(answer["part"], "reply"))
                assert (reply == "not-known") == (side == "unknown")
                assert strength.endswith(f"-{side}") or side in ("unknown", "neither")
                cited = [one["valueString"] for one in _named(answer["part"], "source")]
                assert cited
                assert set(cited) <= set(sources)
    assert all(sides[side] for side in ("for", "against", "unknown"))
    caha = next(one for one in _named(parameters, "cause") if _code(_value(one["part"], "code")) == "filler_caha")
    evidence = [
        one["valueReference"]["reference"] for part in caha["part"] for one in _named(part.get("part", []), "evidence")
    ]
    assert evidence
    for reference in set(evidence):
        assert door.client.get(f"/{reference}").status_code == 200, reference
    assert any(_named(one["part"], "wouldChange") for one in _named(parameters, "cause"))
    assert _value(parameters, "knowledgeDigest") == KNOWLEDGE.digest
    assert _value(parameters, "knowledgeEdition") == KNOWLEDGE.edition


@pytest.mark.requirement("OP-05")
def test_where_the_software_comes_to_something_else_it_says_so(door: Door) -> None:
    report_id = door.correlate(case_bytes("V01"))["entry"][0]["resource"]["id"]
    with door.database.write() as connection:
        for row in connection.execute(sa.select(report_resources).where(report_resources.c.type == "Observation")):
            content = json.loads(row.content)
            if _kind(content) == "filler-attribution":
                content["valueCodeableConcept"]["coding"][0]["code"] = "not-explained"
                same = sa.update(report_resources).where(report_resources.c.id == row.id)
                connection.execute(same.values(content=json.dumps(content).encode()))
    parameters = _explained(door, report_id)["parameter"]
    assert _value(parameters, "reproduced") is False
    assert "recorded inputs" in _value(parameters, "notReproduced")
    (moved,) = _named(parameters, "moved")
    said = {part["name"]: part["valueString"] for part in moved["part"]}
    assert said == {"about": "the patient", "what": "attribution", "stored": "not-explained", "now": "explained"}


@pytest.mark.requirement("OP-03")
def test_what_it_does_not_take_is_named(door: Door) -> None:
    report_id = door.correlate(case_bytes("V01"))["entry"][0]["resource"]["id"]
    address = f"/DiagnosticReport/{report_id}/$explain"
    assert door.client.get(address, params={"cause": "filler_caha"}).status_code == 400
    empty = {"resourceType": "Parameters"}
    asked = {**empty, "parameter": [{"name": "cause", "valueCode": "filler_caha"}]}
    refused = door.client.post(address, content=json.dumps(asked), headers=FHIR_JSON)
    assert refused.status_code == 400
    issue = refused.json()["issue"][0]
    assert issue["details"]["coding"][0]["code"] == "unknown-parameter"
    assert issue["expression"] == ["Parameters.parameter[0]"]
    for body in ("{", json.dumps({"resourceType": "Patient"})):
        assert door.client.post(address, content=body, headers=FHIR_JSON).status_code == 400
    for body in ("", json.dumps(empty)):
        posted = door.client.post(address, content=body, headers=FHIR_JSON)
        assert posted.json() == _explained(door, report_id)
    assert door.client.get(address, headers={"Accept": "application/fhir+xml"}).status_code == 406
    assert door.client.get(address, params={"_pretty": "true"}).text.startswith("{\n")


def test_only_our_reports_can_be_explained(door: Door) -> None:
    assert door.client.get("/DiagnosticReport/nobody/$explain").status_code == 404
    bundle = door.correlate(case_bytes("V01"))
    report_id = bundle["entry"][0]["resource"]["id"]
    patient = bundle["entry"][0]["resource"]["subject"]["reference"]
    found = door.client.get("/DiagnosticReport", params={"patient": patient}).json()["entry"]
    received = next(entry["resource"]["id"] for entry in found if entry["resource"]["id"] != report_id)
    with door.database.write() as connection:
        connection.execute(sa.update(report_versions).values(basis=None))
    for identity in (received, report_id):
        refused = door.client.get(f"/DiagnosticReport/{identity}/$explain")
        assert refused.status_code == 422
        assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "not-explainable"


@pytest.mark.requirement("OP-05")
@pytest.mark.parametrize("case_id", WITH_HAPI)
def test_hapi_finds_no_error_in_it(case_id: str, door: Door, hapi_validator: HapiValidator) -> None:
    report_id = door.correlate(case_bytes(case_id))["entry"][0]["resource"]["id"]
    found = hapi_validator.validate(_explained(door, report_id))
    assert [one for one in found if one.is_error] == []
