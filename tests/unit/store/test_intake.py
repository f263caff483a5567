"""Resources: known again, versioned, rewritten, shared, deleted."""

import json

import pytest

from store import intake, jobs, resources, submissions
from store.database import Database
from store.errors import Gone, NotFound, PatientConflict, VersionConflict
from store.incoming import Deletion, Placed, Received
from tests.unit.store.builders import NOW, later, person, receive, resource, rewrite

URL = "https://clinic.example/fhir/Observation/1"


def _says(database: Database, received: Received) -> list[str]:
    stored = resources.of_patient(database, received.jobs[0].patient_id)
    return sorted(json.loads(one.content)["says"] for one in stored)


def _placed(received: Received) -> list[Placed]:
    return [entry.placed for entry in received.entries]


def test_the_bytes_are_kept_as_they_came(database: Database) -> None:
    raw = b'{ "resourceType": "Bundle", "value": 2.350 }'
    received = receive(database, person(mrn="1"), raw=raw)
    kept = submissions.read(database, received.submission_id)
    assert (kept.raw, kept.caller_id, kept.received_at, kept.answer) == (raw, "clinic", NOW, received)


@pytest.mark.parametrize("name", [{"url": URL}, {"identifier": ("https://clinic.example/order", "9")}])
def test_a_named_resource_is_the_same_one_and_gets_a_version_only_when_it_differs(
    database: Database, name: dict[str, str]
) -> None:
    def send(says: str) -> Received:
        return receive(database, person(resource("Observation", says, **name), mrn="1"))  # type: ignore[arg-type]

    first, same, other = send("2.35"), send("2.35"), send("2.40")
    assert [_placed(one) for one in (first, same, other)] == [[Placed.CREATED], [Placed.UNCHANGED], [Placed.UPDATED]]
    assert {one.entries[0].id for one in (first, same, other)} == {first.entries[0].id}
    assert _says(database, other) == ["2.40"]
    versions = resources.history(database, "Observation", first.entries[0].id)
    assert [version.version for version in versions] == [2, 1]
    old = resources.read(database, "Observation", first.entries[0].id, version=1)
    assert json.loads(old.content)["says"] == "2.35"


def test_the_same_name_of_another_type_is_another_resource(database: Database) -> None:
    number = ("https://clinic.example/order", "9")
    received = receive(
        database,
        person(resource("Observation", "a", identifier=number), resource("Procedure", "a", identifier=number), mrn="1"),
    )
    assert len({entry.id for entry in received.entries}) == 2


def test_a_name_never_reaches_over_to_another_patient(database: Database) -> None:
    number = ("https://clinic.example/order", "9")
    first = receive(database, person(resource("Observation", "a", identifier=number), mrn="1"))
    second = receive(database, person(resource("Observation", "b", identifier=number), mrn="2"))
    assert _says(database, first) == ["a"]
    assert _says(database, second) == ["b"]


def test_a_nameless_resource_with_equal_content_is_the_same_one(database: Database) -> None:
    first = receive(
        database, person(resource("Procedure", "2018", "urn:uuid:a", key="urn:uuid:p"), mrn="1", key="urn:uuid:a")
    )
    again = receive(
        database, person(resource("Procedure", "2018", "urn:uuid:b", key="urn:uuid:q"), mrn="1", key="urn:uuid:b")
    )
    other = receive(
        database, person(resource("Procedure", "2019", "urn:uuid:b", key="urn:uuid:q"), mrn="1", key="urn:uuid:b")
    )
    assert first.entries[0].id == again.entries[0].id != other.entries[0].id
    assert _says(database, other) == ["2018", "2019"]


def test_equal_words_that_refer_to_another_product_are_another_procedure(database: Database) -> None:
    def send(product: str) -> Received:
        device = resource("Device", product, key="Device/1")
        return receive(
            database, person(resource("Procedure", "filler", "Device/1", key="Procedure/1"), device, mrn="1")
        )

    first, again, other = send("A"), send("A"), send("B")
    assert first.entries[0].id == again.entries[0].id != other.entries[0].id
    assert len(_says(database, other)) == 4


def test_equal_content_under_two_addresses_is_two_resources(database: Database) -> None:
    received = receive(
        database,
        person(resource("Procedure", "2018", url=f"{URL}a"), resource("Procedure", "2018", url=f"{URL}b"), mrn="1"),
    )
    assert len({entry.id for entry in received.entries}) == 2


def test_the_same_name_twice_in_one_bundle_is_two_versions_of_one(database: Database) -> None:
    received = receive(
        database, person(resource("Procedure", "2018", url=URL), resource("Procedure", "2019", url=URL), mrn="1")
    )
    assert [(entry.version, entry.placed) for entry in received.entries] == [(1, "created"), (2, "updated")]
    assert len({entry.id for entry in received.entries}) == 1
    assert _says(database, received) == ["2019"]


