"""Three patients in one record, each with a word of their own in every text, and a practitioner whom they share."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store.tables import jobs, report_resources, reports, resources, submissions
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import bearer
from tests.unit.api.service import FHIR_JSON, Door

WORDS = ("quokkaberry", "zanzibarium", "wallabynth")
MRN = "https://hospital.example/mrn"
EHR = "https://ehr.example/fhir"
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
_CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One patient: our id, the words that are theirs alone, and every id of ours that is about them, by type."""

    number: int
    id: str
    report_id: str
    word: str
    ids: dict[str, list[str]]
    jobs: list[str]

    @property
    def marks(self) -> frozenset[str]:
        """What may stand in no answer to anybody who may not see this patient."""
        return frozenset({self.id, self.word, *(one for ids in self.ids.values() for one in ids), *self.jobs})


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A running door and the three patients behind it."""

    door: Door
    server: TokenServer
    patients: tuple[Neighbour, ...]

    def token(self, scopes: str, patient: int | None = None, **claims: Any) -> dict[str, str]:
        named = None if patient is None else self.patients[patient].id
        return bearer(self.server.token(scope=scopes, patient=named, client_id="app", sub="sub", **claims))


def readable(text: str) -> str:
    """An answer with its attachments decoded: a report carries its worksheet in base64."""
    data = re.findall(r'"data":\s*"([A-Za-z0-9+/=]+)"', text)
    return "\n".join([text, *(base64.b64decode(one).decode("utf-8", "replace") for one in data)])


def record_of(number: int) -> dict[str, Any]:
    """A record with a word in every text."""
    word = WORDS[number]
    subject = {"reference": f"{EHR}/Patient/{number}"}

    def entry(type_: str, identity: str, **content: Any) -> dict[str, Any]:
        return {"fullUrl": f"{EHR}/{type_}/{number}-{identity}", "resource": {"resourceType": type_, **content}}

    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": f"{EHR}/Patient/{number}",
                "resource": {
                    "resourceType": "Patient",
                    "identifier": [{"system": MRN, "value": f"{word}-mrn"}],
                    "name": [{"family": word}],
                    "birthDate": "1970",
                    "gender": "female",
                },
            },
            entry(
                "Procedure",
                "p",
                status="completed",
                subject=subject,
                code={"text": f"Dermal filler injection, Radiesse ({word})"},
                performedDateTime="2024-10-15",
                bodySite=[{"text": "left cheek"}, {"text": "right cheek"}],
                performer=[{"actor": {"reference": f"{EHR}/Practitioner/shared"}}],
                note=[{"text": f"{word} note"}],
            ),
            entry(
                "ImagingStudy",
                "s",
                status="available",
                subject=subject,
                started="2025-10-15",
                modality=[{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
                description=f"CT face {word}",
            ),
            entry(
                "DiagnosticReport",
                "d",
                status="final",
                subject=subject,
                code={"text": f"CT face report {word}"},
                effectiveDateTime="2025-10-15",
                conclusion=f"Bilateral calcific plaques in the subcutaneous fat of both cheeks, off bone. {word}.",
                imagingStudy=[{"reference": f"{EHR}/ImagingStudy/{number}-s"}],
            ),
            entry(
                "Observation",
                "ca",
                status="final",
                subject=subject,
                category=[{"coding": [{**_CATEGORY, "code": "laboratory"}]}],
                code={"coding": [{"system": "http://loinc.org", "code": "17861-6"}], "text": f"Calcium {word}"},
                effectiveDateTime="2025-10-01",
                valueQuantity={
                    "value": 9.4,
                    "unit": "mg/dL",
                    "system": "http://unitsofmeasure.org",
                    "code": "mg/dL",
                },
                note=[{"text": f"{word} laboratory"}],
            ),
            entry(
                "Observation",
                "im",
                status="final",
                subject=subject,
                category=[{"coding": [{**_CATEGORY, "code": "imaging"}]}],
                code={"text": f"Soft tissue calcification {word}"},
                effectiveDateTime="2025-10-15",
                bodySite={"text": "left cheek"},
                valueString=f"plaque {word}",
            ),
            entry(
                "Condition",
                "c",
                subject=subject,
                code={"text": f"Essential hypertension {word}"},
                clinicalStatus={
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
                },
            ),
            {
                "fullUrl": f"{EHR}/Practitioner/shared",
                "resource": {"resourceType": "Practitioner", "name": [{"family": "Shared"}]},
            },
        ],
    }


def move_in(door: Door, server: TokenServer) -> tuple[Neighbour, ...]:
    """Send the three records, make their reports, and say what is whose."""
    system = bearer(server.token(client_id="loader"))
    for number in range(len(WORDS)):
        sent = door.client.post(
            "/$correlate", json=record_of(number), headers={**FHIR_JSON, "Prefer": "respond-async", **system}
        )
        assert sent.status_code == 202, sent.text
        door.run(sent.headers["Content-Location"].rsplit("/", 1)[1])
    return tuple(neighbour(door, number) for number in range(len(WORDS)))


def neighbour(door: Door, number: int) -> Neighbour:
    """What the record holds of one of them now."""
    with door.database.read() as connection:
        address = f"{EHR}/Procedure/{number}-p"
        patient_id = connection.scalar(sa.select(resources.c.patient_id).where(resources.c.source_url == address))
        ids: dict[str, list[str]] = {}
        for type_, identity in connection.execute(
            sa.select(resources.c.type, resources.c.id).where(resources.c.patient_id == patient_id)
        ):
            ids.setdefault(type_, []).append(identity)
        report_id = connection.scalar(sa.select(reports.c.id).where(reports.c.patient_id == patient_id))
        made = sa.select(report_resources.c.type, report_resources.c.id).where(
            report_resources.c.report_id == report_id, report_resources.c.type.not_in(["Device", "Organization"])
        )
        for type_, identity in connection.execute(made.distinct()):
            ids.setdefault(type_, []).append(identity)
        mine = sa.select(jobs.c.id, jobs.c.submission_id).where(jobs.c.patient_id == patient_id)
        found = [one for row in connection.execute(mine) for one in row]
    return Neighbour(
        number=number, id=str(patient_id), report_id=str(report_id), word=WORDS[number], ids=ids, jobs=found
    )


def state_of(door: Door, one: Neighbour) -> tuple[Any, ...]:
    """What would have changed if somebody had written into this patient's record, or started a job for them."""
    with door.database.read() as connection:
        held = connection.execute(
            sa.select(resources.c.id, resources.c.version, resources.c.deleted)
            .where(resources.c.patient_id == one.id)
            .order_by(resources.c.id)
        ).all()
        begun = connection.scalar(
            sa.select(sa.func.count())
            .select_from(jobs)
            .join(submissions, submissions.c.id == jobs.c.submission_id)
            .where(jobs.c.patient_id == one.id)
        )
        versions = connection.execute(sa.select(reports.c.version).where(reports.c.patient_id == one.id)).all()
    return (tuple(held), begun, tuple(versions))


def shared_in(door: Door) -> dict[str, tuple[int, bool]]:
    """Version and whether deleted of each Practitioner, Device or Organization that stands beside several patients."""
    with door.database.read() as connection:
        rows = connection.execute(
            sa.select(resources.c.id, resources.c.version, resources.c.deleted).where(resources.c.patient_id.is_(None))
        )
        return {row.id: (row.version, row.deleted) for row in rows}
