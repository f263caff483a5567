"""The service at home beside a real HAPI server: nobody types a command, and the reports come, once, and stay right."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fhirpy import SyncFHIRClient

from tests.examples import case_bytes
from tests.sandbox import NAME, Sandbox, at_home, load, sign, waited_for
from tests.servers.hapi import HapiServer

FHIR_JSON = {"Content-Type": "application/fhir+json"}
STUDIES = ("ImagingStudy", "DiagnosticReport")
WATCHED_SECONDS = 60
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def sandbox(hapi_server: HapiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with at_home(hapi_server.base_url, tmp_path_factory.mktemp("home")) as sandbox:
        yield sandbox


def person(case_id: str = "V01") -> dict[str, Any]:
    """A case as the record of somebody who is nobody else."""
    record = case_bytes(case_id).replace(b"ehr.example.org", f"ehr-{uuid4().hex}.example.org".encode())
    found: dict[str, Any] = json.loads(record)
    return found


def report_of(sandbox: Sandbox, patient: str, *, seconds: float = 60) -> dict[str, Any]:
    report = waited_for(lambda: sandbox.report_in_hapi(patient), seconds=seconds)
    assert report is not None, "no report came back"
    found: dict[str, Any] = report
    return found


def report_here(sandbox: Sandbox, report_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{sandbox.fillertrace}/DiagnosticReport/{report_id}").json()
    return found


def jobs(sandbox: Sandbox) -> dict[str, float]:
    """How many jobs there are, by status."""
    lines = httpx.get(sandbox.fillertrace.replace("/fhir", "/metrics")).text.splitlines()
    rows = [line.rsplit(" ", 1) for line in lines if line.startswith("fillertrace_jobs{")]
    return {name: float(number) for name, number in rows}


def searched(sandbox: Sandbox, type_: str, patient: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{sandbox.hapi}/{type_}", params={"patient": patient}, headers={"Cache-Control": "no-cache"})
    return [entry["resource"] for entry in answer.json()["entry"]]


def add_lab(sandbox: Sandbox, patient: str, *, code: str, text: str, value: float, unit: str) -> None:
    """A laboratory result arrives in the EHR."""
    answer = httpx.post(
        f"{sandbox.hapi}/Observation",
        json={
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {
                    "coding": [
                        {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
                    ]
                }
            ],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": text},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-11-20",
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        },
        headers=FHIR_JSON,
    )
    assert answer.status_code == 201, answer.text


def add_hypercalcaemia(sandbox: Sandbox, patient: str) -> None:
    add_lab(sandbox, patient, code="17861-6", text="Calcium", value=13.2, unit="mg/dL")


def later_version(sandbox: Sandbox, report_id: str, *, than: str) -> dict[str, Any]:
    """The report here once it has a version after this one."""

    def found() -> dict[str, Any] | None:
        report = report_here(sandbox, report_id)
        return report if report["meta"]["versionId"] != than else None

    report = waited_for(found, seconds=60)
    assert report is not None, "no new version came"
    newer: dict[str, Any] = report
    return newer


def test_the_published_case_comes_back_as_a_report_within_seconds_of_the_ct(sandbox: Sandbox) -> None:
    """Loaded resource by resource with fhirpy, what can wait for the study last; no command is typed."""
    client = SyncFHIRClient(sandbox.hapi)
    names: dict[str, str] = {}
    waiting = sorted(person()["entry"], key=lambda entry: entry["resource"]["resourceType"] in STUDIES)
    while waiting:
        entry = next(one for one in waiting if set(_references(one)) <= names.keys())
        waiting.remove(entry)
        content = entry["resource"]
        resource = client.resource(content["resourceType"], **_without_id(_renamed(content, names)))
        resource.save()
        created = f"{content['resourceType']}/{resource.id}"
        names |= {entry["fullUrl"]: created, f"{content['resourceType']}/{content.get('id')}": created}
    arrived = time.monotonic()
    patient = next(name for name in names.values() if name.startswith("Patient/")).partition("/")[2]

    def explained() -> bool | None:
        report = sandbox.report_in_hapi(patient)
        return True if report and sandbox.attribution_in_hapi(report) == "explained" else None

    assert waited_for(explained, seconds=60), "no report says so"
    assert time.monotonic() - arrived < 30
    report = report_of(sandbox, patient)
    assert report["conclusionCode"][0]["coding"][0]["code"] == "filler_caha"
    assert report["status"] == "preliminary"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from [one] if key == "reference" else _references(one)


def _without_id(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("id", "resourceType")}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {key: names.get(one, one) if key == "reference" else _renamed(one, names) for key, one in value.items()}
    return value


def test_what_we_write_back_starts_no_job_and_changes_nothing_when_it_comes_again(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    report = report_of(sandbox, patient)
    here = report_here(sandbox, report["id"])
    before = jobs(sandbox)
    time.sleep(WATCHED_SECONDS)
    assert jobs(sandbox) == before
    assert report_of(sandbox, patient) == report

    record = httpx.get(f"{sandbox.hapi}/Patient/{patient}/$everything", params={"_count": "200"}).json()
    assert any(entry["resource"]["id"] == report["id"] for entry in record["entry"])
    again = httpx.post(f"{sandbox.fillertrace}/$correlate", json=record, headers=FHIR_JSON, timeout=60)
    assert again.json()["entry"][0]["resource"]["conclusion"] == here["conclusion"]
    fetched = httpx.post(
        f"{sandbox.fillertrace}/{here['subject']['reference']}/$correlate",
        json={"resourceType": "Parameters", "parameter": [{"name": "source", "valueString": NAME}]},
        headers={**FHIR_JSON, "Prefer": "wait=60"},
        timeout=90,
    )
    assert fetched.status_code == 200, fetched.text
    assert report_here(sandbox, report["id"]) == here
    assert report_of(sandbox, patient) == report


def test_news_makes_a_new_version_of_the_same_report(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    report = report_of(sandbox, patient)
    add_hypercalcaemia(sandbox, patient)
    newer = waited_for(
        lambda: there if (there := report_of(sandbox, patient))["conclusion"] != report["conclusion"] else None,
        seconds=60,
    )
    assert newer is not None, "no new version came"
    assert newer["id"] == report["id"]


def test_a_signature_reaches_the_ehr_and_news_after_it_says_that_it_was_changed(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    report = report_of(sandbox, patient)
    assert sign(sandbox, report["id"])
    add_hypercalcaemia(sandbox, patient)
    amended = waited_for(
        lambda: there if (there := report_of(sandbox, patient))["status"] == "amended" else None, seconds=60
    )
    assert amended is not None
    assert amended["conclusion"].startswith("Changed by software on ")
    assert "resultsInterpreter" not in amended


def test_what_a_person_has_edited_in_the_ehr_is_left_alone(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    report = report_of(sandbox, patient)
    edited = {**report, "conclusion": "Seen with the patient; she agrees."}
    httpx.put(f"{sandbox.hapi}/DiagnosticReport/{report['id']}", json=edited, headers=FHIR_JSON).raise_for_status()
    before = report_here(sandbox, report["id"])["meta"]["versionId"]
    add_hypercalcaemia(sandbox, patient)
    later_version(sandbox, report["id"], than=before)
    wait_for_log(sandbox, event="written-back", report=report["id"], outcome="edited-there")
    assert report_of(sandbox, patient)["conclusion"] == edited["conclusion"]


def wait_for_log(sandbox: Sandbox, **wanted: str) -> None:
    def said() -> bool | None:
        lines = [json.loads(line) for line in sandbox.log.read_text().splitlines() if line.startswith("{")]
        return True if any(wanted.items() <= line.items() for line in lines) else None

    assert waited_for(said, seconds=60), f"the log does not say {wanted}"


def test_a_filler_that_was_entered_in_error_counts_no_longer(sandbox: Sandbox) -> None:
    patient = load(sandbox, person())
    report = report_of(sandbox, patient)
    for procedure in searched(sandbox, "Procedure", patient):
        address = f"{sandbox.hapi}/Procedure/{procedure['id']}"
        httpx.put(address, json={**procedure, "status": "entered-in-error"}, headers=FHIR_JSON).raise_for_status()

    def changed() -> str | None:
        there = report_of(sandbox, patient)
        said = sandbox.attribution_in_hapi(there)
        return said if there["id"] == report["id"] and said != "explained" else None

    assert waited_for(changed, seconds=60) is not None
