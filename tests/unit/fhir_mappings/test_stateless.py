"""One bundle the whole way, over every public case: shape, validity, and what each report must say."""

import base64
import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from fhir_mappings import canonical
from fhir_mappings.bundle import BundleRejected
from fhir_mappings.own_output import is_own_output
from fhir_mappings.stateless import StatelessResult
from tests.correlated import correlate_bundle
from tests.servers.hapi import HapiValidator
from tests.unit.fhir_mappings.validity import assert_valid

CASES = Path(__file__).resolve().parents[2] / "examples" / "cases"
NAMES = sorted(path.name.removesuffix(".bundle.json") for path in CASES.glob("*.bundle.json"))
NEVER = ("benign", "excluded", "no follow-up needed", "no disease")


@cache
def knowledge() -> Knowledge:
    return load_knowledge()


def correlate(raw: bytes) -> StatelessResult:
    return correlate_bundle(
        raw,
        knowledge=knowledge(),
        as_of=date(2026, 11, 1),
        issued=datetime(2026, 11, 1, tzinfo=UTC),
        software_version="0.1.0",
    )


@cache
def solved(name: str) -> StatelessResult:
    return correlate((CASES / f"{name}.bundle.json").read_bytes())


def resources(result: StatelessResult) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in result.bundle["entry"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_case_gives_a_valid_report(name: str, hapi_validator: HapiValidator) -> None:
    made = resources(solved(name))
    assert made[0]["resourceType"] == "DiagnosticReport"
    assert made[1]["resourceType"] == "Patient"
    assert_valid([item for item in made if item["resourceType"] != "Patient"], hapi_validator)
    assert [item for item in hapi_validator.validate(solved(name).bundle) if item.is_error] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_report_says_what_it_must(name: str) -> None:
    result = solved(name)
    report = resources(result)[0]
    text = base64.b64decode(report["presentedForm"][0]["data"]).decode()
    assert text == result.html
    for words in (
        "Do the recorded fillers explain",
        "not a diagnosis",
        "for review by a licensed clinician",
        "No alert does not mean no emergency",
        "Missing:",
        "Limitations",
        "Fillertrace 0.1.0, knowledge edition",
    ):
        assert words in text, words
    for finding in result.assessment.findings:
        for seen in finding.finding.seen:
            assert seen.source.reference in text
    for cause in result.assessment.differential:
        assert cause.name.replace("'", "&#39;") in text
    conclusion = report["conclusion"].casefold()
    assert not [word for word in NEVER if word in conclusion]
    assert "not a diagnosis" in conclusion


@pytest.mark.parametrize("name", NAMES)
def test_caha_is_always_among_the_causes(name: str) -> None:
    shown = [
        item["code"]["coding"][0]["code"]
        for item in resources(solved(name))
        if item["resourceType"] == "Observation" and item["code"]["coding"][0]["system"] == canonical.CAUSE
    ]
    assert "filler_caha" in shown


@pytest.mark.parametrize("name", ["V01", "V01-text", "V02"])
def test_the_published_case_is_explained(name: str) -> None:
    report, *_ = made = resources(solved(name))
    assert report["conclusionCode"][0]["coding"][0]["code"] == "filler_caha"
    (attribution,) = [
        item
        for item in made
        if item["resourceType"] == "Observation" and item["code"]["coding"][0]["code"] == "filler-attribution"
    ]
    assert attribution["valueCodeableConcept"]["coding"][0]["code"] == "explained"


def test_references_keep_the_form_of_the_input() -> None:
    assert resources(solved("V01"))[0]["subject"]["reference"] == "Patient/5870057"
    assert resources(solved("V02"))[0]["subject"]["reference"].startswith("urn:uuid:")


def test_the_same_patient_has_the_same_report_and_the_patient_is_as_received() -> None:
    raw = (CASES / "V01.bundle.json").read_bytes()
    again = correlate(raw)
    assert again.bundle == solved("V01").bundle
    received = json.loads(raw)["entry"][0]["resource"]
    assert resources(again)[1] == received


def test_only_what_we_made_is_known_as_ours() -> None:
    ours = [item["resourceType"] for item in resources(solved("V01")) if is_own_output(item)]
    assert "Patient" not in ours
    assert {"DiagnosticReport", "Observation", "Provenance", "Device", "Organization"} == set(ours)


def bundle(*entries: dict[str, Any]) -> bytes:
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in entries]}
    ).encode()


def test_no_imaging_gives_an_outcome_and_the_patient(hapi_validator: HapiValidator) -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    procedure = {
        "resourceType": "Procedure",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Radiesse injection, cheeks"},
    }
    result = correlate(bundle(patient, procedure))
    assert [item["resourceType"] for item in resources(result)] == ["OperationOutcome", "Patient"]
    assert "No imaging on record" in result.html
    assert_valid([result.bundle], hapi_validator)


def test_two_patients_are_refused() -> None:
    with pytest.raises(BundleRejected) as refused:
        correlate(bundle({"resourceType": "Patient", "id": "a"}, {"resourceType": "Patient", "id": "b"}))
    assert [issue.detail for issue in refused.value.issues] == ["two-patients"]


def test_a_patient_known_by_identifier_alone(hapi_validator: HapiValidator) -> None:
    subject = {"identifier": {"system": "https://ehr.example.org/mrn", "value": "1"}}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "CT face"},
        "category": [{"coding": [{"system": canonical.DIAGNOSTIC_SERVICE, "code": "RAD"}]}],
        "subject": subject,
        "effectiveDateTime": "2019",
        "conclusion": "Calcific plaques in the subcutaneous fat of both cheeks.",
    }
    made = resources(correlate(bundle(report)))
    assert made[0]["subject"]["identifier"] == subject["identifier"]
    assert_valid(made, hapi_validator)
