"""Transactions and batches, entry by entry: FHIR R4 http.html#transaction, bundle.html#references."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from store import intake
from tests.examples import SYNTHEA
from tests.unit.api.service import FHIR_JSON, Door, case

MRN = "https://a.example/mrn"
EHR = "https://ehr.example/fhir"
P = "urn:uuid:00000000-0000-4000-8000-000000000001"
OID = "urn:oid:2.16.840.1.113883.1.2"


def _patient(number: str = "1", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": MRN, "value": number}], **more}


def _lab(subject: str = P, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
        "subject": {"reference": subject},
        **more,
    }


def _post(resource: dict[str, Any], full_url: str | None = None) -> dict[str, Any]:
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return {"fullUrl": full_url, **entry} if full_url else entry


def _put(resource: dict[str, Any], full_url: str | None = None, **request: str) -> dict[str, Any]:
    place = f"{resource['resourceType']}/{resource['id']}"
    entry = {"resource": resource, "request": {"method": "PUT", "url": place, **request}}
    return {"fullUrl": full_url, **entry} if full_url else entry


def _ask(method: str, url: str, **request: str) -> dict[str, Any]:
    return {"request": {"method": method, "url": url, **request}}


def _send(door: Door, *entries: dict[str, Any], kind: str = "transaction", **headers: str) -> httpx.Response:
    body = json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries)})
    return door.client.post("", content=body, headers={**FHIR_JSON, **headers})


def _entries(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entry"]
    return entries


def _places(answer: httpx.Response) -> list[str]:
    return [entry["response"].get("location", "").partition("/_history")[0] for entry in _entries(answer)]


def _codes(entry: dict[str, Any]) -> list[str]:
    issues = entry["response"].get("outcome", {"issue": []})["issue"]
    return sorted(issue["details"]["coding"][0]["code"] for issue in issues)


def _read(door: Door, place: str) -> dict[str, Any]:
    answer = door.client.get(f"/{place}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _count(door: Door, type_: str) -> int:
    total: int = door.client.get(f"/{type_}?_count=0").json()["total"]
    return total


@pytest.mark.requirement("HTTP-12")
def test_the_order_is_delete_post_put_get_whatever_the_order_of_the_entries(door: Door) -> None:
    patient, old, kept = _places(_send(door, _post(_patient(), P), _post(_lab(note=[{"text": "old"}])), _post(_lab())))
    changed = {**_read(door, kept), "status": "amended"}
    answer = _send(
        door,
        _ask("GET", f"Observation?patient={patient}&_sort=_lastUpdated"),
        _ask("GET", kept),
        _put(changed),
        _post(_lab(patient, note=[{"text": "new"}])),
        _ask("DELETE", old),
        _ask("HEAD", kept),
    )
    searched, read, _, new, deleted, head = _entries(answer)
    assert read["resource"]["status"] == "amended"
    assert read["response"]["etag"] == 'W/"2"'
    found = {f"Observation/{one['resource']['id']}" for one in searched["resource"]["entry"]}
    assert found == {kept, new["response"]["location"].partition("/_history")[0]}
    assert deleted["response"]["status"].startswith("204")
    assert (head["response"]["status"], head.get("resource")) == ("200 OK", None)
    assert door.client.get(f"/{old}").status_code == 410


@pytest.mark.requirement("HTTP-12")
@pytest.mark.parametrize(
    ("bad", "status", "path"),
    [
        (_ask("GET", "Observation/nobody"), 404, "request.url"),
        (_ask("GET", "Observation?date=soon"), 400, "request.url"),
        (_ask("GET", "Spaceship?date=2020"), 400, "request.url"),
        (_ask("PATCH", "Observation/x"), 400, "request.method"),
        (_ask("DELETE", "Observation?status=final"), 400, "request.url"),
        ({**_post(_lab()), "request": {"method": "PUT", "url": "Observation?status=final"}}, 400, "request.url"),
        (_post(_lab()) | {"request": {"method": "POST", "url": "Patient"}}, 400, "request.url"),
        (_put({**_lab(), "id": "x"}), 405, "request.url"),
        (_put({**_lab(), "id": "x"}, "urn:uuid:00000000-0000-4000-8000-00000000000f"), 405, "request.url"),
    ],
)
def test_one_entry_that_cannot_be_done_fails_all_and_is_named(
    door: Door, bad: dict[str, Any], status: int, path: str
) -> None:
    answer = _send(door, _post(_patient(), P), bad)
    assert answer.status_code == (400 if status == 405 else status)  # the address itself does take POST
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["expression"] == [f"Bundle.entry[1].{path}"]
    assert (_count(door, "Patient"), _count(door, "Observation")) == (0, 0)
    good, refused = _entries(_send(door, _post(_patient(), P), bad, kind="batch"))
    assert good["response"]["status"] == "201 Created"
    assert refused["response"]["status"].startswith(str(status))
    assert "outcome" in refused["response"]


@pytest.mark.requirement("HTTP-12", "HTTP-15")
def test_no_resource_is_changed_twice(door: Door) -> None:
    patient, lab = _places(_send(door, _post(_patient(), P), _post(_lab(), f"{EHR}/Observation/1")))
    one, other = ({**_read(door, lab), "status": status} for status in ("amended", "corrected"))
    pairs = [
        (_put(one), _put(other)),
        (_put(one), _ask("DELETE", lab)),
        (_ask("DELETE", lab), _ask("DELETE", lab)),
        (_put(one), _ask("DELETE", f"{door.base}/{lab}")),
        # The address says that this create is the resource that is updated.
        (_put(one), _post(_lab(f"{door.base}/{patient}", status="corrected"), f"{EHR}/Observation/1")),
        (
            _put({**_lab(patient), "id": "7"}, f"{EHR}/Observation/7"),
            _put({**_lab(patient), "id": "7"}, f"{EHR}/Observation/7"),
        ),
    ]
    for pair in pairs:
        answer = _send(door, *pair)
        assert answer.status_code == 400, answer.text
        places = [path for issue in answer.json()["issue"] for path in issue["expression"]]
        assert {path.partition(".request")[0] for path in places} == {"Bundle.entry[0]", "Bundle.entry[1]"}
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "same-identity"
        assert _read(door, lab)["meta"]["versionId"] == "1"


def test_an_id_of_another_server_is_known_by_its_address(door: Door) -> None:
    patient = _put({**_patient(), "id": "123"}, f"{EHR}/Patient/123")
    lab = _put({**_lab("Patient/123"), "id": "9"}, f"{EHR}/Observation/9")
    first, second = _places(_send(door, patient, lab)), _places(_send(door, patient, lab))
    assert first == second
    assert _read(door, first[1])["subject"] == {"reference": first[0]}
    assert first[0] != "Patient/123"


def test_what_was_deleted_may_be_brought_back_and_versions_are_checked(door: Door) -> None:
    _, lab = _places(_send(door, _post(_patient(), P), _post(_lab())))
    content = _read(door, lab)
    for header in ('W/"7"', "nonsense"):
        for entry in (_put(content, ifMatch=header), _ask("DELETE", lab, ifMatch=header)):
            stale = _send(door, _post(_patient("2")), entry)
            assert stale.status_code == 412
            assert stale.json()["issue"][0]["expression"] == ["Bundle.entry[1].request.ifMatch"]
            alone = _entries(_send(door, _post(_patient("2")), entry, kind="batch"))
            assert [one["response"]["status"][:3] for one in alone] in (["201", "412"], ["200", "412"])
    _send(door, _ask("DELETE", lab))
    (back,) = _entries(_send(door, _put(content)))
    assert back["response"]["location"] == f"{lab}/_history/3"


def test_what_we_made_is_not_changed(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    for entry in (_put(report), _ask("DELETE", f"DiagnosticReport/{report['id']}")):
        answer = _send(door, entry)
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "own-output"
    (read,) = _entries(_send(door, _ask("GET", f"DiagnosticReport/{report['id']}/_history/1"), kind="batch"))
    assert read["resource"] == report


@pytest.mark.requirement("HTTP-11")
def test_a_batch_answers_each_entry_in_its_place(door: Door) -> None:
    (patient,) = _places(_send(door, _post(_patient(), P)))
    answer = _send(
        door,
        _ask("GET", patient),
        _post(_lab(patient)),
        _ask("GET", "Patient/nobody"),
        {"resource": _lab(patient)},
        _ask("GET", f"Patient?identifier={MRN}|1"),
        _ask("DELETE", "Observation/nobody"),
        kind="batch",
    )
    entries = _entries(answer)
    assert answer.json()["type"] == "batch-response"
    assert [one["response"]["status"][:3] for one in entries] == ["200", "201", "404", "400", "200", "204"]
    assert entries[0]["resource"]["id"] == patient.removeprefix("Patient/")
    assert set(entries[1]["response"]) >= {"location", "etag", "lastModified"}
    assert entries[2]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[2].request.url"]
    assert entries[4]["resource"]["total"] == 1


@pytest.mark.requirement("HTTP-07")
def test_what_is_given_back_of_an_entry_is_as_preferred(door: Door) -> None:
    def send(returns: str | None) -> dict[str, Any]:
        headers = {} if returns is None else {"Prefer": f"return={returns}"}
        answer = _send(door, _post(_patient(), P), _post(_lab()), **headers)
        assert answer.headers.get("Preference-Applied") == (returns and f"return={returns}")
        return _entries(answer)[1]

    assert set(send(None)) == {"response"}
    assert set(send("minimal")) == {"response"}
    assert send("representation")["resource"]["code"]["coding"][0]["code"] == "17861-6"
    assert send("OperationOutcome")["response"]["outcome"]["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("HTTP-13")
def test_links_to_entries_are_replaced_wherever_they_stand(door: Door) -> None:
    lab = _lab(
        derivedFrom=[{"reference": OID}],
        performer=[{"reference": "urn:uuid:nobody"}],
        extension=[
            {"url": "https://a.example/uri", "valueUri": OID},
            {"url": "https://a.example/url", "valueUrl": P},
            {"url": "https://a.example/oid", "valueOid": OID},
            {"url": "https://a.example/uuid", "valueUuid": P},
            {"url": "https://a.example/text", "valueString": P},
        ],
        identifier=[{"system": OID, "value": P}],
        text={
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">'
            f'<a href="{P}">p</a><img src="{OID}" alt="{OID}"/><a href="#x">{P}</a></div>',
        },
    )
    patient, here, other = _places(_send(door, _post(_patient(), P), _post(lab, "urn:uuid:lab"), _post(_lab(), OID)))
    written = _read(door, here)
    assert written["subject"] == {"reference": patient}
    assert written["derivedFrom"] == [{"reference": other}]
    assert written["performer"] == [{"reference": "urn:uuid:nobody"}]
    values = [value for one in written["extension"] for name, value in one.items() if name.startswith("value")]
    assert values == [other, patient, other, patient, P]
    assert written["identifier"] == [{"system": OID, "value": P}]
    div = written["text"]["div"]
    assert f'<a href="{patient}">p</a><img src="{other}" alt="{OID}"/><a href="#x">{P}</a>' in div


@pytest.mark.requirement("HTTP-13")
def test_a_reference_to_a_version_leads_to_the_version_that_is_kept(door: Door) -> None:
    def send(status: str) -> list[str]:
        source = _post(_lab(status=status), f"{EHR}/Observation/1")
        user = _post(_lab(derivedFrom=[{"reference": f"{EHR}/Observation/1/_history/4"}]), f"{EHR}/Observation/2")
        return _places(_send(door, _post(_patient(), P), user, source))

    for status, version in (("final", 1), ("final", 1), ("amended", 2)):
        _, user, source = send(status)
        written = _read(door, user)
        assert written["derivedFrom"] == [{"reference": f"{source}/_history/{version}"}]
        assert written["meta"]["versionId"] == str(version)
        assert door.client.get(f"/{source}/_history/{version}").json()["status"] == status


@pytest.mark.requirement("HTTP-13")
def test_references_may_go_round(door: Door) -> None:
    first = _post(_lab(derivedFrom=[{"reference": "urn:uuid:b"}]), "urn:uuid:a")
    second = _post(_lab(hasMember=[{"reference": "urn:uuid:a/_history/1"}, {"reference": "urn:uuid:b"}]), "urn:uuid:b")
    _, one, other = _places(_send(door, _post(_patient(), P), first, second))
    assert _read(door, one)["derivedFrom"] == [{"reference": other}]
    assert _read(door, other)["hasMember"] == [{"reference": f"{one}/_history/1"}, {"reference": other}]


@pytest.mark.requirement("HTTP-18")
@pytest.mark.parametrize(
    ("reference", "resolves", "verdicts"),
    [
        ({"reference": f"{EHR}/Device/1"}, True, []),
        ({"reference": "Device/1"}, True, []),  # from the entry's own fullUrl
        ({"reference": f"{EHR}/Device/1/_history/3"}, True, []),
        ({"reference": "urn:uuid:00000000-0000-4000-8000-00000000000d"}, True, []),
        ({"reference": OID}, True, []),
        ({"reference": "#inside"}, False, []),
        ({"reference": "#"}, False, []),
        ({"reference": "#nobody"}, False, ["dangling-reference"]),
        ({"reference": "Device/3"}, False, ["dangling-reference"]),
        ({"reference": f"{EHR}/Device/3"}, False, ["dangling-reference"]),
        ({"reference": "urn:uuid:00000000-0000-4000-8000-0000000000ff"}, False, ["dangling-reference"]),
        ({"identifier": {"system": "https://a.example/devices", "value": "4"}}, False, ["logical-reference"]),
    ],
)
def test_every_form_of_reference_is_followed_or_spoken_of(
    door: Door, reference: dict[str, Any], resolves: bool, verdicts: list[str]
) -> None:
    device = {"resourceType": "Device", "deviceName": [{"name": "Scanner", "type": "other"}]}
    contained = [{"resourceType": "Device", "id": "inside", "owner": {"reference": "#"}}]
    answer = _send(
        door,
        _post(_patient(), f"{EHR}/Patient/1"),
        _post({**device, "id": "1"}, f"{EHR}/Device/1"),
        _post({**device, "note": [{"text": "b"}]}, "urn:uuid:00000000-0000-4000-8000-00000000000d"),
        _post({**device, "note": [{"text": "c"}]}, OID),
        _post(_lab("Patient/1", device=reference, contained=contained), f"{EHR}/Observation/1"),
    )
    entry = _entries(answer)[4]
    assert _codes(entry) == verdicts
    if verdicts:
        (issue,) = entry["response"]["outcome"]["issue"]
        assert issue["expression"] == ["Bundle.entry[4].resource.device"]
    written = _read(door, _places(answer)[4])["device"]
    if resolves:
        place = written["reference"].partition("/_history")[0]
        assert place in _places(answer)[1:4]
        assert _read(door, place)["resourceType"] == "Device"
        assert ("_history" in written["reference"]) == ("_history" in reference["reference"])
    elif reference.get("reference") == "Device/3":
        assert written == {"reference": f"{EHR}/Device/3"}  # what it means, for Device/3 of ours is another
    else:
        assert written == reference


@pytest.mark.requirement("HTTP-18")
def test_without_full_urls_type_and_id_must_do_and_that_is_said(door: Door) -> None:
    answer = _send(door, _post(_patient(id="p")), _post(_lab("Patient/p")))
    assert _codes(_entries(answer)[1]) == ["lenient-reference"]
    patient, lab = _places(answer)
    assert _read(door, lab)["subject"] == {"reference": patient}
    # What is kept here already is no leniency: it is ours by type and id, or known by its address.
    again = _send(door, _post(_lab(patient)), _post(_lab(f"{door.base}/{patient}", status="amended")))
    assert [_codes(entry) for entry in _entries(again)] == [[], []]


@pytest.mark.requirement("HTTP-18")
def test_what_was_sent_earlier_from_the_same_address_is_no_dead_end(door: Door) -> None:
    _send(door, _post(_patient(), f"{EHR}/Patient/1"))
    entry = _entries(_send(door, _post(_lab(f"{EHR}/Patient/1"), f"{EHR}/Observation/1")))[0]
    assert _codes(entry) == []
    doctors = _lab(performer=[{"reference": f"{EHR}/Practitioner/{number}"} for number in range(3)])
    ((issue,),) = [
        one["response"]["outcome"]["issue"]
        for one in _entries(_send(door, _post(_patient(), P), _post(doctors)))
        if "outcome" in one["response"]
    ]
    assert issue["severity"] == "information"
    assert issue["expression"] == [f"Bundle.entry[1].resource.performer[{number}]" for number in range(3)]


@pytest.mark.requirement("HTTP-14")
def test_a_synthea_patient_needs_the_practitioners_and_organisations(door: Door) -> None:
    record = min(SYNTHEA.glob("*.json"), key=lambda path: path.stat().st_size).read_bytes()
    refused = door.client.post("", content=record, headers=FHIR_JSON)
    assert refused.status_code == 412
    (issue,) = refused.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "no-match"
    entry = json.loads(record)["entry"][int(issue["expression"][0].split("[")[1].split("]")[0])]
    assert "?identifier=" in json.dumps(entry)
    assert _count(door, "Patient") == 0
    wanted = {text for text in _references(json.loads(record)) if text.startswith(("Practitioner?", "Organization?"))}
    stubs = []
    for text in sorted(wanted):
        kind, _, query = text.partition("?identifier=")
        system, _, value = query.partition("|")
        stubs.append(_post({"resourceType": kind, "identifier": [{"system": system, "value": value}]}))
    assert {entry["response"]["status"] for entry in _entries(_send(door, *stubs))} == {"201 Created"}
    taken = door.client.post("", content=record, headers=FHIR_JSON)
    assert taken.status_code == 200, taken.text[:500]
    encounter = next(one for one in _places(taken) if one.startswith("Encounter/"))
    doctor = _read(door, encounter)["participant"][0]["individual"]["reference"]
    assert _read(door, doctor)["resourceType"] == "Practitioner"


def _references(content: Any) -> set[str]:
    if isinstance(content, dict):
        own = content.get("reference")
        return {own} | _below(content.values()) if isinstance(own, str) else _below(content.values())
    return _below(content) if isinstance(content, list) else set()


def _below(children: Any) -> set[str]:
    found: set[str] = set()
    for child in children:
        found |= _references(child)
    return found


def test_a_batch_is_tried_twice_however_many_entries_conflict(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    receive = intake.receive

    def counted(*given: Any, **named: Any) -> Any:
        rounds.append(1)
        return receive(*given, **named)

    monkeypatch.setattr(intake, "receive", counted)
    numbers = [str(number) for number in range(6)]
    stored = _entries(_send(door, *(_post(_patient(one, birthDate="1970-01-01")) for one in numbers)))
    places = [one["response"]["location"].split("/")[1] for one in stored]
    rounds.clear()
    stale = [_put(_patient(one, id=place), ifMatch='W/"7"') for one, place in zip(numbers, places, strict=True)]
    answers = _entries(_send(door, *stale, _post(_patient("new")), kind="batch"))
    assert [one["response"]["status"][:3] for one in answers] == ["412"] * 6 + ["201"]
    assert len(rounds) == 2
    rounds.clear()
    others = [_post(_patient(one, birthDate="1999-09-09")) for one in numbers]
    answers = _entries(_send(door, *others, _post(_patient("newer")), kind="batch"))
    assert [one["response"]["status"][:3] for one in answers] == ["422"] * 6 + ["201"]
    assert len(rounds) == 2


def test_entries_that_would_mix_two_people_are_all_found_at_once(door: Door) -> None:
    """Each costs its own entry alone, and many of them no more attempts than one."""
    people = (_post(_patient("1"), P), _post(_lab()), _post(_patient("2"), OID), _post(_lab(OID)))
    first, lab, second, _ = _places(_send(door, *people))
    taken = [
        _put({**_lab(second), "id": lab.partition("/")[2], "note": [{"text": str(number)}]}) for number in range(40)
    ]
    attempts = []

    def note(connection: sa.Connection) -> None:
        attempts.append(connection)

    sa.event.listen(sa.Engine, "rollback", note)
    try:
        answer = _send(door, *taken, _post(_lab(first, note=[{"text": "fine"}])), kind="batch")
    finally:
        sa.event.remove(sa.Engine, "rollback", note)
    entries = _entries(answer)
    assert [_codes(entry) for entry in entries[:-1]] == [["patient-conflict"]] * len(taken)
    assert entries[-1]["response"]["status"].startswith("201")
    assert len(attempts) < 10