def test_references_become_ours_in_rings_and_to_earlier_bundles(database: Database) -> None:
    old = receive(database, person(resource("Device", "product", url="https://clinic.example/fhir/Device/7"), mrn="1"))
    ring = receive(
        database,
        person(
            resource("Procedure", "a", "urn:uuid:b", "urn:uuid:a", key="urn:uuid:a"),
            resource(
                "Procedure", "b", "urn:uuid:a", "https://clinic.example/fhir/Device/7", "Patient/1", key="urn:uuid:b"
            ),
            mrn="1",
        ),
    )
    first, second = (f"Procedure/{entry.id}" for entry in ring.entries)
    stored = {one.id: json.loads(one.content) for one in resources.of_patient(database, ring.jobs[0].patient_id)}
    assert stored[ring.entries[0].id]["refers_to"] == [second, first]
    assert stored[ring.entries[1].id]["refers_to"] == [
        first,
        f"Device/{old.entries[0].id}",
        f"Patient/{ring.jobs[0].patient_id}",
    ]


def test_the_patient_resource_has_the_patients_id(database: Database) -> None:
    first = receive(database, person(resource("Patient", "v1", key="Patient/1"), mrn="1"))
    second = receive(database, person(resource("Patient", "v2", key="Patient/1"), mrn="1"))
    assert first.entries[0].id == second.entries[0].id == first.jobs[0].patient_id
    assert second.entries[0].version == 2


def test_what_two_patients_refer_to_is_shared(database: Database) -> None:
    doctor = resource("Practitioner", "doctor", key="Practitioner/1", shared=True, entry_index=2)
    both = receive(
        database,
        person(resource("Observation", "a", "Practitioner/1", entry_index=0), doctor, mrn="1", key="Patient/a"),
        person(resource("Observation", "b", "Practitioner/1", entry_index=1), doctor, mrn="2", key="Patient/b"),
    )
    later_one = receive(database, person(resource("Practitioner", "doctor", key="x", shared=True), mrn="3"))
    assert len(both.entries) == 3
    found = {
        one.id
        for job in (*both.jobs, *later_one.jobs)
        for one in resources.of_patient(database, job.patient_id)
        if one.type == "Practitioner"
    }
    assert len(found) == 1
    assert resources.read(database, "Practitioner", found.pop()).patient_id is None


def test_a_put_by_our_id_is_checked_against_its_version_and_patient(database: Database) -> None:
    first = receive(database, person(resource("Observation", "a"), mrn="1"))
    own_id = first.entries[0].id
    with pytest.raises(VersionConflict) as stale:
        receive(database, person(resource("Observation", "b", own_id=own_id, if_match=2), mrn="1"))
    assert stale.value.current == 1
    with pytest.raises(PatientConflict) as mixed:
        receive(database, person(resource("Observation", "b", own_id=own_id), mrn="2"))
    assert mixed.value.element == "subject"
    changed = receive(database, person(resource("Observation", "b", own_id=own_id, if_match=1), mrn="1"))
    assert changed.entries[0].version == 2
    assert _says(database, changed) == ["b"]


def test_a_deletion_is_a_version_and_starts_a_job(database: Database) -> None:
    first = receive(database, person(resource("Observation", "a", url=URL), mrn="1"))
    own_id = first.entries[0].id

    def delete() -> Received:
        gone = Deletion(type="Observation", id=own_id)
        return intake.receive(
            database, kind="batch", raw=b"", caller_id="c", groups=(), deletions=(gone,), rewrite=rewrite, now=later(9)
        )

    deleted = delete()
    assert (deleted.entries[0].version, deleted.entries[0].placed) == (2, Placed.DELETED)
    assert [job.patient_id for job in deleted.jobs] == [first.jobs[0].patient_id]
    assert _says(database, first) == []
    assert delete().entries[0].placed == Placed.UNCHANGED
    with pytest.raises(Gone):
        resources.read(database, "Observation", own_id)
    assert resources.read(database, "Observation", own_id, version=1).version == 1
    assert [one.deleted for one in resources.history(database, "Observation", own_id)] == [True, False]
    back = receive(database, person(resource("Observation", "a", url=URL), mrn="1"))
    assert (back.entries[0].id, back.entries[0].version) == (own_id, 3)


def test_loose_resources_start_no_job(database: Database) -> None:
    received = receive(database, loose=(resource("Organization", "o", identifier=("https://x", "1")),))
    assert received.jobs == ()
    assert resources.search(database, "Organization")[0].patient_id is None


def test_a_large_bundle_is_stored_in_few_statements(database: Database) -> None:
    many = [resource("Observation", str(number), identifier=("https://x", str(number))) for number in range(3000)]
    received = receive(database, person(*many, mrn="1"))
    assert len(resources.of_patient(database, received.jobs[0].patient_id)) == 3000
    assert {entry.placed for entry in receive(database, person(*many, mrn="1")).entries} == {Placed.UNCHANGED}


def test_a_request_without_a_bundle_starts_a_job_for_a_known_patient_only(database: Database) -> None:
    first = receive(database, person(mrn="1"))
    patient_id = first.jobs[0].patient_id
    started = intake.request(database, patient_id=patient_id, caller_id="c", now=NOW)
    assert jobs.get(database, started.jobs[0].job_id).patient_id == patient_id
    with pytest.raises(NotFound):
        intake.request(database, patient_id="nobody", caller_id="c", now=NOW)
