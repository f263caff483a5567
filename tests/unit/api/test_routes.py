"""Every route over HTTP, with a real record and a real queue."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import routes
from fhir_mappings.capability import CONFORMANCE_TYPES
from tests.servers.redis import RedisServer
from tests.unit.api.service import ASYNC, FHIR_JSON, Door, case, running_door

OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"
WITHOUT_CALLER = {
    "/fhir/metadata",
    "/fhir/.well-known/smart-configuration",
    *(f"/fhir/{type_}{rest}" for type_ in CONFORMANCE_TYPES for rest in ("", "/{artefact_id}")),
    "/.well-known/jwks.json",
    "/evidence",
    "/notify/{secret}/{server}",  # guarded by the secret in the address
    "/notify/{secret}/{server}/{resource:path}",
    "/health/live",
    "/health/ready",
    "/metrics",
}


def _issue(answer: httpx.Response) -> dict[str, Any]:
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    issue: dict[str, Any] = outcome["issue"][0]
    assert issue["details"]["text"]
    return issue


def _detail(answer: httpx.Response) -> str:
    code: str = _issue(answer)["details"]["coding"][0]["code"]
    return code


def _signed(report: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**report, "status": "final", "resultsInterpreter": [{"display": "Dr A"}], **changes})


def test_every_route_asks_who_calls_but_a_known_few() -> None:
    unguarded = {
        route.path
        for route in routes()
        if not any(one.call.__name__ == "sight_of_who_may" for one in route.dependant.dependencies if one.call)
    }
    assert unguarded == WITHOUT_CALLER


def test_the_limit_and_the_open_access_are_said_aloud(door: Door) -> None:
    rest = door.client.get("/metadata").json()["rest"][0]
    assert "33554432" in rest["documentation"]
    assert "Open access" in rest["security"]["description"]


def test_the_published_case_is_explained(door: Door) -> None:
    bundle = door.correlate(case("V01"))
    types = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert types[:2] == ["DiagnosticReport", "Patient"]
    report = bundle["entry"][0]["resource"]
    assert bundle["entry"][0]["fullUrl"] == f"{door.base}/DiagnosticReport/{report['id']}"
    top = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Observation")
    assert top["valueCodeableConcept"]["coding"][0]["code"] == "explained"
    for entry in bundle["entry"]:
        if entry["fullUrl"].startswith(door.base):
            read = httpx.get(entry["fullUrl"])
            assert read.status_code == 200
            assert read.json() == entry["resource"]
            assert read.headers["etag"] == f'W/"{entry["resource"]["meta"]["versionId"]}"'
            again = httpx.get(entry["fullUrl"], headers={"If-None-Match": read.headers["etag"]})
            assert again.status_code == 304


def test_search_finds_one_of_ours_and_the_radiologist_s(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    patient = report["subject"]["reference"]
    every = door.client.get("/DiagnosticReport", params={"patient": patient}).json()
    ours = door.client.get("/DiagnosticReport", params={"patient": patient, "code": OWN_CODE}).json()
    assert [entry["resource"]["id"] for entry in ours["entry"]] == [report["id"]]
    assert every["total"] > 1
    by_source = {"patient": "https://ehr.example.org/fhir/Patient/5870057", "code": OWN_CODE}
    assert door.client.get("/DiagnosticReport", params=by_source).json()["total"] == 1
    assert door.client.get("/DiagnosticReport", params={"patient": "nobody"}).json()["total"] == 0
    assert door.client.get("/DiagnosticReport").json()["total"] == every["total"]
    strict = door.client.get(
        "/DiagnosticReport", params={"patient": "x", "colour": "red"}, headers={"Prefer": "handling=strict"}
    )
    assert _detail(strict) == "unknown-parameter"


@pytest.mark.requirement("DR-01")
def test_a_report_is_signed_once_and_by_the_version_that_was_read(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    path = f"/DiagnosticReport/{report['id']}"
    assert _detail(door.client.put(path, content=_signed(report), headers=FHIR_JSON)) == "if-match-missing"
    with_version = {**FHIR_JSON, "If-Match": 'W/"1"'}
    changed = door.client.put(path, content=_signed(report, conclusion="All is well."), headers=with_version)
    assert changed.status_code == 422
    assert _issue(changed)["expression"] == ["DiagnosticReport.conclusion"]
    signed = door.client.put(path, content=_signed(report), headers=with_version)
    assert signed.status_code == 200, signed.text
    assert signed.headers["etag"] == 'W/"2"'
    stale = door.client.put(path, content=_signed(report), headers=with_version)
    assert (stale.status_code, stale.headers["etag"]) == (412, 'W/"2"')
    result = door.client.get(f"/{report['result'][0]['reference']}").json()
    assert result["status"] == "final"
    assert door.client.get(f"{path}/_history/1").json()["status"] == "preliminary"


def test_a_withdrawn_report_stays_readable_and_a_new_one_begins(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    path = f"/DiagnosticReport/{report['id']}"
    body = json.dumps({**report, "status": "entered-in-error"})
    withdrawn = door.client.put(path, content=body, headers={**FHIR_JSON, "If-Match": 'W/"1"'})
    assert withdrawn.status_code == 200
    assert door.client.get(path).json()["status"] == "entered-in-error"
    patient = report["subject"]["reference"]
    asked = door.client.post(f"/{patient}/$correlate", headers={"Prefer": "respond-async"})
    status_url = asked.headers["Content-Location"]
    door.run(status_url.rsplit("/", 1)[1])
    fresh = door.client.get(status_url).json()["entry"][0]["resource"]["entry"][0]["resource"]
    assert fresh["id"] != report["id"]
    assert fresh["meta"]["versionId"] == "1"


def test_what_we_made_is_not_changed_and_not_deleted(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    for path in (f"/{report['result'][0]['reference']}", "/Task/x", "/Provenance/x"):
        for method in ("PUT", "DELETE"):
            answer = door.client.request(method, path, headers=FHIR_JSON)
            assert answer.status_code == 405
            assert answer.headers["Allow"] == "GET, HEAD"
            assert _detail(answer) == "method-not-allowed"
    assert door.client.delete(f"/DiagnosticReport/{report['id']}").headers["Allow"] == "GET, HEAD, PUT"


def test_the_status_address_tells_how_the_job_stands(door: Door) -> None:
    accepted = door.client.post("/$correlate", content=case("V01"), headers=ASYNC)
    assert accepted.headers["Preference-Applied"] == "respond-async"
    status_url = accepted.headers["Content-Location"]
    running = door.client.get(status_url)
    assert running.status_code == 202
    assert 0 < len(running.headers["X-Progress"]) < 100
    assert running.headers["Retry-After"]
    task = door.client.get(f"/Task/{status_url.rsplit('/', 1)[1]}").json()
    assert task["status"] == "received"
    assert task["for"]["reference"].startswith("Patient/")


def test_a_cancelled_job_is_gone_and_can_be_started_again(door: Door) -> None:
    status_url = door.client.post("/$correlate", content=case("V01"), headers=ASYNC).headers["Content-Location"]
    job_id = status_url.rsplit("/", 1)[1]
    assert door.client.delete(status_url).status_code == 202
    assert door.client.get(status_url).status_code == 404
    assert door.client.delete(status_url).status_code == 404
    door.run(job_id)
    assert door.client.get(f"/Task/{job_id}").json()["status"] == "cancelled"
    retried = door.client.post(f"/Task/{job_id}/$retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "received")
    door.run(job_id)
    assert door.client.get(f"/Task/{job_id}").json()["status"] == "completed"
    assert _detail(door.client.post(f"/Task/{job_id}/$retry")) == "already-finished"


def test_without_a_worker_the_wait_is_bounded(door: Door) -> None:
    answer = door.client.post("/$correlate", content=case("V01"), headers={**FHIR_JSON, "Prefer": "wait=1"})
    assert answer.status_code == 202
    assert "/async-status/" in answer.headers["Content-Location"]
    assert _detail(answer) == "accepted"


def test_the_same_body_twice_is_one_job(door: Door) -> None:
    first = door.client.post("/$correlate", content=case("V01"), headers=ASYNC)
    second = door.client.post("/$correlate", content=case("V01"), headers=ASYNC)
    assert first.headers["Content-Location"] == second.headers["Content-Location"]


def test_a_key_stands_for_one_body(door: Door) -> None:
    key = {"Idempotency-Key": "3a7c"}
    first = door.client.post("/$correlate", content=case("V01"), headers={**ASYNC, **key})
    assert (
        door.client.post("/$correlate", content=case("V01"), headers={**ASYNC, **key}).headers["Content-Location"]
        == first.headers["Content-Location"]
    )
    other = door.client.post("/$correlate", content=case("V02"), headers={**ASYNC, **key})
    assert (other.status_code, _detail(other)) == (422, "idempotency-key-reused")


def test_nothing_is_kept_of_a_stateless_question(door: Door) -> None:
    record = json.loads(case("V01"))
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "bundle", "resource": record}, {"name": "store", "valueBoolean": False}],
    }
    answer = door.client.post("/$correlate", content=json.dumps(parameters), headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    report = answer.json()["entry"][0]
    assert report["fullUrl"].startswith("urn:uuid:")
    assert door.client.get(f"/DiagnosticReport/{report['resource']['id']}").status_code == 404


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_transaction_is_answered_in_order_with_one_task_per_patient(door: Door, kind: str) -> None:
    entries: list[dict[str, Any]] = []
    for number in (1, 2):
        patient = f"urn:uuid:00000000-0000-4000-8000-00000000000{number}"
        identifier = [{"system": "https://a.example/mrn", "value": str(number)}]
        entries += [
            _post(patient, resourceType="Patient", identifier=identifier),
            _post(None, resourceType="Procedure", status="completed", subject={"reference": patient}),
        ]
    entries.append(_post(None, resourceType="CarePlan", subject={"reference": patient}))
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    answer = door.client.post("", content=json.dumps(bundle), headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    responses = [entry["response"] for entry in answer.json()["entry"]]
    assert answer.json()["type"] == f"{kind}-response"
    assert [one["status"][:3] for one in responses] == ["201", "201", "201", "201", "200"]
    assert [one.get("location", "").split("/")[0] for one in responses] == [
        "Patient",
        "Procedure",
        "Patient",
        "Procedure",
        "",
    ]
    assert answer.headers["Link"].count('rel="status"') == 2
    stored = door.client.get(f"/{responses[1]['location'].partition('/_history')[0]}").json()
    assert stored["subject"]["reference"] == responses[0]["location"].partition("/_history")[0]


def test_a_bad_entry_fails_a_transaction_and_costs_a_batch_nothing(door: Door) -> None:
    good = _post(None, resourceType="Patient", identifier=[{"system": "https://a.example/mrn", "value": "1"}])
    bad = {"resource": {"resourceType": "Observation", "status": "final"}}
    for kind in ("transaction", "batch"):
        bundle = {"resourceType": "Bundle", "type": kind, "entry": [bad, good]}
        answer = door.client.post("", content=json.dumps(bundle), headers=FHIR_JSON)
        if kind == "transaction":
            assert answer.status_code == 400
            assert _issue(answer)["expression"] == ["Bundle.entry[0].request"]
        else:
            assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["400", "201"]


def test_a_conflict_refuses_one_patient_of_a_batch(door: Door) -> None:
    def patient(number: str, birth: str) -> dict[str, Any]:
        identifier = [{"system": "https://a.example/mrn", "value": number}]
        return _post(None, resourceType="Patient", identifier=identifier, birthDate=birth)

    def send(kind: str, *entries: dict[str, Any]) -> httpx.Response:
        bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        return door.client.post("", content=json.dumps(bundle), headers=FHIR_JSON)

    assert send("transaction", patient("1", "1970-01-01")).status_code == 200
    whole = send("transaction", patient("1", "1980-01-01"), patient("2", "1990-01-01"))
    assert (whole.status_code, _detail(whole)) == (422, "patient-conflict")
    mixed = send("batch", patient("1", "1980-01-01"), patient("2", "1990-01-01")).json()
    assert [entry["response"]["status"][:3] for entry in mixed["entry"]] == ["422", "201"]


def test_another_bundle_is_sent_to_correlate(door: Door) -> None:
    answer = door.client.post("", content=case("V01"), headers=FHIR_JSON)
    assert answer.status_code == 400
    assert "$correlate" in _issue(answer)["details"]["text"]


def test_a_transaction_can_be_asynchronous(door: Door) -> None:
    patient = _post(None, resourceType="Patient", identifier=[{"system": "https://a.example/mrn", "value": "9"}])
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [patient]}
    accepted = door.client.post("", content=json.dumps(bundle), headers=ASYNC)
    assert accepted.status_code == 202
    task = accepted.headers["Link"].split("/Task/")[1].split(">")[0]
    status_url = accepted.headers["Content-Location"]
    assert door.client.get(status_url).status_code == 202
    door.run(task)
    done = door.client.get(status_url).json()["entry"][0]
    assert done["resource"]["type"] == "transaction-response"
    assert done["resource"]["entry"][0]["response"]["status"] == "201 Created"


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/$correlate", 405, "method-not-allowed"),
        ("GET", "/Patient/x/$correlate", 405, "method-not-allowed"),
        ("GET", "/Patient/x", 404, "not-found"),
        ("GET", "/Task/x", 404, "not-found"),
        ("GET", "/async-status/x", 404, "not-found"),
        ("GET", "/Spaceship/x", 404, "unknown-type"),
        ("GET", "/nowhere/at/all/of/it", 404, "unknown-address"),
        ("POST", "/Patient/x/$correlate", 404, "not-found"),
        ("GET", "/DiagnosticReport/x/_history/1", 404, "not-found"),
    ],
)
def test_every_refusal_is_an_operation_outcome(door: Door, method: str, path: str, status: int, detail: str) -> None:
    answer = door.client.request(method, path)
    assert (answer.status_code, _detail(answer)) == (status, detail)
    assert answer.headers["content-type"].startswith("application/fhir+json")
    if status == 405:
        assert answer.headers["Allow"] == "POST"


def test_a_body_beyond_the_limit_is_not_taken(tmp_path: Path, redis_server: RedisServer) -> None:
    with running_door(tmp_path, redis_server.url, max_bytes=1000) as door:
        answer = door.client.post("/$correlate", content=b" " * 1001, headers=FHIR_JSON)
        assert (answer.status_code, _detail(answer)) == (413, "too-large")


def test_a_page_of_another_site_gets_nothing(door: Door) -> None:
    answer = door.client.post("/$correlate", content=case("V01"), headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, _detail(answer)) == (403, "not-permitted")


def test_health_and_metrics(door: Door) -> None:
    root = door.base.removesuffix("/fhir")
    assert httpx.get(f"{root}/health/live").status_code == 200
    ready = httpx.get(f"{root}/health/ready")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"database": "ok", "redis": "ok"})
    door.correlate(case("V01"))
    figures = httpx.get(f"{root}/metrics").text
    assert 'fillertrace_jobs{status="completed"} 1.0' in figures
    assert "fillertrace_living_reports 1.0" in figures
    assert "fillertrace_redis_up 1.0" in figures
    assert httpx.get(f"{root}/openapi.json").status_code == 200


def test_the_page_of_the_interface_asks_no_other_host(door: Door) -> None:
    page = httpx.get(f"{door.base.removesuffix('/fhir')}/docs")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text) == ["openapi.json"]
    assert "POST /fhir/$correlate" in page.text


def test_what_is_down_is_said(tmp_path: Path) -> None:
    with running_door(tmp_path, "unix:///nowhere/redis.sock") as door:
        ready = httpx.get(f"{door.base.removesuffix('/fhir')}/health/ready")
        assert (ready.status_code, ready.json()["checks"]["redis"]) == (503, "no answer")
        assert door.client.post("/$correlate", content=case("V01"), headers=ASYNC).status_code == 202


def _post(full_url: str | None, **resource: Any) -> dict[str, Any]:
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return entry if full_url is None else {"fullUrl": full_url, **entry}
