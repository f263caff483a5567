"""An alert holds where no report can be made: the OperationOutcome names it first, by code and words, not by value."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from correlation.knowledge_base import load_knowledge
from tests.correlated import correlate_bundle

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1970-05-05"}
CALCIUM: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "category": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"},
            ]
        }
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-10-20",
    "valueQuantity": {"value": 14.0, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
}
NORMAL_CT: dict[str, Any] = {
    "resourceType": "DiagnosticReport",
    "id": "r1",
    "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "CT"}]}],
    "code": {"text": "CT of the face"},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-10-21",
    "conclusion": "Normal CT of the face. No calcification.",
}


def answer(*resources: dict[str, Any]) -> list[dict[str, Any]]:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in resources]}
    found = correlate_bundle(
        json.dumps(bundle).encode(),
        knowledge=load_knowledge(),
        as_of=date(2026, 11, 1),
        issued=datetime(2026, 11, 1, tzinfo=UTC),
        software_version="test",
    )
    return [entry["resource"] for entry in found.bundle["entry"]]


def codes(resource: dict[str, Any], path: str) -> list[str]:
    issues = resource["issue"]
    assert isinstance(issues, list)
    return [
        coding["code"]
        for issue in issues
        for coding in issue["details"]["coding"]
        if coding["system"].endswith(f"/CodeSystem/{path}")
    ]


def test_without_imaging_the_outcome_names_the_alert_first() -> None:
    outcome = answer(PATIENT, CALCIUM)[0]
    assert outcome["resourceType"] == "OperationOutcome"
    assert codes(outcome, "alert") == ["hypercalcaemia_urgent", "hypercalcaemia"]
    assert codes(outcome, "issue")[0] == "alert-without-report"
    assert "14" not in json.dumps(outcome)


@pytest.mark.parametrize("imaging", [NORMAL_CT], ids=["reported as normal"])
def test_with_normal_imaging_the_report_holds_the_alert(imaging: dict[str, Any]) -> None:
    resources = answer(PATIENT, CALCIUM, imaging)
    assert "Act on the alerts first" in str(resources[0]["conclusion"])
    values = [str(item.get("valueCodeableConcept")) for item in resources if item["resourceType"] == "Observation"]
    assert any("hypercalcaemia_urgent" in value for value in values)
    assert any("not-applicable" in value for value in values)
