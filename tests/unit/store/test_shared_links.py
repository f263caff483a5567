"""What is nobody's own belongs to whoever names it, also where it came earlier and alone."""

import pytest

from store import intake, resources
from store.database import Database
from store.incoming import IncomingResource, Received
from tests.unit.store.builders import NOW, person, receive, resource, rewrite


def _alone(database: Database, *loose: IncomingResource) -> Received:
    return intake.receive(
        database, kind="create", raw=b"", caller_id="me", groups=(), loose=loose, rewrite=rewrite, now=NOW
    )


@pytest.fixture
def device(database: Database) -> str:
    (entry,) = _alone(database, resource("Device", "filler")).entries
    return entry.id


def _has(database: Database, patient_id: str, identity: str) -> bool:
    return identity in {one.id for one in resources.of_patient(database, patient_id)}


def test_a_device_that_came_alone_belongs_to_who_names_it_later(database: Database, device: str) -> None:
    ours = receive(database, person(resource("Procedure", "injection", f"Device/{device}"), mrn="1"))
    other = receive(database, person(resource("Procedure", "none"), mrn="2"))
    assert _has(database, ours.jobs[0].patient_id, device)
    assert not _has(database, other.jobs[0].patient_id, device)


def test_its_new_version_concerns_them_all(database: Database, device: str) -> None:
    named = [
        receive(database, person(resource("Procedure", "injection", f"Device/{device}"), mrn=mrn)).jobs[0].patient_id
        for mrn in ("1", "2")
    ]
    changed = _alone(database, resource("Device", "another filler", own_id=device))
    assert {job.patient_id for job in changed.jobs} == set(named)
    same = _alone(database, resource("Device", "another filler", own_id=device))
    assert same.jobs == ()


def test_a_practitioner_s_new_name_concerns_nobody(database: Database) -> None:
    (entry,) = _alone(database, resource("Practitioner", "Dr A", shared=True)).entries
    receive(database, person(resource("Procedure", "injection", f"Practitioner/{entry.id}"), mrn="1"))
    assert _alone(database, resource("Practitioner", "Dr B", own_id=entry.id, shared=True)).jobs == ()


def test_what_is_another_patient_s_own_is_not_shared_by_naming_it(database: Database) -> None:
    theirs = receive(database, person(resource("Device", "implant"), mrn="1")).entries[0].id
    ours = receive(database, person(resource("Procedure", "injection", f"Device/{theirs}"), mrn="2"))
    assert not _has(database, ours.jobs[0].patient_id, theirs)
