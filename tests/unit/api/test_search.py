"""Search over HTTP, on both databases where they may differ: FHIR R4 https://hl7.org/fhir/R4/search.html."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.unit.api.service import FHIR_JSON, Door, case

LOINC = "http://loinc.org"
STRICT = {"Prefer": "handling=strict"}
OWN_CODE = "https://fillertrace.example/fhir/CodeSystem/report|filler-calcification-correlation"


def _lab(number: int, *, person: str = "urn:uuid:p", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "https://lab.example/order", "value": f"{person}-{number}"}],
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "17861-6" if number % 2 else "2777-1"}]},
        "category": [{"coding": [{"system": "https://a.example", "code": "laboratory"}]}],
        "subject": {"reference": person},
        "effectiveDateTime": f"2019-10-{number + 1:02d}T23:30:00-05:00",
        **more,
    }


def _send(door: Door, *resources: dict[str, Any], mrn: str = "1") -> list[str]:
    """A transaction of one patient and these resources; the places where they went."""
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "https://a.example/mrn", "value": mrn}],
        "name": [{"family": "Muñoz", "given": ["Ana", "María"]}],
        "gender": "female",
        "birthDate": "1970-05",
    }
    entries = [
        {"fullUrl": full_url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for full_url, one in [("urn:uuid:p", patient), *((f"urn:uuid:{at}", one) for at, one in enumerate(resources))]
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = door.client.post("", content=json.dumps(bundle), headers=FHIR_JSON)
    assert answer.status_code == 200, answer.text
    return [entry["response"]["location"].partition("/_history")[0] for entry in answer.json()["entry"]]


def _found(answer: httpx.Response, mode: str = "match") -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "searchset"
    entries = [entry for entry in answer.json().get("entry", ()) if entry["search"]["mode"] == mode]
    return [f"{one['resource']['resourceType']}/{one['resource'].get('id')}" for one in entries]


def _link(answer: httpx.Response, relation: str) -> str | None:
    return next((link["url"] for link in answer.json()["link"] if link["relation"] == relation), None)


@pytest.mark.requirement("HTTP-16")
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("code=17861-6", [1, 3]),
        (f"code={LOINC}|17861-6", [1, 3]),
        (f"code={LOINC}|17861-6,2777-1&status=final", [0, 1, 2, 3]),
        ("code=|17861-6", []),
        (f"code={LOINC}|", [0, 1, 2, 3]),
        ("code=17861-6&code=2777-1", []),
        ("status=amended", []),
        ("category=laboratory&date=2019-10-02", [1]),
        ("date=2019-10", [0, 1, 2, 3]),
        ("date=gt2019-10-02", [2, 3]),
        ("date=ge2019-10-02&date=lt2019-10-04", [1, 2]),
        ("date=2019-10-02T04:30:00Z", [0]),
        ("date=le2019-10-01", [0]),
        ("date=ne2019-10-01", [1, 2, 3]),
        ("date=sa2019-10-03", [3]),
        ("date=eb2019-10-02", [0]),
        ("identifier=urn:uuid:p-2", [2]),
        ("identifier=https://lab.example/order|urn:uuid:p-2", [2]),
        ("identifier=https://other.example|urn:uuid:p-2", []),
        ("_lastUpdated=gt2020", [0, 1, 2, 3]),
        ("_lastUpdated=lt2020", []),
    ],
)
def test_what_fits_is_found(door: Door, query: str, numbers: list[int]) -> None:
    patient, *labs = _send(door, *(_lab(number) for number in range(4)))
    _send(door, _lab(7), mrn="2")
    answer = door.client.get(f"/Observation?patient={patient}&{query}", headers=STRICT)
    assert sorted(_found(answer)) == sorted(labs[number] for number in numbers)
    assert answer.json()["total"] == len(numbers)
    self_link = _link(answer, "self")
    assert self_link is not None
    assert parse_qsl(urlsplit(self_link).query) == [("patient", patient), *parse_qsl(query)]


@pytest.mark.requirement("HTTP-16")
def test_ids_people_and_names(door: Door) -> None:
    patient, lab = _send(door, _lab(1))
    identity = patient.removeprefix("Patient/")
    for asked in (patient, identity, f"{door.base}/{patient}"):
        for name in ("patient", "subject", "subject:Patient"):
            assert _found(door.client.get("/Observation", params={name: asked}, headers=STRICT)) == [lab]
    assert _found(door.client.get(f"/{lab.partition('/')[0]}", params={"_id": f"{identity},{lab[12:]}"})) == [lab]
    for query in ("name=mun", "family=MUÑOZ", "given=maria", "birthdate=1970-05", "gender=female", "birthdate=lt1971"):
        assert _found(door.client.get(f"/Patient?{query}", headers=STRICT)) == [patient], query
    assert _found(door.client.get("/Patient?identifier=https://a.example/mrn|1", headers=STRICT)) == [patient]
    assert _found(door.client.get("/Patient?name=unoz")) == []


@pytest.mark.requirement("HTTP-16")
def test_a_search_by_form_is_the_same(door: Door) -> None:
    patient, lab = _send(door, _lab(1))
    answer = door.client.post("/Observation/_search", data={"patient": patient, "date": "2019-10-02"})
    assert _found(answer) == [lab]
    assert "date=2019-10-02" in str(_link(answer, "self"))
    as_json = door.client.post("/Observation/_search", content="{}", headers=FHIR_JSON)
    assert as_json.status_code == 415


@pytest.mark.requirement("HTTP-16")
def test_count_zero_is_the_number_alone(door: Door) -> None:
    _send(door, *(_lab(number) for number in range(3)))
    for query in ("_count=0", "_summary=count"):
        counted = door.client.get(f"/Observation?{query}").json()
        assert (counted["total"], counted.get("entry")) == (3, None)
    assert "total" not in door.client.get("/Observation?_total=none").json()


@pytest.mark.requirement("HTTP-16")
@pytest.mark.parametrize("order", ["", "_sort=_lastUpdated", "_sort=-_lastUpdated", "_sort=date", "_sort=-date"])
def test_pages_neither_repeat_nor_skip_while_others_write(door: Door, order: str) -> None:
    _, *labs = _send(door, *(_lab(number) for number in range(7)))
    answer = door.client.get(f"/Observation?_count=2&{order}")
    seen = _found(answer)
    dates = [entry["resource"]["effectiveDateTime"] for entry in answer.json()["entry"]]
    for number in range(100):
        onward = _link(answer, "next")
        if onward is None:
            break
        _send(door, _lab(10 + number), mrn=f"later-{number}")
        answer = httpx.get(onward)
        dates += [entry["resource"]["effectiveDateTime"] for entry in answer.json()["entry"]]
        seen += _found(answer)
        if number > 5 and order:  # in these orders what comes later is found later, for ever
            break
    assert len(seen) == len(set(seen))
    assert set(labs) <= set(seen)
    if order.endswith(("=date", "-date")):
        assert dates == sorted(dates, reverse="-" in order)


def test_a_cursor_of_another_search_is_refused(door: Door) -> None:
    for cursor in ("x", "WzFd", "bnVsbA"):
        assert door.client.get(f"/Observation?_page={cursor}").status_code == 400


@pytest.mark.requirement("HTTP-08")
def test_what_is_not_known_is_refused_or_left_out_and_said(door: Door) -> None:
    patient, lab = _send(door, _lab(1))
    query = {"patient": patient, "colour": "red", "_sort": "colour", "_include": "Observation:colour"}
    refused = door.client.get("/Observation", params=query, headers=STRICT)
    assert refused.status_code == 400
    assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "unknown-parameter"
    assert "colour" in refused.json()["issue"][0]["details"]["text"]
    for headers in ({}, {"Prefer": "handling=lenient"}):
        lenient = door.client.get("/Observation", params=query, headers=headers)
        assert _found(lenient) == [lab]
        self_link = str(_link(lenient, "self"))
        assert parse_qsl(urlsplit(self_link).query) == [("patient", patient)]
        (outcome,) = [entry for entry in lenient.json()["entry"] if entry["search"]["mode"] == "outcome"]
        assert "colour" in outcome["resource"]["issue"][0]["details"]["text"]
        assert "red" not in json.dumps(outcome)


@pytest.mark.requirement("HTTP-08")
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("date=yesterday", "date"),
        ("date=ap2019", "date"),
        ("date=2019-13", "date"),
        ("_count=-1", "_count"),
        ("_lastUpdated=soon", "_lastUpdated"),
        ("code:not=x", "code"),
        ("patient=a/b/c", "patient"),
        ("_total=most", "_total"),
        ("_summary=some", "_summary"),
    ],
)
def test_a_value_without_meaning_is_refused_by_name(door: Door, query: str, name: str) -> None:
    answer = door.client.get(f"/Observation?{query}")
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "invalid-parameter"
    assert name in issue["details"]["text"]


@pytest.mark.requirement("HTTP-16")
def test_what_belongs_to_it_comes_along(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    patient = report["subject"]["reference"]
    answer = door.client.get(
        "/DiagnosticReport",
        params=[
            ("code", OWN_CODE),
            ("_include", "DiagnosticReport:result"),
            ("_include", "*:subject"),
            ("_include:iterate", "Observation:derived-from"),
            ("_revinclude", "Provenance:target"),
        ],
        headers=STRICT,
    )
    assert _found(answer) == [f"DiagnosticReport/{report['id']}"]
    along = _found(answer, "include")
    assert {one["reference"] for one in report["result"]} | {patient} <= set(along)
    assert len(along) == len(set(along))
    (provenance,) = [one for one in along if one.startswith("Provenance/")]
    written = door.client.get(f"/{provenance}").json()
    assert written["target"] == [{"reference": f"DiagnosticReport/{report['id']}/_history/1"}]
    evidence = {
        one["reference"].partition("/_history")[0]
        for result in report["result"]
        for one in door.client.get(f"/{result['reference']}").json().get("derivedFrom", ())
    }
    assert evidence
    assert {one for one in evidence if one.startswith(("Observation/", "ImagingStudy/"))} <= set(along)
    people = door.client.get(f"/Patient?_id={patient[8:]}&_revinclude=Observation:subject")
    assert evidence & set(_found(people, "include"))


@pytest.mark.requirement("HTTP-16")
def test_ours_and_the_radiologist_s_are_found_in_one_way(door: Door) -> None:
    report = door.correlate(case("V01"))["entry"][0]["resource"]
    patient = report["subject"]["reference"]
    every = _found(door.client.get("/DiagnosticReport", params={"patient": patient}))
    ours = f"DiagnosticReport/{report['id']}"
    assert _found(door.client.get("/DiagnosticReport", params={"patient": patient, "code": OWN_CODE})) == [ours]
    assert ours in every
    assert len(every) > 1
    by_source = {"patient": "https://ehr.example.org/fhir/Patient/5870057", "code": OWN_CODE}
    assert _found(door.client.get("/DiagnosticReport", params=by_source)) == [ours]
    number = report["identifier"][0]
    assert _found(door.client.get(f"/DiagnosticReport?identifier={number['system']}|{number['value']}")) == [ours]
    body = json.dumps({**report, "status": "final", "resultsInterpreter": [{"display": "Dr A"}]})
    door.client.put(f"/{ours}", content=body, headers={**FHIR_JSON, "If-Match": 'W/"1"'})
    assert _found(door.client.get(f"/DiagnosticReport?code={OWN_CODE}&status=preliminary")) == []
    assert _found(door.client.get(f"/DiagnosticReport?code={OWN_CODE}&status=final")) == [ours]
    results = _found(door.client.get(f"/Observation?patient={patient}&status=final&_count=1000"))
    assert report["result"][0]["reference"] in results


@pytest.mark.requirement("HTTP-16")
def test_what_was_changed_or_deleted_is_found_as_it_is_now(door: Door) -> None:
    patient, lab = _send(door, _lab(1))
    changed = {**door.client.get(f"/{lab}").json(), "status": "entered-in-error"}
    assert door.client.put(f"/{lab}", content=json.dumps(changed), headers=FHIR_JSON).status_code == 200
    assert _found(door.client.get(f"/Observation?patient={patient}&status=final")) == []
    assert _found(door.client.get(f"/Observation?patient={patient}&status=entered-in-error")) == [lab]
    door.client.delete(f"/{lab}")
    assert _found(door.client.get(f"/Observation?patient={patient}")) == []


@pytest.mark.requirement("HTTP-03", "HTTP-16")
def test_a_search_gives_parts_where_parts_are_asked_for(door: Door) -> None:
    _send(door, _lab(1))
    (entry,) = door.client.get("/Observation?_elements=status").json()["entry"]
    assert entry["resource"]["status"] == "final"
    assert "effectiveDateTime" not in entry["resource"]
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


@pytest.mark.parametrize(
    "said",
    [
        ["created", True, "2020-01-01T00:00:00", "x"],
        ["created", True, "0001-01-01T00:00:00+14:00", "x"],
        ["created", True, "2020-01-01T00:00:00+00:00", "\ud800"],
        ["created", True, None, "x"],
        ["created", True],
    ],
)
def test_a_cursor_that_was_changed_is_refused(door: Door, said: list[object]) -> None:
    cursor = urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    answer = door.client.get("/Patient", params={"_page": cursor})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (400, "value")


@pytest.mark.parametrize("query", [{"code": ",".join(["a"] * 400)}, {"code": ["a"] * 400}, {"date": "2020," * 400}])
def test_a_search_takes_four_hundred_values_and_no_more(door: Door, query: dict[str, Any]) -> None:
    assert door.client.get("/Observation", params=query).status_code == 200
    too_many = door.client.get("/Observation", params={**query, "_id": "one-more"})
    assert (too_many.status_code, too_many.json()["issue"][0]["code"]) == (400, "value")


def test_a_count_alone_is_told_whatever_page_is_asked_for(door: Door) -> None:
    _send(door, _lab(1))
    answer = door.client.get("/Observation", params={"_summary": "count", "_count": "5", "_total": "none"}).json()
    assert answer["total"] == 1
    assert "entry" not in answer
