"""A worker's errands against a real HAPI server, one at a time: who is fetched, and from where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from admission.incoming import intake_from
from admission.rewriting import rewrite_references
from ehr.client import FhirClient
from ehr.settings import EhrSettings
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.resource_json import dumps
from store import intake, jobs, resources
from store.database import Database
from store.job_states import Status
from store.queue import Queue
from store.settings import StoreSettings
from tests.servers.hapi import HapiServer
from tests.unit.api.service import KNOWLEDGE
from tests.unit.workers.conftest import database, empty_url, queue
from workers.fetching import fetch_next
from workers.jobs import Parts
from workers.servers import Servers

__all__ = ["database", "empty_url", "queue"]


@pytest.fixture
def parts(database: Database, queue: Queue, hapi_server: HapiServer) -> Parts:
    return Parts(
        database=database,
        queue=queue,
        knowledge=KNOWLEDGE,
        clock=lambda: datetime.now(UTC),
        settings=StoreSettings(),
        software_version="test",
        worker="w1",
        ehr=EhrSettings(servers=(f"hapi={hapi_server.base_url}",), allow=("127.0.0.1",)),
    )


@pytest.fixture
def servers(parts: Parts) -> Iterator[Servers]:
    servers = Servers(parts.ehr)
    yield servers
    servers.close()


@pytest.fixture
def there(servers: Servers) -> FhirClient:
    return servers.client("hapi")


def put(client: FhirClient, *resources_: dict[str, Any]) -> list[str]:
    """Create resources on the server; their ids there."""
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources_]
    created = client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    return [entry["response"]["location"].split("/")[1] for entry in created["entry"]]


def patient(number: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "https://hospital.example/mrn", "value": number}],
        **more,
    }


def received(parts: Parts, resource: dict[str, Any]) -> str:
    """A patient brought here by somebody; their id here."""
    raw = dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]})
    parsed = parse_bundle(raw)
    brought = intake_from(
        parsed, sort_by_patient(parsed), base_url="https://us.example", held=lambda *_: False, keep_empty_groups=True
    )
    taken = intake.receive(
        parts.database,
        kind="correlate",
        raw=raw,
        caller_id="tests",
        groups=brought.groups,
        rewrite=rewrite_references,
        now=parts.clock(),
    )
    return taken.jobs[0].patient_id


def fetched(parts: Parts, servers: Servers, patient_id: str) -> jobs.Job:
    """Ask for a fetch, and have it done."""
    asked = intake.request(parts.database, patient_id=patient_id, caller_id="tests", now=parts.clock(), source="hapi")
    assert fetch_next(parts, servers)
    return jobs.get(parts.database, asked.jobs[0].job_id)


def test_who_was_brought_by_hand_is_found_by_identifier(parts: Parts, servers: Servers, there: FhirClient) -> None:
    number = f"a,b|c$d\\e {uuid4().hex}"  # every mark that means something in a search
    (remote,) = put(there, patient(number))
    put(there, observation(remote))
    ours = received(parts, patient(number))
    job = fetched(parts, servers, ours)
    assert job.error_type is None
    kept = resources.of_patient(parts.database, ours)
    assert {one.type for one in kept} == {"Patient", "Observation"}


def observation(remote: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Calcium"},
        "subject": {"reference": f"Patient/{remote}"},
    }


def test_who_is_not_there_or_there_twice_is_not_guessed(parts: Parts, servers: Servers, there: FhirClient) -> None:
    number = uuid4().hex
    ours = received(parts, patient(number))
    nobody = fetched(parts, servers, ours)
    assert (nobody.status, nobody.error_type) == (Status.FAILED, "NotThere")
    put(there, patient(number), patient(number, gender="female"))
    two = fetched(parts, servers, ours)
    assert (two.status, two.error_type) == (Status.FAILED, "NotThere")


def test_a_contradiction_is_refused_and_nothing_of_it_is_kept(
    parts: Parts, servers: Servers, there: FhirClient
) -> None:
    number = uuid4().hex
    (remote,) = put(there, patient(number, birthDate="1950-01-01"))
    put(there, observation(remote))
    ours = received(parts, patient(number, birthDate="1990-12-31"))
    before = [one.id for one in resources.of_patient(parts.database, ours)]
    job = fetched(parts, servers, ours)
    assert (job.status, job.error_type) == (Status.FAILED, "PatientConflict")
    assert [one.id for one in resources.of_patient(parts.database, ours)] == before
    assert "1950" not in json.dumps(job.error_type)
