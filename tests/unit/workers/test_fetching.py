"""What an EHR says changes the record of its own patients, and of nobody it was not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from admission.fetched import intake_of
from admission.rewriting import rewrite_references
from store import intake, resources
from store.database import Database
from store.fetched import withheld_of
from store.queue import Queue
from store.tables import patients
from tests.servers.loopback import reply
from tests.unit.ehr.clients import searchset
from tests.unit.workers.ehr_server import Errands, errands_of

ELSEWHERE = "https://other.example/fhir"
MRN = {"system": "https://other.example/mrn", "value": "13"}


@pytest.fixture
def errands(database: Database, queue: Queue) -> Iterator[Errands]:
    with errands_of(database, queue) as running:
        yield running


@pytest.fixture
def somebody(errands: Errands) -> str:
    """Our id of a patient who came from another EHR."""
    raw, brought = intake_of(ELSEWHERE, [{"resourceType": "Patient", "id": "13", "identifier": [MRN]}])
    received = intake.receive(
        errands.parts.database,
        kind="correlate",
        raw=raw,
        caller_id="clinic",
        groups=brought.groups,
        rewrite=rewrite_references,
        now=errands.now,
    )
    return received.jobs[0].patient_id


def merged(errands: Errands) -> list[str | None]:
    with errands.parts.database.read() as connection:
        return list(connection.scalars(sa.select(patients.c.merged_into)))


@pytest.mark.parametrize("kind", ["replaces", "replaced-by"])
@pytest.mark.parametrize(
    "other",
    [
        {"reference": f"{ELSEWHERE}/Patient/13"},
        {"reference": "urn:fillertrace:nowhere/Patient/{}"},
        {"identifier": MRN},
    ],
)
def test_an_ehr_does_not_merge_the_patients_of_another(
    errands: Errands, somebody: str, kind: str, other: dict[str, Any]
) -> None:
    named = {name: value.format(somebody) if isinstance(value, str) else value for name, value in other.items()}
    errands.add("Patient", "1", link=[{"type": kind, "other": named}])
    errands.add("ImagingStudy", "ct", status="available", subject={"reference": "Patient/1"})
    assert errands.listen()
    assert errands.fetch()
    assert merged(errands) == [None, None]


@pytest.mark.parametrize(
    "subject",
    [
        {"identifier": MRN},
        {"reference": f"{ELSEWHERE}/Patient/13"},
        {"reference": "#p"},
        {"reference": f"Patient?identifier={MRN['system']}|{MRN['value']}"},
    ],
)
def test_an_ehr_files_nothing_for_a_patient_it_was_not_asked_for(
    errands: Errands, somebody: str, subject: dict[str, Any]
) -> None:
    contained = [{"resourceType": "Patient", "id": "p", "identifier": [MRN]}]
    strange = {
        "resourceType": "Condition",
        "id": "1",
        "subject": subject,
        "contained": contained,
        "code": {"text": "x"},
    }
    errands.add_patient("1")
    errands.answers["Condition?"] = reply(searchset(strange))
    assert errands.listen()
    assert errands.fetch()
    assert [one.type for one in resources.of_patient(errands.parts.database, somebody)] == ["Patient"]
    with errands.parts.database.read() as connection:
        (asked,) = connection.scalars(sa.select(patients.c.id).where(patients.c.id != somebody))
    assert [one.data for one in withheld_of(errands.parts.database, asked)] == ["conditions"]
