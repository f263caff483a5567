"""Small bundles for the record: contents are JSON whose references are the only thing looked at."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from store import intake, jobs, reports
from store.database import Database
from store.incoming import IncomingResource, PatientIdentity, PatientIntake, Received
from store.jobs import Claimed
from store.reports import FinishedReport, ReportDraft, ReportResource

NOW = datetime(2025, 5, 1, 12, 0, tzinfo=UTC)
MRN = "https://hospital.example/mrn"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def rewrite(content: bytes, local: Mapping[str, str]) -> bytes:
    """References of the form {"refers_to": [...]} replaced by ours."""
    read = json.loads(content)
    read["refers_to"] = [local.get(key, key) for key in read["refers_to"]]
    return json.dumps(read).encode()


def content(says: str, *refers_to: str) -> bytes:
    return json.dumps({"says": says, "refers_to": list(refers_to)}).encode()


def resource(
    type_: str,
    says: str,
    *refers_to: str,
    key: str | None = None,
    url: str | None = None,
    identifier: tuple[str, str] | None = None,
    own_id: str | None = None,
    if_match: int | None = None,
    shared: bool = False,
    entry_index: int | None = None,
) -> IncomingResource:
    keys = [name for name in (key, url) if name]
    return IncomingResource(
        type=type_,
        content=content(says, *refers_to),
        local_keys=tuple(keys),
        urls=(url,) if url else (),
        identifiers=(identifier,) if identifier else (),
        own_id=own_id,
        if_match=if_match,
        shared=shared,
        entry_index=entry_index,
    )


def person(
    *resources: IncomingResource,
    mrn: str | None = None,
    system: str = MRN,
    url: str | None = None,
    own_id: str | None = None,
    born: str | None = None,
    sex: str | None = None,
    key: str = "Patient/1",
) -> PatientIntake:
    identity = PatientIdentity(
        identifiers=((system, mrn),) if mrn else (),
        urls=(url,) if url else (),
        own_id=own_id,
        birth_date=born,
        sex=sex,
    )
    return PatientIntake(identity=identity, resources=resources, local_keys=(key,))


def receive(
    database: Database,
    *groups: PatientIntake,
    raw: bytes = b"{}",
    kind: str = "transaction",
    key: str | None = None,
    caller: str = "clinic",
    now: datetime = NOW,
    loose: tuple[IncomingResource, ...] = (),
) -> Received:
    return intake.receive(
        database,
        kind=kind,
        raw=raw,
        caller_id=caller,
        groups=groups,
        loose=loose,
        rewrite=rewrite,
        idempotency_key=key,
        now=now,
    )


def one_job(database: Database, *, mrn: str = "1", raw: bytes = b"{}", now: datetime = NOW) -> str:
    """The id of a job of the patient with this number."""
    return receive(database, person(mrn=mrn), raw=raw, now=now).jobs[0].job_id


def claim(
    database: Database, job_id: str, *, worker: str = "w1", now: datetime = NOW, lease_seconds: float = 60
) -> Claimed | None:
    return jobs.claim(database, job_id, worker=worker, now=now, lease_seconds=lease_seconds)


def must_claim(
    database: Database, job_id: str, *, worker: str = "w1", now: datetime = NOW, lease_seconds: float = 60
) -> Claimed:
    claimed = claim(database, job_id, worker=worker, now=now, lease_seconds=lease_seconds)
    assert claimed is not None
    return claimed


def draft(
    report_id: str, version: int, *, digest: str = "d1", status: str = "preliminary", revision_of: str | None = None
) -> ReportDraft:
    return ReportDraft(
        report_id=report_id,
        version=version,
        status=status,
        content_digest=digest,
        revision_of=revision_of,
        resources=(
            ReportResource(type="DiagnosticReport", id=report_id, content=f"report {version}".encode()),
            ReportResource(type="Observation", id=f"{report_id}-o", content=f"observation {version}".encode()),
        ),
    )


def finish(
    database: Database, claimed: Claimed, kept: ReportDraft | None, *, now: datetime = NOW, outcome: bytes | None = None
) -> FinishedReport:
    return reports.finish(database, claimed, draft=kept, outcome=outcome, now=now)


def fail(database: Database, claimed: Claimed, *, now: datetime) -> str:
    return jobs.fail(
        database, claimed, error_type="ValueError", now=now, retry_delays_seconds=(1.0, 5.0), max_attempts=5
    )
