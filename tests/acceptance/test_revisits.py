"""A report is looked at again when facts come late, are corrected or withdrawn, or when two records become one.

The real `fillertrace serve`; contract, sections 3 and 5.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.client import Client, Json, someone_else
from tests.examples import case_bytes

REVISION = "revision"


def _first(client: Client) -> tuple[Json, bytes]:
    """The published case as a new person's: the report, and the record it came from."""
    record = someone_else(case_bytes("V01"))
    return client.correlate(record)["entry"][0]["resource"], record


def _now(client: Client, patient: str) -> Json:
    """The patient's report once all that was sent has been worked through."""
    answer = client.http.post(f"/{patient}/$correlate", headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    report: Json = answer.json()["entry"][0]["resource"]
    return report


def _attribution(client: Client, report: Json) -> str:
    first = client.http.get(f"/{report['result'][0]['reference']}").json()
    code: str = first["valueCodeableConcept"]["coding"][0]["code"]
    return code


def _kept(client: Client, patient: str, type_: str) -> list[Json]:
    found = client.http.get(f"/{type_}", params={"patient": patient, "_count": 1000}).json()
    return [one["resource"] for one in found.get("entry", ())]


def _put(client: Client, resource: Json, **headers: str) -> httpx.Response:
    path = f"/{resource['resourceType']}/{resource['id']}"
    answer = client.http.put(
        path, content=json.dumps(resource), headers={"Content-Type": "application/fhir+json", **headers}
    )
    assert answer.status_code == 200, answer.text
    return answer


def _send(client: Client, *resources: Json) -> list[str]:
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    answer = client.post({"resourceType": "Bundle", "type": "transaction", "entry": entries}, "")
    assert answer.status_code == 200, answer.text
    return [entry["response"]["location"].partition("/_history")[0] for entry in answer.json()["entry"]]


def test_a_late_result_makes_a_new_version_and_the_old_one_stays(client: Client) -> None:
    report, _ = _first(client)
    patient = report["subject"]["reference"]
    late: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "1995-0"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-11-20",
        "valueQuantity": {"value": 1.72, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }
    _send(client, late)
    later = _now(client, patient)
    assert (later["id"], later["meta"]["versionId"]) == (report["id"], "2")
    alerts = [client.http.get(f"/{one['reference']}").json()["valueCodeableConcept"] for one in later["result"]]
    codes = {coding["code"] for value in alerts for coding in value["coding"]}
    assert "hypercalcaemia_urgent" in codes
    assert client.http.get(f"/DiagnosticReport/{report['id']}/_history/1").json() == report
    assert len(client.reports_of(patient)) == 1


@pytest.mark.parametrize("how", ["entered-in-error", "deleted"])
def test_a_withdrawn_injection_no_longer_explains(client: Client, how: str) -> None:
    report, _ = _first(client)
    patient = report["subject"]["reference"]
    assert _attribution(client, report) == "explained"
    for injection in _kept(client, patient, "Procedure"):
        if how == "deleted":
            assert client.http.delete(f"/Procedure/{injection['id']}").status_code == 204
        else:
            _put(client, {**injection, "status": "entered-in-error"})
    for type_ in ("Device", "DeviceUseStatement"):
        for one in _kept(client, patient, type_):
            assert client.http.delete(f"/{type_}/{one['id']}").status_code == 204
    later = _now(client, patient)
    assert (later["id"], int(later["meta"]["versionId"]) > 1) == (report["id"], True)
    assert _attribution(client, later) != "explained"
    assert len(client.reports_of(patient)) == 1


def test_a_correction_of_a_signed_report_is_amended_and_must_be_signed_again(client: Client) -> None:
    report, _ = _first(client)
    patient = report["subject"]["reference"]
    signed = {**report, "status": "final", "resultsInterpreter": [{"display": "Dr A"}]}
    _put(client, signed, **{"If-Match": 'W/"1"'})
    (injection, *_) = _kept(client, patient, "Procedure")
    _put(client, {**injection, "status": "not-done"})
    later = _now(client, patient)
    assert later["status"] == "amended"
    assert "resultsInterpreter" not in later
    assert later["conclusion"].startswith("Changed by software on")


def test_a_merged_record_follows_and_the_old_report_stays_reachable(client: Client) -> None:
    old, record = _first(client)
    replaced = old["subject"]["reference"]
    number = {"system": "https://merging.example/mrn", "value": uuid4().hex}
    (surviving,) = _send(client, {"resourceType": "Patient", "identifier": [number], "gender": "female"})
    assert client.reports_of(surviving) == []
    before = client.http.get(f"/{replaced}").json()
    link = [{"other": {"reference": surviving}, "type": "replaced-by"}]
    _put(client, {**before, "link": link})
    new = _now(client, surviving)
    assert new["id"] != old["id"]
    assert new["subject"]["reference"] == surviving
    assert _attribution(client, new) == "explained"
    # The old report is still there, and the new one names it.
    assert client.http.get(f"/DiagnosticReport/{old['id']}").json() == old
    assert _revises(client, new) == old["id"]
    assert [one["id"] for one in client.reports_of(surviving)] == [new["id"]]
    assert {one["id"] for one in client.reports_of(replaced)} == {old["id"], new["id"]}
    assert client.http.get(f"/{replaced}").json()["link"] == link
    # What comes later under the old number goes on to the survivor, as do searches and references.
    late = json.loads(record)
    late["entry"] = [
        entry for entry in late["entry"] if entry["resource"]["resourceType"] in ("Patient", "Observation")
    ]
    answer = client.post(late, Prefer="wait=60").json()
    assert answer["entry"][0]["resource"]["id"] == new["id"]
    assert len(client.reports_of(surviving)) == 1
    assert _kept(client, replaced, "Procedure") == _kept(client, surviving, "Procedure")


def test_a_survivor_with_a_report_gets_the_next_version_of_it(client: Client) -> None:
    """The survivor says whom it replaces; both had a report, and one goes on living."""
    old, _ = _first(client)
    own, _ = _first(client)
    surviving = own["subject"]["reference"]
    injection = _kept(client, old["subject"]["reference"], "Procedure")[0]
    _put(client, {**injection, "status": "not-done"})
    before = client.http.get(f"/{surviving}").json()
    _put(client, {**before, "link": [{"other": old["subject"], "type": "replaces"}]})
    new = _now(client, surviving)
    assert (new["id"], int(new["meta"]["versionId"]) > 1) == (own["id"], True)
    assert [one["id"] for one in client.reports_of(surviving)] == [own["id"]]
    assert client.http.get(f"/DiagnosticReport/{old['id']}").status_code == 200
    assert f"Procedure/{injection['id']}" in {f"Procedure/{one['id']}" for one in _kept(client, surviving, "Procedure")}


def test_two_people_are_not_merged_by_a_link(client: Client) -> None:
    people = [
        {
            "resourceType": "Patient",
            "identifier": [{"system": "https://merging.example/mrn", "value": uuid4().hex}],
            "birthDate": birth,
        }
        for birth in ("1970-01-01", "1985-05-05")
    ]
    one, other = _send(client, *people)
    before = client.http.get(f"/{one}").json()
    body = {**before, "link": [{"other": {"reference": other}, "type": "replaced-by"}]}
    refused = client.http.put(f"/{one}", content=json.dumps(body), headers={"Content-Type": "application/fhir+json"})
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "patient-conflict"
    assert "link" not in client.http.get(f"/{one}").json()


def _revises(client: Client, report: Json) -> str | None:
    """The report that the Provenance of a new one names."""
    found = client.http.get("/Provenance", params={"target": f"DiagnosticReport/{report['id']}"}).json()
    entities: list[dict[str, Any]] = found["entry"][0]["resource"]["entity"]
    named = (one["what"]["reference"] for one in entities if one["role"] == REVISION)
    return next((text.split("/")[1] for text in named), None)
