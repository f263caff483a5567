"""The main job, as a stranger meets it: the real `fillertrace serve`, HTTP, a bundle in, a DiagnosticReport out."""

import copy
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.client import PATIENCE, Client, Json, someone_else
from tests.examples import CASE_IDS, SYNTHEA, case_bundle, case_bytes, case_expected

IMAGING = {"ImagingStudy", "DiagnosticReport"}


def parts_of(record: bytes) -> tuple[Json, Json]:
    """A record in two deliveries: all but the imaging, and the Patient with the imaging."""
    bundle = json.loads(record)
    imaging, rest = copy.deepcopy(bundle), copy.deepcopy(bundle)
    imaging["entry"] = [entry for entry in bundle["entry"] if _is_imaging(entry["resource"])]
    rest["entry"] = [entry for entry in bundle["entry"] if not _is_imaging(entry["resource"])]
    imaging["entry"].insert(0, next(one for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient"))
    return rest, imaging


def _is_imaging(resource: Json) -> bool:
    categories = json.dumps(resource.get("category", []))
    return resource["resourceType"] in IMAGING or '"imaging"' in categories


def resources(bundle: Json, type_: str) -> list[Json]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == type_]


def attribution(bundle: Json) -> str:
    code: str = resources(bundle, "Observation")[0]["valueCodeableConcept"]["coding"][0]["code"]
    return code


def report_of(bundle: Json) -> Json:
    report: Json = bundle["entry"][0]["resource"]
    assert report["resourceType"] == "DiagnosticReport"
    return report


def first_issue(answer: httpx.Response) -> tuple[str, list[str]]:
    issue = answer.json()["issue"][0]
    assert issue["severity"] == "error"
    assert len(issue["details"]["text"]) > 20
    return issue["details"]["coding"][0]["code"], issue.get("expression", [])


def test_the_published_case_over_http(client: Client) -> None:
    accepted = client.post(someone_else(case_bytes("V01")), Prefer="respond-async")
    assert accepted.status_code == 202
    entry = client.poll(accepted.headers["Content-Location"])
    assert entry["response"]["status"].startswith("200")
    result = entry["resource"]
    assert attribution(result) == "explained"
    report = report_of(result)
    assert [one["id"] for one in client.reports_of(report["subject"]["reference"])] == [report["id"]]
    read = client.http.get(f"/DiagnosticReport/{report['id']}")
    assert read.json()["conclusion"] == report["conclusion"]
    assert report["status"] == "preliminary"


def test_the_answer_can_be_waited_for(client: Client) -> None:
    assert attribution(client.correlate(someone_else(case_bytes("V01")))) == "explained"


def test_imaging_first_then_the_injection(client: Client) -> None:
    history, imaging = parts_of(someone_else(case_bytes("V01")))
    first = client.correlate(imaging)
    assert report_of(first)["meta"]["versionId"] == "1"
    assert attribution(first) != "explained"
    second = client.correlate(history)
    assert report_of(second)["id"] == report_of(first)["id"]
    assert report_of(second)["meta"]["versionId"] == "2"
    assert attribution(second) == "explained"
    assert len(client.reports_of(report_of(second)["subject"]["reference"])) == 1


def test_the_injection_first_then_imaging(client: Client) -> None:
    record = someone_else(case_bytes("V01"))
    history, imaging = parts_of(record)
    first = client.correlate(history)
    assert resources(first, "DiagnosticReport") == []
    issues = resources(first, "OperationOutcome")[0]["issue"]
    assert "no-imaging" in {issue["details"]["coding"][0]["code"] for issue in issues}
    second = client.correlate(imaging)
    assert report_of(second)["meta"]["versionId"] == "1"
    assert attribution(second) == "explained"
    whole = client.correlate(someone_else(case_bytes("V01")))
    assert report_of(second)["conclusion"] == report_of(whole)["conclusion"]


def test_the_same_body_twice(client: Client) -> None:
    record = someone_else(case_bytes("V01"))
    locations = {client.post(record, Prefer="respond-async").headers["Content-Location"] for _ in range(2)}
    assert len(locations) == 1
    client.poll(locations.pop())
    first, second = client.correlate(record), client.correlate(record)
    assert first == second
    assert report_of(first)["meta"]["versionId"] == "1"


def test_a_repeat_answers_with_the_current_report(client: Client) -> None:
    history, imaging = parts_of(someone_else(case_bytes("V01")))
    client.correlate(imaging)
    client.correlate(history)
    again = client.correlate(imaging)
    assert (report_of(again)["meta"]["versionId"], attribution(again)) == ("2", "explained")


def test_our_own_answer_sent_back_changes_nothing(client: Client) -> None:
    result = client.correlate(someone_else(case_bytes("V01")))
    again = client.correlate(result)
    assert report_of(again)["meta"]["versionId"] == report_of(result)["meta"]["versionId"]
    assert report_of(again)["id"] == report_of(result)["id"]


def test_two_patients_called_1_stay_two(client: Client) -> None:
    people = []
    for _ in range(2):
        host = f"https://clinic-{uuid4().hex[:8]}.example/fhir"
        patient = {"resourceType": "Patient", "id": "1"}
        study = {
            "resourceType": "ImagingStudy",
            "id": "1",
            "status": "available",
            "subject": {"reference": "Patient/1"},
        }
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [
                {"fullUrl": f"{host}/Patient/1", "resource": patient},
                {"fullUrl": f"{host}/ImagingStudy/1", "resource": study},
            ],
        }
        people.append(report_of(client.correlate(bundle))["subject"]["reference"])
    assert len(set(people)) == 2


