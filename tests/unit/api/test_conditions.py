"""What depends on a search: If-None-Exist, and references that are searches. FHIR R4 http.html#ccreate, #trules."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.redis import RedisServer
from tests.unit.api.service import FHIR_JSON, Door, running_door

MRN = "https://a.example/mrn"
NPI = "http://hl7.org/fhir/sid/us-npi"
LAB = "https://lab.example/order"


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer) -> Iterator[Door]:
    """The door over each of the databases."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_server").create_database(f"door_{uuid.uuid4().hex}")
    with running_door(tmp_path, redis_server.url, database_url=url) as running:
        yield running


def _patient(number: str = "1", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": MRN, "value": number}], **more}


def _doctor(number: str = "9") -> dict[str, Any]:
    return {"resourceType": "Practitioner", "identifier": [{"system": NPI, "value": number}]}


def _lab(number: str = "5", subject: str = "urn:uuid:p", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
        "identifier": [{"system": LAB, "value": number}],
        "subject": {"reference": subject},
        **more,
    }


def _entry(resource: dict[str, Any], full_url: str | None = None, if_none_exist: str | None = None) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    if if_none_exist:
        request["ifNoneExist"] = if_none_exist
    entry = {"resource": resource, "request": request}
    return {"fullUrl": full_url, **entry} if full_url else entry


def _send(door: Door, *entries: dict[str, Any], kind: str = "transaction") -> httpx.Response:
    body = json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})
    return door.client.post("", content=body, headers=FHIR_JSON)


