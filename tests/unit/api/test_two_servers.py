"""Two servers that both say Patient/1 are two patients at every door, also where one of them was not sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from admission.incoming import Intake, intake_from
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient_groups import sort_by_patient
from tests.unit.api.service import ASYNC, FHIR_JSON, Door

A, B = "https://a.example/fhir", "https://b.example/fhir"


def _patient(server: str | None = A) -> dict[str, Any]:
    return _entry(server, {"resourceType": "Patient", "id": "1"})


def _lab(server: str | None, id_: str = "9") -> dict[str, Any]:
    resource = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
        "subject": {"reference": "Patient/1"},
        "device": {"reference": "Device/1"},
        "effectiveDateTime": "2019-10-29",
        "valueQuantity": {"value": 9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }
    return _entry(server, resource)


def _entry(server: str | None, resource: dict[str, Any]) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    entry = {"resource": resource, "request": request}
    return entry if server is None else {"fullUrl": f"{server}/{resource['resourceType']}/{resource['id']}", **entry}


def _bundle(kind: str, *entries: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def _intake(*entries: dict[str, Any]) -> Intake:
    parsed = parse_bundle(_bundle("transaction", *entries).encode())
    return intake_from(parsed, sort_by_patient(parsed), base_url="http://127.0.0.1/fhir", held=lambda *_: False)


def test_a_transaction_holds_two_patients() -> None:
    intake = _intake(_patient(A), _lab(B))
    assert [group.identity.urls for group in intake.groups] == [(f"{A}/Patient/1",), (f"{B}/Patient/1",)]
    assert "Patient/1" not in intake.groups[0].local_keys


def test_what_came_without_address_does_not_take_two_servers_references() -> None:
    intake = _intake(_patient(None), _lab(A, "8"), _lab(B))
    assert [len(group.resources) for group in intake.groups] == [1, 1, 1]
    assert b'"https://b.example/fhir/Patient/1"' in intake.groups[2].resources[0].content


def test_what_came_without_address_may_be_the_only_servers() -> None:
    (group,) = _intake(_patient(None), _lab(B)).groups
    assert b'"Patient/1"' in group.resources[1].content


def test_type_and_id_alone_name_nothing_among_two_servers() -> None:
    intake = _intake(_patient(A), _lab(A), _lab(B))
    assert [one.local_keys for group in intake.groups for one in group.resources] == [
        (f"{A}/Patient/1",),
        (f"{A}/Observation/9",),
        (f"{B}/Observation/9",),
    ]


@pytest.mark.parametrize("entries", [(_patient(A), _lab(B)), (_lab(B), _patient(A))])
def test_correlate_refuses_two_patients(door: Door, entries: tuple[dict[str, Any], ...]) -> None:
    answer = door.client.post("/$correlate", content=_bundle("collection", *entries), headers=ASYNC)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "two-patients"


def test_two_bundles_of_two_servers_make_two_patients(door: Door) -> None:
    people = set()
    for entries in ((_patient(A), _lab(A)), (_lab(B),), (_lab(A, "8"),)):
        answer = door.client.post("", content=_bundle("transaction", *entries), headers=FHIR_JSON)
        assert answer.status_code == 200, answer.text
        for entry in answer.json()["entry"]:
            place = entry["response"]["location"].removeprefix(f"{door.base}/").partition("/_history")[0]
            read = door.client.get(f"/{place}").json()
            people.add(read["subject"]["reference"] if "subject" in read else f"Patient/{read['id']}")
    assert len(people) == 2