def test_one_number_with_two_birth_dates_is_refused(client: Client) -> None:
    identifier = [{"system": f"https://{uuid4().hex}.example/mrn", "value": "1"}]

    def record(birth: str) -> Json:
        patient = {"resourceType": "Patient", "identifier": identifier, "birthDate": birth}
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}

    client.correlate(record("1970-01-01"))
    refused = client.post(record("1980-01-01"))
    assert refused.status_code == 422
    assert first_issue(refused) == ("patient-conflict", ["Bundle.entry[0].resource.birthDate"])


def test_a_transaction_starts_the_same_work(client: Client) -> None:
    bundle = case_bundle("V01-text")
    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            for identifier in entry["resource"].get("identifier", []):
                identifier["system"] = f"https://{uuid4().hex}.example/mrn"
    answer = client.post(bundle, path="")
    assert answer.status_code == 200, answer.text
    responses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert len(responses) == len(bundle["entry"])
    assert set(responses) == {"201"}
    task_url = answer.headers["Link"].split(">")[0].lstrip("<")
    deadline = time.monotonic() + PATIENCE
    while (task := client.http.get(task_url).json())["status"] not in {"completed", "failed"}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert task["status"] == "completed"
    assert len(client.reports_of(task["for"]["reference"])) == 1


def _record(*entries: Json, **changes: Any) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": entry} for entry in entries],
        **changes,
    }


PATIENT: Json = {"resourceType": "Patient", "id": "p", "birthDate": "1970-01-01"}
SUBJECT: Json = {"reference": "Patient/p"}


@pytest.mark.parametrize(
    ("body", "status", "detail", "expression"),
    [
        (b"{", 400, "not-json", []),
        (b"\xff\xfe", 400, "not-json", []),
        (b'{"a":' * 200 + b"1" + b"}" * 200, 400, "too-deep", []),
        (b"[]", 422, "not-a-bundle", ["Bundle.resourceType"]),
        (_record(entry=[]), 422, "empty-bundle", ["Bundle.entry"]),
        (_record({"resourceType": "Observation"}), 422, "no-patient", ["Bundle.entry"]),
        (
            _record(PATIENT, {**PATIENT, "id": "q"}),
            422,
            "two-patients",
            ["Bundle.entry[0].resource", "Bundle.entry[1].resource"],
        ),
        (b" " * (33 * 1024 * 1024), 413, "too-large", []),
    ],
    ids=["cut off", "not UTF-8", "deep", "list", "empty", "nobody", "two people", "large"],
)
def test_what_is_refused(client: Client, body: Json | bytes, status: int, detail: str, expression: list[str]) -> None:
    answer = client.post(body)
    assert answer.status_code == status, answer.text
    assert first_issue(answer) == (detail, expression)


