"""What totals, links, conditions, numbers and repeated sending would tell of what is hidden, or do to it."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa

from fhir_mappings import canonical
from store.tables import patients, resources
from tests.unit.api.access.issuer import bearer
from tests.unit.api.access.neighbours import EHR, MRN, Street, record_of
from tests.unit.api.access.test_ways_around import (
    ONE,
    OTHER,
    as_ehr_names,
    ask,
    batch,
    collection,
    observation,
    post_of,
    relabel,
    statuses,
)


def system_of(street: Street) -> dict[str, str]:
    return bearer(street.server.token(scope="system/*.cruds", client_id="app"))


@pytest.mark.parametrize("scopes", ["system/*.cruds", "patient/*.cruds"])
def test_a_label_is_not_taken_off_by_sending_the_resource_again_by_its_address(own_street: Street, scopes: str) -> None:
    one = own_street.patients[ONE]
    (condition,) = one.ids["Condition"]
    token = as_ehr_names(own_street, scopes, "0")
    relabel(own_street, "Condition", condition)
    assert ask(own_street, "GET", f"/Condition/{condition}/_history/1", token).status_code == 404
    plain = {"resourceType": "Condition", "subject": {"reference": f"{EHR}/Patient/0"}, "code": {"text": "x"}}
    ask(own_street, "POST", "", token, batch({**post_of(plain), "fullUrl": f"{EHR}/Condition/0-c"}))
    shown = ask(own_street, "GET", f"/Condition/{condition}/_history/1", token)
    assert shown.status_code == 404, shown.text


def received_ids(street: Street, type_: str) -> set[str]:
    with street.door.database.read() as connection:
        return set(connection.scalars(sa.select(resources.c.id).where(resources.c.type == type_)))


def sister(street: Street) -> str:
    """What is filed with the one and speaks of the other."""
    one, other = street.patients[ONE], street.patients[OTHER]
    finding = {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{one.id}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]},
        "onsetDateTime": "2019-03-07",
        "asserter": {"reference": f"Patient/{other.id}"},
    }
    sent = ask(street, "POST", "/Condition", bearer(street.server.token()), finding)
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


def test_no_total_counts_what_names_another_patient(own_street: Street) -> None:
    sister(own_street)
    token = as_ehr_names(own_street, "patient/*.rs", "0")
    query = "/Condition?code=http://snomed.info/sct|38341003"
    shown = ask(own_street, "GET", query, token).json()
    assert "entry" not in shown
    counted = ask(own_street, "GET", f"{query}&_summary=count", token).json()
    assert counted.get("total", 0) == 0, counted


def test_a_next_link_names_nothing_that_is_hidden(own_street: Street) -> None:
    identity = sister(own_street)
    token = as_ehr_names(own_street, "patient/*.rs", "0")
    one = ask(own_street, "GET", "/Condition?_count=1", token).json()
    links = {link["relation"]: link["url"] for link in one["link"]}
    cursor = links.get("next", "").partition("_page=")[2]
    said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    assert identity not in said, said


def test_a_number_in_what_is_written_tells_nothing_of_who_is_known_here(own_street: Street) -> None:
    token = as_ehr_names(own_street, "patient/*.cruds", "0")
    one, other = own_street.patients[ONE], own_street.patients[OTHER]
    answers = []
    for mrn in (f"{other.word}-mrn", "nobodys-mrn"):
        subject = {"reference": f"{EHR}/Patient/0", "identifier": {"system": MRN, "value": mrn}}
        body = {**observation(one.id), "subject": subject, "valueString": mrn}
        answers.append(ask(own_street, "POST", "/Observation", token, body).status_code)
    assert answers[0] == answers[1], answers


def test_a_number_in_ones_own_patient_tells_nothing_of_who_is_known_here(own_street: Street) -> None:
    token = as_ehr_names(own_street, "patient/*.cruds", "0")
    one, other = own_street.patients[ONE], own_street.patients[OTHER]
    answers = []
    for mrn in (f"{other.word}-mrn", "nobodys-mrn"):
        body = {"resourceType": "Patient", "id": one.id, "identifier": [{"system": MRN, "value": mrn}]}
        answers.append(ask(own_street, "PUT", f"/Patient/{one.id}", token, body).status_code)
    assert answers[0] == answers[1], answers


def test_a_condition_finds_nothing_that_a_search_would_not(own_street: Street) -> None:
    """What we made rests on a Procedure that is not in these scopes."""
    one = own_street.patients[ONE]
    system = system_of(own_street)
    found = ask(own_street, "GET", f"/Observation?patient={one.id}", system).json()
    made = [e["resource"] for e in found["entry"] if e["resource"]["id"] not in received_ids(own_street, "Observation")]
    coding = made[0]["code"]["coding"][0]
    query = f"code={coding['system']}|{coding['code']}"
    token = as_ehr_names(own_street, "patient/Observation.cruds patient/Patient.r", "0")
    assert "entry" not in ask(own_street, "GET", f"/Observation?{query}", token).json()
    sent = ask(
        own_street, "POST", "/Observation", token, observation(one.id, valueString="q"), **{"If-None-Exist": query}
    )
    assert sent.status_code == 201, (sent.status_code, sent.headers.get("Location"))


def test_correlate_takes_the_right_to_search_for_a_condition(own_street: Street) -> None:
    token = as_ehr_names(own_street, "patient/Observation.c patient/Patient.c patient/DiagnosticReport.cr", "0")
    one = own_street.patients[ONE]
    answers = []
    for query in ("status=final", "status=amended"):
        body = {**observation(one.id), "subject": {"reference": f"{EHR}/Patient/0"}, "valueString": query}
        entry = {"resource": body, "request": {"method": "POST", "url": "Observation", "ifNoneExist": query}}
        sent = ask(own_street, "POST", "/$correlate", token, collection(entry), Prefer="respond-async")
        answers.append(sent.status_code)
        single = ask(own_street, "POST", "/Observation", token, body, **{"If-None-Exist": query})
        assert single.status_code == 403
    assert answers[0] == answers[1], answers


def test_a_patient_is_not_changed_by_who_may_not_write_patients(own_street: Street) -> None:
    one = own_street.patients[ONE]
    token = as_ehr_names(own_street, "patient/DiagnosticReport.cr", "0")
    person = {
        "fullUrl": f"{own_street.door.base}/Patient/{one.id}",
        "resource": {
            "resourceType": "Patient",
            "gender": "male",
            "birthDate": "1999-01-01",
            "meta": {"tag": [{"system": "https://fillertrace.org/fhir/CodeSystem/x", "code": "x"}]},
        },
    }
    person["resource"]["meta"]["tag"][0]["system"] = canonical.CODE_SYSTEM_BASE + "x"
    ask(own_street, "POST", "/$correlate", token, collection(person), Prefer="respond-async")
    with own_street.door.database.read() as connection:
        row = connection.execute(sa.select(patients).where(patients.c.id == one.id)).one()
    feed = ask(
        own_street, "POST", "/$correlate", bearer(own_street.server.token()), record_of(0), Prefer="respond-async"
    )
    assert (row.sex, row.birth_date) == ("female", "1970"), (row, feed.status_code, feed.text)


def test_who_is_bound_refers_to_another_entry_by_a_search(own_street: Street) -> None:
    one = own_street.patients[ONE]
    o = {**observation(one.id), "identifier": [{"system": "https://lab.example", "value": "L1"}]}
    panel = {**observation(one.id), "hasMember": [{"reference": "Observation?identifier=https://lab.example|L1"}]}
    body = {"resourceType": "Bundle", "type": "transaction", "entry": [post_of(o), post_of(panel)]}
    for token in (as_ehr_names(own_street, "patient/*.cruds", "0"), bearer(own_street.server.token())):
        sent = ask(own_street, "POST", "", token, body)
        assert sent.status_code == 200, sent.text


def test_one_entry_that_may_not_be_asked_does_not_fail_a_batch(own_street: Street) -> None:
    one = own_street.patients[ONE]
    token = as_ehr_names(own_street, "patient/Observation.cruds", "0")
    asks = {**observation(one.id), "performer": [{"reference": "Practitioner?identifier=x|y"}]}
    sent = ask(own_street, "POST", "", token, batch(post_of(observation(one.id, valueString="fine")), post_of(asks)))
    assert sent.status_code == 200, sent.text
    assert statuses(sent) == ["201", "403"]


def test_many_references_do_not_break_a_read(own_street: Street) -> None:
    one = own_street.patients[ONE]
    token = as_ehr_names(own_street, "patient/*.cruds", "0")
    many = [{"reference": f"https://x.example/fhir/Observation/{n}"} for n in range(40_000)]
    sent = ask(own_street, "POST", "/Observation", token, {**observation(one.id), "hasMember": many})
    assert sent.status_code in {201, 400, 413, 422}
    assert ask(own_street, "GET", "/Observation", token).status_code == 200


def test_a_transaction_that_reads_tells_nothing_of_what_a_label_hides(own_street: Street) -> None:
    one = own_street.patients[ONE]
    (condition,) = one.ids["Condition"]
    token = system_of(own_street)
    relabel(own_street, "Condition", condition)
    answers = []
    for identity in (condition, "7d7b9ddc-5a0e-4c43-a3d2-54b0c17ef2e4"):
        body = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "GET", "url": f"Condition/{identity}"}}],
        }
        answers.append(ask(own_street, "POST", "", token, body).status_code)
    assert answers[0] == answers[1], answers
