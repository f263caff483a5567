"""Who may write into one patient's record alone writes nothing else, and nothing at all with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from store import intake, resources
from store.bounds import Bounds
from store.database import Database
from store.errors import OutOfBounds
from store.incoming import Deletion, IncomingResource, PatientIntake, Received
from tests.unit.store.builders import NOW, person, receive, resource, rewrite

EHR = "https://ehr.example/fhir/Patient/1"


def send(
    database: Database,
    *groups: PatientIntake,
    bounds: Bounds,
    loose: Iterable[IncomingResource] = (),
    deletions: Iterable[Deletion] = (),
) -> Received:
    return intake.receive(
        database,
        kind="transaction",
        raw=b"{}",
        caller_id="app",
        groups=groups,
        loose=tuple(loose),
        deletions=tuple(deletions),
        rewrite=rewrite,
        now=NOW,
        bounds=bounds,
    )


def known(database: Database, mrn: str) -> str:
    lab = resource("Observation", "old", identifier=("https://lab.example", mrn))
    return receive(database, person(lab, mrn=mrn)).jobs[0].patient_id


def says(database: Database, patient_id: str) -> list[bytes]:
    return [one.content for one in resources.of_patient(database, patient_id)]


def test_into_the_own_record_and_no_other(database: Database) -> None:
    own, other = known(database, "1"), known(database, "2")
    before = says(database, other)
    bounds = Bounds(patients=frozenset({own}))
    send(database, person(resource("Observation", "new"), mrn="1"), bounds=bounds)
    assert len(says(database, own)) == 2
    for groups in (
        [person(resource("Observation", "new"), mrn="2")],
        [person(resource("Observation", "newer"), mrn="1"), person(resource("Observation", "new"), mrn="2", key="p2")],
        [person(resource("Observation", "new"), mrn="somebody new")],
        [person(mrn="2")],
    ):
        with pytest.raises(OutOfBounds):
            send(database, *groups, bounds=bounds)
    assert len(says(database, own)) == 2
    assert says(database, other) == before


def test_the_own_patient_may_be_new_here_under_their_address(database: Database) -> None:
    bounds = Bounds(patients=frozenset(), addresses=frozenset({EHR}))
    taken = send(database, person(resource("Observation", "new"), url=EHR), bounds=bounds)
    assert len(says(database, taken.jobs[0].patient_id)) == 1
    with pytest.raises(OutOfBounds):
        send(database, person(resource("Observation", "new"), url=f"{EHR}0"), bounds=bounds)


def test_what_is_nobody_s_own_is_not_written(database: Database) -> None:
    own = known(database, "1")
    doctor = resource("Practitioner", "doctor", identifier=("https://npi.example", "7"), shared=True)
    with pytest.raises(OutOfBounds):
        send(database, person(mrn="1"), loose=[doctor], bounds=Bounds(patients=frozenset({own})))
    receive(database, person(mrn="1"), loose=(doctor,))


def test_a_new_version_follows_where_updating_is_allowed(database: Database) -> None:
    own = known(database, "1")
    newer = person(resource("Observation", "newer", identifier=("https://lab.example", "1")), mrn="1")
    with pytest.raises(OutOfBounds):
        send(database, newer, bounds=Bounds(updates=frozenset({"Procedure"})))
    assert b"newer" not in b"".join(says(database, own))
    send(database, newer, bounds=Bounds(updates=frozenset({"Observation"})))
    assert b"newer" in b"".join(says(database, own))


def test_nobody_else_s_resource_is_deleted(database: Database) -> None:
    own, other = known(database, "1"), known(database, "2")
    (theirs,) = resources.of_patient(database, other)
    (mine,) = resources.of_patient(database, own)
    bounds = Bounds(patients=frozenset({own}))
    with pytest.raises(OutOfBounds):
        send(database, bounds=bounds, deletions=[Deletion(type="Observation", id=theirs.id)])
    assert len(says(database, other)) == 1
    send(database, bounds=bounds, deletions=[Deletion(type="Observation", id=mine.id)])
    assert says(database, own) == []