def test_another_fhir_version_is_recognised(client: Client) -> None:
    newer = {
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": SUBJECT,
        "basedOn": [{"reference": "ServiceRequest/1"}],
        "series": [{"uid": "1.2", "modality": {"coding": [{"code": "CT"}]}}],
    }
    answer = client.post(_record(PATIENT, newer))
    assert answer.status_code == 422, answer.text
    detail, expression = first_issue(answer)
    assert detail == "fhir-version"
    assert expression[0].startswith("Bundle.entry[1].resource")


STUDY: Json = {
    "resourceType": "ImagingStudy",
    "status": "available",
    "subject": SUBJECT,
    "started": "2025-03-01",
    "series": [{"uid": "1.2.3", "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}}],
}


def _procedure(**changes: Any) -> Json:
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": {"text": "Radiesse filler injection, cheeks"},
        "subject": SUBJECT,
        **changes,
    }


def _calcium(**changes: Any) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}], "text": "Calcium"},
        "subject": SUBJECT,
        "effectiveDateTime": "2025-02-01",
        "valueQuantity": {"value": 9.4, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        **changes,
    }


@pytest.mark.parametrize(
    ("extra", "detail"),
    [
        (_procedure(), "no-date"),
        (_calcium(valueQuantity={"value": 9.4}), "no-unit"),
        (_calcium(valueQuantity={"value": 9.4, "unit": "bananas", "code": "bananas"}), "unknown-unit"),
        ({"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": SUBJECT}, "unknown-type"),
        ({key: value for key, value in STUDY.items() if key != "series"}, "no-series"),
        (_calcium(effectiveDateTime="1950-01-01"), "impossible-date"),
        (_calcium(effectiveDateTime="2999-01-01"), "impossible-date"),
        (_calcium(derivedFrom=[{"reference": "Observation/nowhere"}]), "dangling-reference"),
        (_calcium(colour="red"), "unknown-field"),
    ],
    ids=["no date", "no unit", "unit", "type", "series", "before birth", "future", "dangling", "field"],
)
def test_what_is_taken_with_an_issue(client: Client, extra: Json, detail: str) -> None:
    result = client.correlate(_record({**PATIENT, "id": "p"}, STUDY, extra))
    assert report_of(result)["resourceType"] == "DiagnosticReport"
    issues = [issue for outcome in resources(result, "OperationOutcome") for issue in outcome["issue"]]
    found = [issue for issue in issues if issue["details"]["coding"][0]["code"] == detail]
    assert found, [issue["details"]["coding"][0]["code"] for issue in issues]
    assert found[0]["expression"]


def test_a_key_named_twice_is_taken_with_an_issue(client: Client) -> None:
    record = json.dumps(_record(PATIENT, STUDY)).replace('"started": ', '"started": "2024-01-01", "started": ')
    issues = resources(client.correlate(record.encode()), "OperationOutcome")[0]["issue"]
    assert "duplicate-key" in {issue["details"]["coding"][0]["code"] for issue in issues}


@pytest.mark.parametrize("case", CASE_IDS)
def test_no_public_case_crashes_or_is_explained_against_the_evidence(client: Client, case: str) -> None:
    result = client.correlate(someone_else(case_bytes(case)))
    if case_expected(case)["expected_filler_attribution"] == "not-explained":
        assert attribution(result) != "explained"


@pytest.mark.parametrize("file", sorted(SYNTHEA.glob("*.json")), ids=lambda file: file.name.split("_")[0])
def test_real_shaped_patients_are_taken_calmly(client: Client, file: Path) -> None:
    result = client.correlate(file.read_bytes())
    if resources(result, "DiagnosticReport"):
        assert attribution(result) == "indeterminate"
    alerts = [one for one in resources(result, "Observation") if one["code"]["coding"][0]["code"] == "alert"]
    assert alerts == []
