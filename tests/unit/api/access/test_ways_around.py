"""Ways around a scope, a compartment or a label: what is refused by one door is refused by every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from store.tables import patient_keys, patients
from tests.servers.redis import RedisServer
from tests.unit.api.access.issuer import bearer, guarded_door
from tests.unit.api.access.neighbours import EHR, LABORATORY, MRN, Street, neighbour, readable, record_of
from tests.unit.api.service import FHIR_JSON

VERY_RESTRICTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
ONE, OTHER = 0, 1


def ask(street: Street, method: str, path: str, token: dict[str, str], body: Any = None, **headers: str) -> Any:
    content = None if body is None else json.dumps(body)
    return street.door.client.request(method, path, content=content, headers={**FHIR_JSON, **token, **headers})


def as_ehr_names(street: Street, scopes: str, number: str) -> dict[str, str]:
    return bearer(street.server.token(scope=scopes, patient=number, client_id="app", sub="sub"))


def patient(number: str, *mrns: str) -> dict[str, Any]:
    identifiers = [{"system": MRN, "value": mrn} for mrn in mrns]
    return {
        "fullUrl": f"{EHR}/Patient/{number}",
        "resource": {"resourceType": "Patient", "identifier": identifiers},
        "request": {"method": "POST", "url": "Patient"},
    }


def batch(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}


def collection(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def observation(patient_id: str, **more: Any) -> dict[str, Any]:
    coded = {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]}
    subject = {"reference": f"Patient/{patient_id}"}
    return {"resourceType": "Observation", "status": "final", "code": coded, "subject": subject, **more}


def keys_of(street: Street, patient_id: str) -> set[str]:
    with street.door.database.read() as connection:
        return set(connection.scalars(sa.select(patient_keys.c.key).where(patient_keys.c.patient_id == patient_id)))


def count_of_patients(street: Street) -> int:
    with street.door.database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(patients)) or 0)


def statuses(answer: httpx.Response) -> list[str]:
    return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]


def test_a_patient_who_is_new_here_takes_nobody_s_record_by_their_number(own_street: Street) -> None:
    other = own_street.patients[OTHER]
    token = as_ehr_names(own_street, "patient/*.cruds", "new-here")
    entry = patient("new-here", f"{other.word}-mrn")
    for path, body in (("", batch(entry)), ("/$correlate", collection(entry))):
        answer = ask(own_street, "POST", path, token, body)
        assert answer.status_code == 403 or statuses(answer) == ["403"]
    assert ask(own_street, "GET", f"/Patient/{other.id}", token).status_code == 404
    assert f"url|{EHR}/Patient/new-here" not in keys_of(own_street, other.id)


def test_a_bound_caller_teaches_no_name_but_their_patient_s_own_address(own_street: Street) -> None:
    one = own_street.patients[ONE]
    before = keys_of(own_street, one.id)
    token = as_ehr_names(own_street, "patient/*.cruds", "0")
    entries = [patient("0", f"{one.word}-mrn", "of-somebody-else"), patient("0", f"{one.word}-mrn")]
    entries[1]["fullUrl"] = "https://another.example/fhir/Patient/7"
    for entry in entries:
        assert ask(own_street, "POST", "", token, batch(entry)).status_code == 200
    assert keys_of(own_street, one.id) == before
    fresh = as_ehr_names(own_street, "patient/*.cruds", "77")
    assert ask(own_street, "POST", "", fresh, batch(patient("77", "of-somebody-else"))).status_code == 200
    later = ask(own_street, "POST", "", bearer(own_street.server.token()), batch(patient("78", "of-somebody-else")))
    assert statuses(later) == ["201"]
    assert ask(own_street, "GET", f"/{later.json()['entry'][0]['response']['location']}", fresh).status_code == 404


def test_correlating_a_bundle_of_which_nothing_is_kept_starts_nothing_for_others(street: Street) -> None:
    one, other = street.patients[ONE], street.patients[OTHER]
    before = count_of_patients(street)
    token = street.token("patient/*.cruds", ONE)
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"{EHR}/Patient/{other.number}"},
    }
    for body in (
        collection({"fullUrl": "urn:uuid:7a7e2c6e-0a39-4d0c-9d4f-0d5d5c9f5f10", "resource": plan}),
        collection({"resource": {**plan, "subject": {"reference": f"Patient/{other.id}"}}}),
    ):
        answer = ask(street, "POST", "/$correlate", token, body, Prefer="respond-async")
        assert answer.status_code in {403, 422}, answer.text
        assert other.id not in answer.text
    assert neighbour(street.door, OTHER).jobs == other.jobs
    assert count_of_patients(street) == before
    assert neighbour(street.door, ONE).jobs == one.jobs


def test_scopes_with_and_without_a_patient_do_not_add_up_to_more_than_each(street: Street) -> None:
    other = street.patients[OTHER]
    before = neighbour(street.door, OTHER).ids
    token = street.token(f"patient/Observation.cruds user/Observation.crus?category={LABORATORY} user/Patient.rs", ONE)
    imaging = observation(other.id, valueString="not a laboratory's")
    assert ask(street, "POST", "/Observation", token, imaging).status_code == 403
    assert statuses(ask(street, "POST", "", token, batch(post_of(imaging)))) == ["403"]
    condition = {"If-None-Exist": "status=final"}
    narrow = street.token("patient/Observation.rs user/Observation.c", ONE)
    created = ask(street, "POST", "/Observation", narrow, observation(other.id, valueString="b"), **condition)
    assert not any(identity in created.text + str(created.headers) for identity in before["Observation"])


def post_of(resource: dict[str, Any]) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def test_a_scope_with_parameters_holds_for_what_is_stored_in_bundles_too(street: Street) -> None:
    one = street.patients[ONE]
    system = bearer(street.server.token())
    every = {
        identity: ask(street, "GET", f"/Observation/{identity}", system).json() for identity in one.ids["Observation"]
    }
    received = {identity: found for identity, found in every.items() if "valueString" in found}
    (imaging,) = (identity for identity, found in received.items() if found["valueString"].startswith("plaque"))
    token = street.token(f"patient/Observation.cruds?category={LABORATORY}", ONE)
    laboratory = {"coding": [{"system": LABORATORY.partition("|")[0], "code": "laboratory"}]}
    instead = {**observation(one.id), "id": imaging, "category": [laboratory]}
    put = {"resource": instead, "request": {"method": "PUT", "url": f"Observation/{imaging}"}}
    gone = {"request": {"method": "DELETE", "url": f"Observation/{imaging}"}}
    assert ask(street, "PUT", f"/Observation/{imaging}", token, instead).status_code == 405
    assert statuses(ask(street, "POST", "", token, batch(put))) == ["405"]
    assert ask(street, "DELETE", f"/Observation/{imaging}", token).status_code == 204
    assert statuses(ask(street, "POST", "", token, batch(gone))) == ["204"]
    by_address = {**post_of({**instead, "id": "x"}), "fullUrl": f"{street.door.base}/Observation/{imaging}"}
    ask(street, "POST", "", token, batch(by_address))
    assert ask(street, "GET", f"/Observation/{imaging}", system).json() == every[imaging]


@pytest.mark.parametrize("if_match", [None, 'W/"1"'])
def test_deleting_says_nothing_of_what_is_there(street: Street, if_match: str | None) -> None:
    token = street.token("patient/*.cruds", ONE)
    answers = []
    for identity in (street.patients[OTHER].ids["Condition"][0], "7d7b9ddc-5a0e-4c43-a3d2-54b0c17ef2e4"):
        url = f"Condition/{identity}"
        request = {"method": "DELETE", "url": url, **({"ifMatch": if_match} if if_match else {})}
        entry = ask(street, "POST", "", token, batch({"request": request})).json()["entry"]
        alone = ask(street, "DELETE", f"/{url}", token, **({"If-Match": if_match} if if_match else {}))
        answers.append((json.dumps(entry).replace(identity, "…"), alone.status_code, alone.text.replace(identity, "…")))
    assert answers[0] == answers[1]
    assert neighbour(street.door, OTHER).ids == street.patients[OTHER].ids


def test_history_since_a_day_to_come_says_nothing_of_what_is_there(street: Street) -> None:
    token = street.token("patient/*.cruds", ONE)
    other = street.patients[OTHER]
    for name in (
        f"Condition/{other.ids['Condition'][0]}",
        f"DiagnosticReport/{other.report_id}",
        f"Condition/{other.id}",
    ):
        for query in ("_since=2999-01-01T00:00:00Z", "_count=0"):
            assert ask(street, "GET", f"/{name}/_history?{query}", token).status_code == 404
    own = f"/DiagnosticReport/{street.patients[ONE].report_id}/_history"
    assert ask(street, "GET", f"{own}?_count=0", token).json()["total"] == 1


def test_what_stands_beside_many_is_not_deleted_by_who_is_bound_to_one(street: Street) -> None:
    system = bearer(street.server.token())
    found = ask(street, "GET", "/Practitioner?family=Shared", system).json()
    practitioner = next(one["resource"] for one in found["entry"] if one["resource"].get("name"))["id"]
    token = street.token("patient/*.cruds", ONE)
    assert ask(street, "GET", f"/Practitioner/{practitioner}", token).status_code == 200
    assert ask(street, "DELETE", f"/Practitioner/{practitioner}", token).status_code == 403
    request = {"method": "DELETE", "url": f"Practitioner/{practitioner}"}
    assert statuses(ask(street, "POST", "", token, batch({"request": request}))) == ["403"]
    assert ask(street, "GET", f"/Practitioner/{practitioner}", system).status_code == 200


def test_what_is_nobody_s_does_not_become_one_s_own_by_naming_it(street: Street) -> None:
    system = bearer(street.server.token())
    device = {"resourceType": "Device", "status": "active", "note": [{"text": "implanted in somebody"}]}
    entry = {**post_of(device), "fullUrl": f"{EHR}/Device/loose", "request": {"method": "POST", "url": "Device"}}
    sent = ask(street, "POST", "", system, batch(entry))
    path = "/" + "/".join(sent.json()["entry"][0]["response"]["location"].split("/")[:2])
    assert ask(street, "GET", path, system).status_code == 200
    token = street.token("patient/*.cruds", ONE)
    naming = {**observation(street.patients[ONE].id), "device": {"reference": f"{EHR}/Device/loose"}}
    assert ask(street, "POST", "/Observation", token, naming).status_code == 201
    assert ask(street, "GET", path, token).status_code == 404


def test_merging_two_records_takes_the_right_to_change_them(own_street: Street) -> None:
    one, other = own_street.patients[ONE], own_street.patients[OTHER]
    link = {"other": {"reference": f"{EHR}/Patient/{other.number}"}, "type": "replaces"}
    entry = patient("99", "of-somebody-new")
    entry["resource"]["link"] = [link, {**link, "other": {"reference": f"{EHR}/Patient/{one.number}"}}]
    token = bearer(own_street.server.token(scope="user/Patient.crs", client_id="app"))
    assert statuses(ask(own_street, "POST", "", token, batch(entry))) == ["403"]
    with own_street.door.database.read() as connection:
        assert (
            list(connection.scalars(sa.select(patients.c.merged_into).where(patients.c.merged_into.is_not(None)))) == []
        )


def test_what_we_made_comes_along_with_a_search_only_where_it_is_whole(own_street: Street) -> None:
    one, system = own_street.patients[ONE], bearer(own_street.server.token())
    ours = ask(own_street, "GET", f"/DiagnosticReport/{one.report_id}", system).json()
    names = [result["reference"] for result in ours["result"]]
    received = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "subject": {"reference": f"Patient/{one.id}"},
        "code": {"text": "A summary of others' results"},
        "result": [{"reference": name} for name in names],
    }
    assert ask(own_street, "POST", "/DiagnosticReport", system, received).status_code == 201
    path = "/DiagnosticReport?_include=DiagnosticReport:result"
    narrow = as_ehr_names(own_street, "patient/DiagnosticReport.rs patient/Observation.rs patient/Patient.rs", "0")
    for scopes, seen in ((narrow, False), (as_ehr_names(own_street, "patient/*.rs", "0"), True)):
        text = ask(own_street, "GET", path, scopes).text
        assert "A summary of others' results" in text
        assert ("Radiesse" in text) is seen


def test_who_does_not_see_a_report_does_not_learn_of_it_by_signing(street: Street) -> None:
    other = street.patients[OTHER]
    body = {"resourceType": "DiagnosticReport", "id": other.report_id, "status": "entered-in-error"}
    scopes = "user/DiagnosticReport.u patient/*.rs"
    token = street.token(scopes, ONE, fhirUser="Practitioner/1")
    for version in (1, 99):
        answer = ask(
            street, "PUT", f"/DiagnosticReport/{other.report_id}", token, body, **{"If-Match": f'W/"{version}"'}
        )
        assert answer.status_code in {404, 405}
        assert answer.headers.get("ETag") is None
    assert (
        ask(street, "GET", f"/DiagnosticReport/{other.report_id}", bearer(street.server.token())).json()["status"]
        == "preliminary"
    )


def relabel(street: Street, type_: str, identity: str) -> None:
    system = bearer(street.server.token())
    found = ask(street, "GET", f"/{type_}/{identity}", system).json()
    found["meta"] = {"security": [VERY_RESTRICTED]}
    assert ask(street, "PUT", f"/{type_}/{identity}", system, found).status_code == 200


def test_a_label_counts_for_every_earlier_version_and_in_every_search(own_street: Street) -> None:
    """Until the report is made anew it is shown without what is labelled by now."""
    one = own_street.patients[ONE]
    (condition,) = one.ids["Condition"]
    token = bearer(own_street.server.token(scope="system/*.cruds", client_id="app"))
    assert ask(own_street, "GET", f"/Condition/{condition}/_history/1", token).status_code == 200
    relabel(own_street, "Condition", condition)
    for path in (f"/Condition/{condition}", f"/Condition/{condition}/_history/1", f"/Condition/{condition}/_history"):
        assert ask(own_street, "GET", path, token).status_code == 404
    for query in ("", "&_count=0", "&_summary=count"):
        found = ask(own_street, "GET", f"/Condition?patient={one.id}{query}", token).json()
        assert found["total"] == 0
        assert [link["relation"] for link in found["link"]] == ["self"]
    again = {"resourceType": "Condition", "subject": {"reference": f"Patient/{one.id}"}, "code": {"text": "x"}}
    created = ask(own_street, "POST", "/Condition", token, again, **{"If-None-Exist": f"patient={one.id}"})
    assert created.status_code == 201
    assert ask(own_street, "PUT", f"/Condition/{condition}", token, {**again, "id": condition}).status_code == 405
    for path in (f"/DiagnosticReport/{one.report_id}", f"/DiagnosticReport/{one.report_id}/$explain"):
        text = readable(ask(own_street, "GET", path, token).text)
        assert "hypertension" not in text
        assert "more confidential" in text or "confidential" in text
    found = ask(own_street, "GET", f"/DiagnosticReport?patient={one.id}", token)
    assert one.report_id not in [entry["resource"]["id"] for entry in found.json().get("entry", [])]


def test_an_explanation_tells_nothing_that_a_label_hides(tmp_path: Path, redis_server: RedisServer) -> None:
    record = record_of(ONE)
    secret = next(entry for entry in record["entry"] if entry["fullUrl"].endswith("-d"))
    secret["resource"]["meta"] = {"security": [VERY_RESTRICTED]}
    with guarded_door(tmp_path, redis_server.url) as (door, server):
        token = bearer(server.token())
        bundle = door.correlate(json.dumps(record), **token)
        report = bundle["entry"][0]["resource"]
        (secret_id,) = set(neighbour(door, ONE).ids["DiagnosticReport"]) - {report["id"]}
        for path in ("", "/$explain", "/_history/1", "/_history"):
            answer = door.client.get(f"/DiagnosticReport/{report['id']}{path}", headers=token)
            assert answer.status_code == 200
            assert "Bilateral calcific plaques" not in readable(answer.text)
            assert secret_id not in readable(answer.text)
        assert secret_id not in readable(json.dumps(bundle))


def test_what_names_another_patient_is_no_part_of_a_bound_caller_s_report(own_street: Street) -> None:
    """It is filed with the one and speaks of the other: who is bound to the one sees neither it nor what it says."""
    one, other = own_street.patients[ONE], own_street.patients[OTHER]
    system = bearer(own_street.server.token())
    finding = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "subject": {"reference": f"Patient/{one.id}"},
        "code": {"text": "CT face report"},
        "effectiveDateTime": "2025-11-15",
        "conclusion": "Plaques as in her sister, quokkasister.",
        "resultsInterpreter": [{"reference": f"Patient/{other.id}"}],
    }
    sent = ask(own_street, "POST", "/DiagnosticReport", system, finding)
    assert sent.status_code == 201, sent.text
    own_street.door.run(sent.headers["Link"].partition("/Task/")[2].partition(">")[0])
    whole = readable(ask(own_street, "GET", f"/DiagnosticReport/{one.report_id}", system).text)
    token = as_ehr_names(own_street, "patient/*.rs", "0")
    part = readable(ask(own_street, "GET", f"/DiagnosticReport/{one.report_id}", token).text)
    assert "quokkasister" in whole
    assert "quokkasister" not in part
    assert "only a part" in part
    found = ask(own_street, "GET", f"/Observation?patient={one.id}", token)
    assert "quokkasister" not in readable(found.text)


def test_a_finished_job_names_no_resource_that_is_hidden_by_now(own_street: Street) -> None:
    token = bearer(own_street.server.token(scope="system/*.cruds", client_id="app"))
    record = record_of(2)
    record["entry"] = [one for one in record["entry"] if one["resource"]["resourceType"] != "Patient"]
    odd = next(one for one in record["entry"] if one["fullUrl"].endswith("-ca"))
    odd["resource"]["valueQuantity"] = {"value": 9.4, "unit": "furlongs"}
    sent = ask(own_street, "POST", "/$correlate", token, record, Prefer="respond-async")
    own_street.door.run(sent.headers["Content-Location"].rsplit("/", 1)[1])
    path = sent.headers["Content-Location"]
    (labelled,) = [
        identity
        for identity in neighbour(own_street.door, 2).ids["Observation"]
        if "furlongs" in ask(own_street, "GET", f"/Observation/{identity}", token).text
    ]
    assert labelled in ask(own_street, "GET", path, token).text
    relabel(own_street, "Observation", labelled)
    after = ask(own_street, "GET", path, token)
    assert after.status_code == 200
    assert labelled not in readable(after.text)


def test_another_name_for_us_decides_nothing(street: Street) -> None:
    token = street.token("patient/*.cruds", ONE)
    answer = ask(street, "GET", "/Patient", token, Host="ehr.example")
    assert "ehr.example/fhir?" not in answer.text
    assert answer.json()["link"][0]["url"] == f"{street.server.audience}/Patient"
    assert ask(street, "GET", "/Patient", token).json()["link"][0]["url"] == f"{street.door.base}/Patient"


def test_who_is_bound_changes_what_they_have_sent_themselves(own_street: Street) -> None:
    """A Device names nobody by itself: sent beside the patient it is theirs, and stays so when it comes alone."""
    one, other = own_street.patients[ONE], own_street.patients[OTHER]
    device = {"resourceType": "Device", "status": "active", "deviceName": [{"name": "x", "type": "other"}]}
    sent = {**post_of(device), "fullUrl": "urn:uuid:1b1d5f0c-93bb-4a2f-9a63-2f4f8e1f3a11"}
    uses = post_of({**observation(one.id), "device": {"reference": sent["fullUrl"]}})
    bodies = {}
    for number, whom in ((0, one), (1, other)):
        token = as_ehr_names(own_street, "patient/*.cruds", str(number))
        uses["resource"]["subject"] = {"reference": f"Patient/{whom.id}"}
        answer = ask(own_street, "POST", "", token, batch(sent, uses))
        assert statuses(answer) == ["201", "201"]
        bodies[number] = "/".join(answer.json()["entry"][0]["response"]["location"].split("/")[:2])
    token = as_ehr_names(own_street, "patient/*.cruds", "0")
    for path, status in ((bodies[0], 200), (bodies[1], 405)):
        changed = {**device, "id": path.partition("/")[2], "status": "inactive"}
        assert ask(own_street, "PUT", f"/{path}", token, changed).status_code == status
    for path in bodies.values():
        assert ask(own_street, "DELETE", f"/{path}", token).status_code == 204
    assert ask(own_street, "GET", f"/{bodies[0]}", token).status_code == 410
    assert ask(own_street, "GET", f"/{bodies[1]}", as_ehr_names(own_street, "patient/*.rs", "1")).status_code == 200
