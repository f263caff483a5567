"""Create, update and delete of single resources, as FHIR R4 has them, and what they start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_mappings.capability import CONFORMANCE_TYPES, TYPES
from tests.servers.redis import RedisServer
from tests.unit.api.service import FHIR_JSON, Door, case, running_door

MRN = "https://hospital.example/mrn"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "mine",
    "identifier": [{"system": MRN, "value": "1"}],
    "birthDate": "1970-01-01",
}


def _send(door: Door, method: str, path: str, resource: object, **headers: str) -> httpx.Response:
    body = resource if isinstance(resource, bytes | str) else json.dumps(resource)
    return door.client.request(
        method,
        path,
        content=body,
        headers={**FHIR_JSON, **{name.replace("_", "-"): one for name, one in headers.items()}},
    )


def _path(door: Door, answer: httpx.Response) -> str:
    return answer.headers["Location"].removeprefix(door.base).partition("/_history")[0]


def _issue(answer: httpx.Response) -> dict[str, Any]:
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    issue: dict[str, Any] = outcome["issue"][0]
    assert issue["details"]["text"]
    return issue


def _detail(answer: httpx.Response) -> str:
    code: str = _issue(answer)["details"]["coding"][0]["code"]
    return code


def _tasks(answer: httpx.Response) -> list[str]:
    found = [link.split("/Task/")[1].split(">")[0] for link in answer.headers.get("Link", "").split(",") if link]
    assert answer.headers.get("Link", "").count('rel="status"') == len(found)
    return found


def _procedure(patient: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Procedure", "status": "completed", "subject": {"reference": patient}, **more}


@pytest.mark.requirement("HTTP-05", "HTTP-04")
def test_what_is_created_has_an_address_of_ours(door: Door) -> None:
    created = _send(door, "POST", "/Patient", PATIENT)
    assert created.status_code == 201
    location = created.headers["Location"]
    base, _, rest = location.partition("/Patient/")
    identity, _, version = rest.partition("/_history/")
    assert (base, version) == (door.base, "1")
    assert identity != "mine"
    assert created.headers["ETag"] == 'W/"1"'
    assert created.headers["Last-Modified"]
    assert created.json()["id"] == identity
    read = httpx.get(location)
    assert read.json() == created.json() == door.client.get(f"/Patient/{identity}").json()
    assert door.client.get("/Patient/mine").status_code == 404


def test_each_write_queues_its_patient_and_the_report_follows(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    patient = report["subject"]["reference"]
    created = _send(door, "POST", "/Procedure", _procedure(patient, performedDateTime="2019"))
    (job,) = _tasks(created)
    task = door.client.get(f"/Task/{job}").json()
    assert task["for"]["reference"] == patient
    door.run(job)
    path = _path(door, created)
    changed = _send(door, "PUT", path, {**created.json(), "status": "entered-in-error"})
    (after_update,) = _tasks(changed)
    door.run(after_update)
    deleted = door.client.delete(path)
    (after_delete,) = _tasks(deleted)
    assert door.client.get(f"/Task/{after_delete}").json()["for"]["reference"] == patient
    door.run(after_delete)
    assert {door.client.get(f"/Task/{one}").json()["status"] for one in (job, after_update, after_delete)} == {
        "completed"
    }
    ours = door.client.get(f"/DiagnosticReport/{report['id']}/_history").json()
    assert all(one["resource"]["id"] == report["id"] for one in ours["entry"])


def test_a_corrected_product_concerns_who_was_given_it(door: Door) -> None:
    patients = [
        _path(door, _send(door, "POST", "/Patient", {**PATIENT, "identifier": [{"system": MRN, "value": number}]}))
        for number in ("1", "2")
    ]
    device = _send(door, "POST", "/Device", {"resourceType": "Device", "modelNumber": "R-1"})
    for patient in patients:
        used = {"focalDevice": [{"manipulated": {"reference": _path(door, device).strip("/")}}]}
        assert _send(door, "POST", "/Procedure", _procedure(patient.strip("/"), **used)).status_code == 201
    changed = _send(door, "PUT", _path(door, device), {**device.json(), "modelNumber": "R-2"})
    concerned = {door.client.get(f"/Task/{job}").json()["for"]["reference"] for job in _tasks(changed)}
    assert concerned == {patient.strip("/") for patient in patients}


def test_what_is_known_already_is_not_doubled(door: Door) -> None:
    first = _send(door, "POST", "/Patient", PATIENT)
    again = _send(door, "POST", "/Patient", PATIENT)
    assert (again.status_code, again.headers["Location"]) == (200, first.headers["Location"])
    more = _send(door, "POST", "/Patient", {**PATIENT, "gender": "female"})
    assert (more.status_code, more.headers["ETag"]) == (200, 'W/"2"')
    assert _path(door, more) == _path(door, first)


def test_a_key_makes_a_create_repeatable(door: Door) -> None:
    first = _send(door, "POST", "/Patient", {"resourceType": "Patient"}, Idempotency_Key="k1")
    again = _send(door, "POST", "/Patient", {"resourceType": "Patient"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"] == again.headers["Location"]
    assert _tasks(first) == _tasks(again)


@pytest.mark.requirement("HTTP-10")
def test_if_none_exist_on_a_create_of_its_own(door: Door) -> None:
    condition = f"identifier={MRN}|1"
    first = _send(door, "POST", "/Patient", PATIENT, If_None_Exist=condition)
    second = _send(door, "POST", "/Patient", {**PATIENT, "gender": "female"}, If_None_Exist=condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["Location"] == first.headers["Location"]
    assert "gender" not in second.json()
    other = [{"system": MRN, "value": "2"}]
    _send(door, "POST", "/Patient", {**PATIENT, "identifier": other})
    several = _send(door, "POST", "/Patient", PATIENT, If_None_Exist="birthdate=1970-01-01")
    assert (several.status_code, "expression" in _issue(several)) == (412, False)


@pytest.mark.requirement("HTTP-06", "HTTP-04")
def test_an_update_is_tied_to_the_version_that_was_read(door: Door) -> None:
    path = _path(door, _send(door, "POST", "/Patient", PATIENT))
    read = door.client.get(path).json()
    changed = _send(door, "PUT", path, {**read, "gender": "female"}, If_Match='W/"1"')
    assert (changed.status_code, changed.headers["ETag"], changed.json()["gender"]) == (200, 'W/"2"', "female")
    assert changed.headers["Content-Location"] == f"{door.base}{path}/_history/2"
    for stale in ('W/"1"', "of mine", '"9999999999"'):
        refused = _send(door, "PUT", path, {**read, "gender": "other"}, If_Match=stale)
        assert (refused.status_code, _detail(refused)) == (412, "version-conflict")
        assert refused.headers["ETag"] == 'W/"2"'
        assert door.client.delete(path, headers={"If-Match": stale}).status_code == 412
    assert door.client.get(path).json()["gender"] == "female"
    same = _send(door, "PUT", path, changed.json(), If_Match="*")
    assert (same.status_code, same.headers["ETag"]) == (200, 'W/"2"')
    free = _send(door, "PUT", path, {**read, "gender": "other"})
    assert (free.status_code, free.headers["ETag"]) == (200, 'W/"3"')


@pytest.mark.requirement("HTTP-06")
def test_an_update_names_the_id_it_is_sent_to(door: Door) -> None:
    path = _path(door, _send(door, "POST", "/Patient", PATIENT))
    for body in (PATIENT, {"resourceType": "Patient"}):
        refused = _send(door, "PUT", path, body)
        assert (refused.status_code, _issue(refused)["expression"]) == (400, ["Patient.id"])
    assert door.client.get(path).headers["ETag"] == 'W/"1"'
    unknown = _send(door, "PUT", "/Patient/mine", PATIENT)
    assert (unknown.status_code, _detail(unknown)) == (405, "no-client-ids")
    assert unknown.headers["Allow"] == "GET, HEAD"


@pytest.mark.requirement("HTTP-06")
def test_a_report_of_ours_is_only_changed_with_if_match(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    path = f"/DiagnosticReport/{report['id']}"
    signed = {**report, "status": "final", "resultsInterpreter": [{"display": "Dr A"}]}
    without = _send(door, "PUT", path, signed)
    assert (without.status_code, _detail(without)) == (428, "if-match-missing")
    assert _send(door, "PUT", path, signed, If_Match='W/"9"').status_code == 412
    minimal = _send(door, "PUT", path, signed, If_Match='W/"1"', Prefer="return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["ETag"]) == (200, b"", 'W/"2"')


def test_a_received_report_is_updated_like_any_other(door: Door) -> None:
    patient = _path(door, _send(door, "POST", "/Patient", PATIENT)).strip("/")
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "CT face"}}
    created = _send(door, "POST", "/DiagnosticReport", {**report, "subject": {"reference": patient}})
    corrected = {**created.json(), "status": "corrected", "conclusion": "No calcification."}
    changed = _send(door, "PUT", _path(door, created), corrected)
    assert (changed.status_code, changed.headers["ETag"], changed.json()["status"]) == (200, 'W/"2"', "corrected")
    assert door.client.delete(_path(door, created)).status_code == 204


@pytest.mark.requirement("HTTP-07", "HTTP-05")
def test_the_body_of_a_write_is_what_was_preferred(door: Door) -> None:
    path = _path(door, _send(door, "POST", "/Patient", PATIENT))
    read = door.client.get(path).json()
    for number, (method, address) in enumerate((("POST", "/Patient"), ("PUT", path))):
        for preference in ("", "return=minimal", "return=representation", "return=OperationOutcome"):
            body = {**read, "language": f"x-{number}-{preference[-3:]}"}
            answer = _send(door, method, address, body, **({"Prefer": preference} if preference else {}))
            assert answer.status_code in {200, 201}
            assert answer.headers["ETag"]
            assert answer.headers.get("Preference-Applied", "") == preference
            if preference == "return=minimal":
                assert answer.content == b""
            elif preference == "return=OperationOutcome":
                assert answer.json()["issue"][0]["severity"] == "information"
            else:
                assert answer.json()["language"] == body["language"]
    for preference in ("return=minimal", "return=representation"):
        refused = _send(door, "POST", "/Patient", b"{", Prefer=preference)
        assert (refused.status_code, _detail(refused)) == (400, "not-json")
    told = door.client.delete(path, headers={"Prefer": "return=OperationOutcome"})
    assert (told.status_code, told.json()["resourceType"]) == (200, "OperationOutcome")


@pytest.mark.requirement("HTTP-07")
def test_what_was_odd_is_said_where_it_is_wanted(door: Door) -> None:
    body = '{"resourceType": "Patient", "gender": "male", "gender": "female"}'
    answer = _send(door, "POST", "/Patient", body, Prefer="return=OperationOutcome")
    assert (answer.status_code, _detail(answer), _issue(answer)["expression"]) == (
        201,
        "duplicate-key",
        ["Patient.gender"],
    )


@pytest.mark.requirement("HTTP-09")
def test_what_is_deleted_is_gone_and_can_come_back(door: Door) -> None:
    created = _send(door, "POST", "/Patient", PATIENT)
    path = _path(door, created)
    deleted = door.client.delete(path, headers={"If-Match": 'W/"1"'})
    assert (deleted.status_code, deleted.content, deleted.headers["ETag"]) == (204, b"", 'W/"2"')
    assert door.client.get(path).status_code == 410
    again = door.client.delete(path)
    assert (again.status_code, _tasks(again)) == (204, [])
    assert door.client.delete("/Patient/nobody").status_code == 204
    back = _send(door, "PUT", path, {**created.json(), "gender": "female"})
    assert (back.status_code, back.headers["Location"]) == (201, f"{door.base}{path}/_history/3")
    assert door.client.get(path).json()["gender"] == "female"


@pytest.mark.requirement("HTTP-09")
def test_a_type_takes_what_it_says(door: Door) -> None:
    for type_ in ("Spaceship", "CarePlan"):
        for method, path in (("POST", f"/{type_}"), ("PUT", f"/{type_}/1"), ("DELETE", f"/{type_}/1")):
            answer = _send(door, method, path, {"resourceType": type_, "id": "1"})
            assert (answer.status_code, _detail(answer)) == (404, "unknown-type")
    for row in TYPES:
        answer = _send(door, "POST", f"/{row.type}", {"resourceType": row.type})
        if "create" in row.interactions:
            assert answer.status_code == 201, row.type
        else:
            assert answer.status_code in {404, 405}, row.type


def _nested(depth: int) -> str:
    inner = "{}"
    for _ in range(depth):
        inner = f'{{"extension":[{inner}]}}'
    return f'{{"resourceType":"Patient","extension":[{inner}]}}'


@pytest.mark.parametrize(
    ("type_", "body", "status", "detail", "expression"),
    [
        ("Patient", "", 400, "not-json", []),
        ("Patient", '{"resourceType":"Patient","x":1e99999999999999999999}', 400, "not-json", []),
        ("Patient", "[]", 400, "invalid-element", ["Patient.resourceType"]),
        ("Patient", "{}", 400, "invalid-element", ["Patient.resourceType"]),
        ("Patient", '{"resourceType":"Observation"}', 400, "invalid-element", ["Patient.resourceType"]),
        ("Patient", _nested(60), 400, "too-deep", []),
        ("Patient", _nested(3000), 400, "too-deep", []),
        (
            "Procedure",
            '{"resourceType":"Procedure","occurrenceDateTime":"2020-01-01"}',
            422,
            "fhir-version",
            ["Procedure.occurrenceDateTime"],
        ),
        ("Procedure", '{"resourceType":"Procedure","notDone":true}', 422, "fhir-version", ["Procedure.notDone"]),
        (
            "Patient",
            '{"resourceType":"Patient","meta":{"fhirVersion":"5.0.0"}}',
            422,
            "fhir-version",
            ["Patient.meta.fhirVersion"],
        ),
    ],
)
def test_a_body_that_cannot_be_used(
    door: Door, type_: str, body: str, status: int, detail: str, expression: list[str]
) -> None:
    path = _path(door, _send(door, "POST", f"/{type_}", {"resourceType": type_}))
    for method, address in (("POST", f"/{type_}"), ("PUT", path)):
        answer = _send(door, method, address, body)
        assert (answer.status_code, _detail(answer)) == (status, detail)
        assert _issue(answer).get("expression", []) == expression
    assert door.client.get(path).headers["ETag"] == 'W/"1"'


def test_a_body_beyond_the_limit(tmp_path: Path, redis_server: RedisServer) -> None:
    with running_door(tmp_path, redis_server.url, max_bytes=1000) as door:
        answer = _send(door, "POST", "/Patient", b" " * 1001)
        assert (answer.status_code, _detail(answer)) == (413, "too-large")


def test_two_people_are_not_mixed(door: Door) -> None:
    _send(door, "POST", "/Patient", PATIENT)
    other = _send(door, "POST", "/Patient", {**PATIENT, "birthDate": "1980-01-01"})
    assert (other.status_code, _detail(other)) == (422, "patient-conflict")
    assert _issue(other)["expression"] == ["Patient.birthDate"]


def test_what_we_made_is_not_taken_in_again(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    answer = _send(door, "POST", "/DiagnosticReport", report)
    assert (answer.status_code, _detail(answer)) == (422, "own-output")


def test_a_refused_parameter_stores_and_deletes_nothing(door: Door) -> None:
    answer = _send(door, "POST", "/Patient?_pretty=maybe", PATIENT)
    assert (answer.status_code, _detail(answer)) == (400, "invalid-parameter")
    created = _send(door, "POST", "/Patient", PATIENT)
    assert created.status_code == 201
    path = _path(door, created)
    kept = door.client.delete(f"{path}?_pretty=maybe", headers={"Prefer": "return=OperationOutcome"})
    assert (kept.status_code, _detail(kept)) == (400, "invalid-parameter")
    assert door.client.get(path).status_code == 200


@pytest.mark.parametrize("type_", CONFORMANCE_TYPES)
def test_our_artefacts_are_read_and_searched_only(door: Door, type_: str) -> None:
    for method, path in (("POST", f"/{type_}"), ("PUT", f"/{type_}/x"), ("DELETE", f"/{type_}/x")):
        answer = _send(door, method, path, {"resourceType": type_})
        assert (answer.status_code, answer.headers.get("Allow")) == (405, "GET, HEAD"), (method, path)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(("name", "status"), [("_search", 405), ("$validate", 405), ("_history", 404), ("$x", 404)])
def test_the_name_of_a_search_or_operation_is_no_id(door: Door, method: str, name: str, status: int) -> None:
    answer = _send(door, method, f"/Patient/{name}", {**PATIENT, "id": name})
    assert (answer.status_code, answer.headers.get("Allow")) == (status, "POST" if status == 405 else None)