def _responses(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [entry["response"] for entry in answer.json()["entry"]]


def _place(response: dict[str, Any]) -> str:
    location: str = response["location"]
    return location.partition("/_history")[0]


def _total(door: Door, query: str) -> int:
    total: int = door.client.get(f"/{query}&_count=0", headers={"Prefer": "handling=strict"}).json()["total"]
    return total


@pytest.mark.requirement("HTTP-10")
def test_a_create_on_condition_creates_finds_or_fails(door: Door) -> None:
    headers = {**FHIR_JSON, "If-None-Exist": f"identifier={MRN}|1"}
    body = json.dumps(_patient())
    first = door.client.post("/Patient", content=body, headers=headers)
    assert first.status_code == 201
    again = door.client.post("/Patient", content=json.dumps(_patient(gender="female")), headers=headers)
    assert (again.status_code, again.headers["Location"]) == (200, first.headers["Location"])
    assert "gender" not in door.client.get(first.headers["Location"]).json()
    door.client.post("/Patient", content=json.dumps(_patient("2", gender="male")), headers=FHIR_JSON)
    door.client.post("/Patient", content=json.dumps(_patient("3", gender="male")), headers=FHIR_JSON)
    several = door.client.post("/Patient", content=body, headers={**FHIR_JSON, "If-None-Exist": "gender=male"})
    assert several.status_code == 412
    assert several.json()["issue"][0]["details"]["coding"][0]["code"] == "several-matches"
    for unasked in ("colour=red", "birthdate=soon", "_count=1"):
        refused = door.client.post("/Patient", content=body, headers={**FHIR_JSON, "If-None-Exist": unasked})
        assert refused.status_code == 400
        assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "invalid-condition"


@pytest.mark.requirement("HTTP-10")
@pytest.mark.parametrize("kind", ["Patient", "Practitioner", "Observation"])
def test_fifty_at_once_create_one(anywhere: Door, kind: str) -> None:
    someone = anywhere.client.post("/Patient", content=json.dumps(_patient("0")), headers=FHIR_JSON).json()["id"]
    resources = {
        "Patient": {"resourceType": "Patient", "name": [{"family": "Nunca"}]},
        "Practitioner": {"resourceType": "Practitioner", "name": [{"family": "Nunca"}]},
        "Observation": _lab(subject=f"Patient/{someone}"),
    }
    condition = f"identifier={LAB}|5" if kind == "Observation" else "family=Nunca"
    headers = {**FHIR_JSON, "If-None-Exist": condition}

    def create(number: int) -> httpx.Response:
        body = json.dumps({**resources[kind], "language": f"x-{number}"})
        return httpx.post(f"{anywhere.base}/{kind}", content=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(max_workers=50) as pool:
        answers = list(pool.map(create, range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert _total(anywhere, f"{kind}?{condition}") == 1


@pytest.mark.requirement("HTTP-10", "HTTP-15")
def test_two_entries_with_one_condition_are_one_resource(door: Door) -> None:
    for kind, condition in ((_patient, f"identifier={MRN}|1"), (_doctor, f"identifier={NPI}|9")):
        twins = [_entry({**kind(), "language": str(at)}, f"urn:uuid:{at}", condition) for at in range(2)]
        users = [_entry(_lab(str(at), "urn:uuid:p", performer=[{"reference": f"urn:uuid:{at}"}])) for at in range(2)]
        answer = _send(door, _entry(_patient("7"), "urn:uuid:p"), *twins, *users)
        responses = _responses(answer)
        assert [one["status"][:3] for one in responses[1:3]] == ["201", "200"]
        assert responses[1]["location"] == responses[2]["location"]
        for user in responses[3:]:
            written = door.client.get(f"/{_place(user)}").json()
            assert written["performer"] == [{"reference": _place(responses[1])}]


@pytest.mark.requirement("HTTP-10")
def test_a_placeholder_inside_a_condition_means_the_entry(door: Door) -> None:
    """hapifhir/hapi-fhir#8270: a condition that mentions another entry of the transaction."""
    condition = "subject=urn:uuid:p&code=17861-6"

    def send(number: str) -> list[dict[str, Any]]:
        lab = _entry({**_lab(number), "identifier": []}, None, condition)
        return _responses(_send(door, _entry(_patient("1"), "urn:uuid:p", f"identifier={MRN}|1"), lab))

    first, again = send("1"), send("2")
    assert [one["status"][:3] for one in first] == ["201", "201"]
    assert [one["status"][:3] for one in again] == ["200", "200"]
    assert [one["location"] for one in first] == [one["location"] for one in again]


@pytest.mark.requirement("HTTP-10")
def test_what_a_condition_finds_stays_as_it_is_and_another_patient_s_is_never_taken(door: Door) -> None:
    first = _responses(_send(door, _entry(_patient("1"), "urn:uuid:p"), _entry(_lab())))
    found = _responses(
        _send(door, _entry(_patient("1"), "urn:uuid:p"), _entry(_lab(status="amended"), None, f"identifier={LAB}|5"))
    )
    assert found[1]["location"] == first[1]["location"]
    mixed = _send(door, _entry(_patient("2"), "urn:uuid:p"), _entry(_lab(), None, f"identifier={LAB}|5"))
    assert mixed.status_code == 422
    assert mixed.json()["issue"][0]["details"]["coding"][0]["code"] == "patient-conflict"
    contradicts = _patient("1", birthDate="1980")
    _responses(_send(door, _entry(_patient("1", birthDate="1970"), "urn:uuid:p")))
    assert _send(door, _entry(contradicts, "urn:uuid:p", f"identifier={MRN}|1")).status_code == 422


@pytest.mark.requirement("HTTP-14")
@pytest.mark.parametrize(
    ("query", "stubs", "fits"),
    [
        (f"identifier={NPI}|9", [], False),
        (f"identifier={NPI}|9", ["9"], True),
        (f"identifier={NPI}%7C9", ["9"], True),
        ("identifier=9", ["8", "9"], True),
        (f"identifier={NPI}|", ["8", "9"], False),
    ],
)
def test_a_reference_that_is_a_search_finds_one(door: Door, query: str, stubs: list[str], fits: bool) -> None:
    for number in stubs:
        _responses(_send(door, _entry(_doctor(number)), kind="transaction"))
    lab = _lab(performer=[{"reference": "Organization/x"}, {"reference": f"Practitioner?{query}"}])
    answer = _send(door, _entry(_patient(), "urn:uuid:p"), _entry(lab))
    if not fits:
        assert answer.status_code == 412
        (issue,) = answer.json()["issue"]
        assert issue["expression"] == ["Bundle.entry[1].resource.performer[1].reference"]
        assert issue["details"]["coding"][0]["code"] == ("several-matches" if stubs else "no-match")
        assert _total(door, f"Patient?identifier={MRN}|1") == 0
        return
    written = door.client.get(f"/{_place(_responses(answer)[1])}").json()
    doctor = door.client.get(f"/{written['performer'][1]['reference']}").json()
    assert doctor["identifier"][0]["value"] == "9"


@pytest.mark.requirement("HTTP-14")
def test_a_reference_that_is_a_search_finds_what_the_same_transaction_brings(door: Door) -> None:
    lab = _lab(performer=[{"reference": f"Practitioner?identifier={NPI}|9"}])
    responses = _responses(_send(door, _entry(_patient(), "urn:uuid:p"), _entry(lab), _entry(_doctor())))
    written = door.client.get(f"/{_place(responses[1])}").json()
    assert written["performer"] == [{"reference": _place(responses[2])}]
    twice = _send(door, _entry(_patient(), "urn:uuid:p"), _entry(lab), _entry({**_doctor(), "language": "en"}))
    assert twice.status_code == 200  # known by its identifier: it is the same one, changed


@pytest.mark.requirement("HTTP-14")
def test_a_patient_who_is_searched_must_be_known(door: Door) -> None:
    subject = f"Patient?identifier={MRN}|1"
    missing = _send(door, _entry(_lab(subject=subject)))
    assert missing.status_code == 412
    assert missing.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.subject.reference"]
    assert _total(door, "Observation?status=final") == 0
    (patient,) = _responses(_send(door, _entry(_patient())))
    (lab,) = _responses(_send(door, _entry(_lab(subject=subject))))
    assert door.client.get(f"/{_place(lab)}").json()["subject"] == {"reference": _place(patient)}
    _responses(_send(door, _entry(_patient("2", gender="male")), _entry(_patient("3", gender="male"))))
    several = _send(door, _entry(_lab("6", subject="Patient?gender=male")))
    assert several.json()["issue"][0]["details"]["coding"][0]["code"] == "several-matches"


@pytest.mark.requirement("HTTP-11", "HTTP-14")
def test_in_a_batch_an_unmet_condition_costs_its_entries_alone(door: Door) -> None:
    searched = f"Practitioner?identifier={NPI}|9"
    entries = [
        _entry(_patient(), "urn:uuid:p"),
        _entry(_lab("1", performer=[{"reference": searched}])),
        _entry(_lab("2")),
        _entry(_lab("3", performer=[{"reference": searched}])),
        _entry(_lab("4", f"Patient?identifier={MRN}|44")),
        _entry(_lab("5", performer=[{"reference": "Practitioner?colour=red"}])),
    ]
    responses = _responses(_send(door, *entries, kind="batch"))
    assert [one["status"][:3] for one in responses] == ["201", "412", "201", "412", "412", "400"]
    for at in (1, 3):
        (issue,) = responses[at]["outcome"]["issue"]
        assert issue["details"]["coding"][0]["code"] == "no-match"
