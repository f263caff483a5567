"""What is fetched of a patient, and what is said of each type that could not be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ehr.errors import NotThere
from ehr.history import MAXIMUM_REFERRED, SEARCHED_TYPES, History, Seen, fetch_history
from tests.servers.loopback import HANG_UP, Received, Reply, reply
from tests.unit.ehr.clients import client_of, searchset

PATIENT = {"resourceType": "Patient", "id": "12"}
ALL_TYPES = [*SEARCHED_TYPES, "Medication", "Practitioner", "Organization", "Patient"]
Answers = Mapping[str, Reply | Callable[[Received], Reply]]


def resource(type_: str, id_: str = "1", **more: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": id_, "subject": {"reference": "Patient/12"}, **more}


def outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def server(answers: Answers, *, types: list[str] | None = None) -> Callable[[Received], Reply]:
    """A FHIR server of Patient 12 that answers `Type` or `Type/id` as it is told, and any other search with nothing."""

    def answer(request: Received) -> Reply:
        path = urlsplit(request.path).path.removeprefix("/fhir/")
        if path == "metadata":
            rows = [{"type": type_} for type_ in (types or ALL_TYPES)]
            return reply({"resourceType": "CapabilityStatement", "rest": [{"mode": "server", "resource": rows}]})
        found = answers.get(path, reply(PATIENT) if path == "Patient/12" else None)
        if found is None:
            return reply({}, status=404) if "/" in path else reply(searchset())
        return found if isinstance(found, Reply) else found(request)

    return answer


def fetch(answers: Answers, *, types: list[str] | None = None, **how: Any) -> History:
    with client_of(server(answers, types=types), attempts=2, **how) as (client, _):
        return fetch_history(client, "12", is_own_output=lambda one: one["id"].startswith("ours"))


def outcomes(history: History) -> dict[str, tuple[int, Seen]]:
    return {visit.type: (visit.count, visit.outcome) for visit in history.visits}


def names(history: History) -> list[str]:
    return [f"{entry['resource']['resourceType']}/{entry['resource']['id']}" for entry in history.bundle["entry"]]


def test_every_type_is_searched_by_patient_and_the_patient_comes_first() -> None:
    asked: list[tuple[str, dict[str, list[str]]]] = []

    def note(request: Received) -> Reply:
        parts = urlsplit(request.path)
        asked.append((parts.path.rpartition("/")[2], parse_qs(parts.query)))
        return reply(searchset(resource(asked[-1][0])))

    steps: list[tuple[str, int, int]] = []
    with client_of(server(dict.fromkeys(SEARCHED_TYPES, note))) as (client, there):
        history = fetch_history(client, "12", is_own_output=lambda _: False, progress=lambda *step: steps.append(step))
    assert asked == [(type_, {"patient": ["12"], "_count": ["200"]}) for type_ in SEARCHED_TYPES]
    assert names(history) == ["Patient/12", *(f"{type_}/1" for type_ in SEARCHED_TYPES)]
    assert history.bundle["entry"][0]["fullUrl"] == f"{there.base_url}/fhir/Patient/12"
    assert set(outcomes(history).values()) == {(1, Seen.SEEN), (0, Seen.SEEN)}
    assert [step[1] for step in steps] == list(range(len(SEARCHED_TYPES) + 2))
    assert {step[2] for step in steps} == {len(steps)}
    assert history.references()["Procedure/1"] == history.references()[f"{there.base_url}/fhir/Procedure/1"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply({}, status=403), Seen.NOT_PERMITTED),
        (reply({}, status=401), Seen.NOT_PERMITTED),
        (reply({}, status=404), Seen.NOT_OFFERED),
        (reply({}, status=501), Seen.NOT_OFFERED),
        (reply(outcome("not-supported"), status=400), Seen.NOT_OFFERED),
        (reply(outcome("invalid"), status=400), Seen.NOT_FETCHED),
        (reply({}, status=500), Seen.NOT_FETCHED),
        (reply({}, status=429), Seen.NOT_FETCHED),
        (HANG_UP, Seen.NOT_FETCHED),
        (reply(b"<html>", Content_Type="text/html"), Seen.NOT_FETCHED),
        (reply(PATIENT), Seen.NOT_FETCHED),
        (reply(searchset(outcome("suppressed"))), Seen.NOT_PERMITTED),
        (reply(searchset(outcome("security"))), Seen.NOT_PERMITTED),
        (reply(searchset(outcome("informational"))), Seen.SEEN),
    ],
)
def test_one_type_that_fails_never_costs_the_others(answer: Reply, expected: Seen) -> None:
    history = fetch({"Condition": answer, "Procedure": reply(searchset(resource("Procedure")))})
    assert outcomes(history)["Condition"] == (0, expected)
    assert outcomes(history)["Procedure"] == (1, Seen.SEEN)
    assert {type_ for type_, (_, seen) in outcomes(history).items() if seen is not Seen.SEEN} <= {"Condition"}


@pytest.mark.parametrize(
    ("answer", "interrupted"),
    [
        (reply(searchset()), False),
        (reply({}, status=403), False),
        (reply(b"<html>", Content_Type="text/html"), False),
        (reply({}, status=503), True),
        (HANG_UP, True),
    ],
)
def test_what_fails_for_the_moment_is_told_from_what_fails_for_good(answer: Reply, interrupted: bool) -> None:
    procedure = reply(searchset(resource("Procedure", told=[{"reference": "Device/d1"}])))
    assert fetch({"Condition": answer}).interrupted is interrupted
    assert fetch({"Procedure": procedure, "Device/d1": answer}).interrupted is interrupted


def test_a_type_the_server_does_not_list_is_not_asked_for() -> None:
    def never(_request: Received) -> Reply:
        raise AssertionError("not to be asked")

    without = [type_ for type_ in ALL_TYPES if type_ != "Specimen"]
    assert outcomes(fetch({"Specimen": never}, types=without))["Specimen"] == (0, Seen.NOT_OFFERED)


def test_a_server_that_does_not_say_what_it_offers_is_asked_for_all() -> None:
    history = fetch({"metadata": reply({}, status=403), "Procedure": reply(searchset(resource("Procedure")))})
    assert outcomes(history)["Procedure"] == (1, Seen.SEEN)


@pytest.mark.parametrize(
    ("status", "expected"), [(403, Seen.NOT_PERMITTED), (404, Seen.NOT_FETCHED), (500, Seen.NOT_FETCHED)]
)
def test_what_was_read_before_a_failure_is_kept_and_the_rest_is_said(status: int, expected: Seen) -> None:
    def pages(request: Received) -> Reply:
        if "page=2" in request.path:
            return reply({}, status=status)
        return reply(searchset(resource("Observation"), next_url="?page=2"))

    assert outcomes(fetch({"Observation": pages}))["Observation"] == (1, expected)


@pytest.mark.parametrize(
    "stranger",
    [
        resource("Observation", "2", subject={"reference": "Patient/13"}),
        resource("Observation", "2", subject={"reference": "https://ehr.example/fhir/Patient/13/_history/2"}),
        resource("Observation", "2", subject={"reference": "https://ehr.example/fhir/Patient/12"}),
        resource("Observation", "2", subject=[{"reference": "Patient/12"}, {"reference": "Patient/13"}]),
        resource("Observation", "2", patient={"reference": "Patient/13"}),
        resource("Observation", "2", individual={"reference": "Patient/13"}),
        {"resourceType": "Patient", "id": "13"},
    ],
)
def test_a_server_that_sends_other_patients_is_not_believed(stranger: dict[str, Any]) -> None:
    history = fetch({"Observation": reply(searchset(resource("Observation"), stranger))})
    assert outcomes(history)["Observation"] == (0, Seen.NOT_FETCHED)
    assert names(history) == ["Patient/12"]


@pytest.mark.parametrize(
    "unclear",
    [
        resource("Observation", "2", subject={"identifier": {"system": "urn:mrn", "value": "13"}}),
        resource("Observation", "2", subject={"reference": "", "identifier": {"system": "urn:mrn", "value": "13"}}),
        resource("Observation", "2", subject={"reference": 7}),
        resource("Observation", "2", subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}]),
        resource("Observation", "2", subject={"reference": "Patient?identifier=urn:mrn|13"}),
        resource("Observation", "2", subject={"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}),
        resource("Observation", "2", subject={"reference": "Patient/12/_history/a_b"}),
        resource("Observation", "2", subject={"reference": "Group/1"}),
        resource("Observation", "2", **{"for": {"identifier": {"system": "urn:mrn", "value": "13"}}}),
        resource("Observation", "no id of FHIR's form"),
    ],
)
def test_what_does_not_say_clearly_that_it_is_theirs_is_left_out_and_said(unclear: dict[str, Any]) -> None:
    history = fetch({"Observation": reply(searchset(resource("Observation"), unclear))})
    assert outcomes(history)["Observation"] == (1, Seen.NOT_FETCHED)
    assert names(history) == ["Patient/12", "Observation/1"]


@pytest.mark.parametrize("nobody", [None, {}, {"display": "the patient"}, [], {"reference": ""}])
def test_what_names_nobody_is_of_the_patient_it_was_found_by(nobody: Any) -> None:
    history = fetch({"Observation": reply(searchset(resource("Observation", "2", subject=nobody)))})
    assert outcomes(history)["Observation"] == (1, Seen.SEEN)


def test_the_patient_may_be_named_by_their_address_on_that_server() -> None:
    def own(request: Received) -> Reply:
        address = f"http://{request.headers['host']}/fhir/Patient/12/_history/3"
        return reply(searchset(resource("Observation", subject={"reference": address})))

    assert outcomes(fetch({"Observation": own}))["Observation"] == (1, Seen.SEEN)


@pytest.mark.parametrize(
    "owner", [{"reference": "Patient/13"}, {"identifier": {"system": "urn:mrn", "value": "13"}}, {"reference": "#p"}]
)
def test_what_is_referred_to_and_is_somebody_elses_is_left_out_and_said(owner: dict[str, Any]) -> None:
    procedure = reply(searchset(resource("Procedure", told=[{"reference": "Device/d1"}, {"reference": "Device/d2"}])))
    devices = {
        "Device/d1": reply({"resourceType": "Device", "id": "d1", "patient": owner}),
        "Device/d2": reply({"resourceType": "Device", "id": "d2", "patient": {"reference": "Patient/12"}}),
    }
    history = fetch({"Procedure": procedure, **devices})
    assert outcomes(history)["Device"] == (1, Seen.NOT_FETCHED)
    assert names(history) == ["Patient/12", "Procedure/1", "Device/d2"]


def test_what_the_record_refers_to_is_read_on_the_same_server_only() -> None:
    def statement(request: Received) -> Reply:
        base_url = f"http://{request.headers['host']}/fhir"
        told = [
            {"reference": f"{base_url}/Medication/m1/_history/3"},
            {"reference": "Organization/o1"},
            {"reference": "https://elsewhere.example/fhir/Organization/o2"},
            {"reference": "Organization/gone"},
            {"reference": "#inside"},
            {"reference": "Location/l1"},
        ]
        return reply(searchset(resource("MedicationStatement", told=told)))

    answers = {
        "MedicationStatement": statement,
        "Medication/m1": reply({"resourceType": "Medication", "id": "m1", "manufacturer": {"reference": "Device/d1"}}),
        "Organization/o1": reply({"resourceType": "Organization", "id": "o1"}),
        "Device/d1": reply({"resourceType": "Device", "id": "d1"}),
    }
    with client_of(server(answers)) as (client, there):
        history = fetch_history(client, "12", is_own_output=lambda _: False)
        read = [request.path for request in there.received if "?" not in request.path]
    assert names(history)[2:] == ["Medication/m1", "Organization/o1", "Device/d1"]
    assert outcomes(history)["Medication"] == (1, Seen.SEEN)
    assert read.count("/fhir/Organization/gone") == 1
    assert not [path for path in read if "o2" in path or "Location" in path]


@pytest.mark.parametrize(
    ("answer", "expected"), [(reply({}, status=403), Seen.NOT_PERMITTED), (reply({}, status=503), Seen.NOT_FETCHED)]
)
def test_a_referred_type_that_cannot_be_read_is_said(answer: Reply, expected: Seen) -> None:
    told = [{"reference": "Device/d1"}, {"reference": "Device/d2"}]
    history = fetch({"Procedure": reply(searchset(resource("Procedure", told=told))), "Device/d1": answer})
    assert outcomes(history)["Device"] == (0, expected)


def test_no_endless_number_of_references_is_followed() -> None:
    told = [{"reference": f"Practitioner/p{number}"} for number in range(MAXIMUM_REFERRED + 5)]
    with client_of(server({"Procedure": reply(searchset(resource("Procedure", told=told)))})) as (client, there):
        history = fetch_history(client, "12", is_own_output=lambda _: False)
        read = [request.path for request in there.received if "/Practitioner/" in request.path]
    assert len(read) == MAXIMUM_REFERRED
    assert outcomes(history)["Practitioner"] == (0, Seen.NOT_FETCHED)


def test_what_we_made_ourselves_is_no_part_of_the_record_and_leads_nowhere() -> None:
    ours = resource("DiagnosticReport", "ours-1", told={"reference": "Device/ours-2"})
    history = fetch({"DiagnosticReport": reply(searchset(ours, resource("DiagnosticReport", "2")))})
    assert names(history) == ["Patient/12", "DiagnosticReport/2"]
    assert [one["id"] for one in history.own_output] == ["ours-1"]
    assert outcomes(history)["DiagnosticReport"] == (1, Seen.SEEN)


def test_a_record_larger_than_we_read_is_cut_and_said() -> None:
    def flood(request: Received) -> Reply:
        number = int(request.path.rpartition("=")[2]) if "page=" in request.path else 0
        page = [resource("Observation", f"{number}-{at}", x="y" * 1000) for at in range(10)]
        return reply(searchset(*page, next_url=f"?page={number + 1}"))

    history = fetch({"Observation": flood, "Procedure": reply(searchset(resource("Procedure")))}, max_bytes=50_000)
    count, seen = outcomes(history)["Observation"]
    assert seen is Seen.NOT_FETCHED
    assert 10 <= count <= 50
    assert outcomes(history)["Procedure"] == (1, Seen.SEEN)


def test_without_the_patient_there_is_no_record() -> None:
    with pytest.raises(NotThere):
        fetch({"Patient/12": reply({}, status=404)})
