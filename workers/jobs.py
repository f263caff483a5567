"""This file is the story of one job: a patient's stored history in, one stored report out. Read it first.

RQ may deliver a job twice, workers die, and leases run out. `claim` lets one worker in at a time, `finish` writes the
report and "completed" together or not at all, so running a job again is always safe.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from correlation.assess import assess
from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from fhir_mappings.resource_json import dumps, loads
from fhir_mappings.result_bundle import ReportIdentity, no_report_collection, write_result
from fhir_mappings.timeline import KeptResource, Mapped, timeline_from
from store import jobs, reports, resources
from store.database import Database
from store.errors import LeaseLost, StoreError
from store.outbox import bring_next
from store.queue import Queue
from store.reports import ReportDraft, ReportResource, Standing
from store.settings import StoreSettings
from workers.lease import KeptLease
from workers.retries import worth_another_attempt

_log = structlog.get_logger("fillertrace.worker")
_SIGNED = frozenset({"final", "amended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a worker works with. `worker` is a name no other process has."""

    database: Database
    queue: Queue
    knowledge: Knowledge
    clock: Callable[[], datetime]
    settings: StoreSettings
    software_version: str
    worker: str


_parts: Parts | None = None  # RQ calls a function by name and hands it an id; the rest is set up by main.py


def set_up(parts: Parts) -> None:
    """Give the RQ entry what it works with. Once per process, before the first job."""
    global _parts
    _parts = parts


def correlate_patient(job_id: str) -> None:
    """The RQ entry. Returns nothing and raises nothing: RQ would keep both in Redis."""
    if _parts is None:
        raise RuntimeError("this worker was not started by `fillertrace worker`")
    correlate(job_id, parts=_parts)


def correlate(job_id: str, *, parts: Parts) -> None:
    """Turn what is stored of one patient into one stored report. Safe to run twice."""
    lease_seconds = parts.settings.lease_seconds
    try:
        claimed = jobs.claim(
            parts.database,
            job_id,
            worker=parts.worker,
            now=parts.clock(),
            lease_seconds=lease_seconds,
            max_attempts=parts.settings.max_attempts,
        )
    except StoreError as error:
        _log.warning("job-not-claimed", job=job_id, error=type(error).__name__)  # the relay brings it again
        return
    if claimed is None:
        return
    with KeptLease(parts.database, claimed, clock=parts.clock, lease_seconds=lease_seconds):
        try:
            _report(claimed, parts)
        except LeaseLost:
            _log.warning("lease-lost", job=job_id, attempt=claimed.attempt)
        except Exception as error:
            _note_failure(claimed, error, parts)
    parts.queue.announce(job_id)
    bring_next(parts.database, parts.queue, claimed.patient_id, now=parts.clock())


def _report(claimed: jobs.Claimed, parts: Parts) -> None:
    now = parts.clock()
    kept = [_kept(resource) for resource in resources.of_patient(parts.database, claimed.patient_id)]
    mapped = timeline_from(kept, as_of=now.date(), knowledge=parts.knowledge)
    assessment = assess(mapped.timeline, parts.knowledge, as_of=now.date())
    draft: ReportDraft | None = None
    outcome: bytes | None
    if assessment.attribution is None:
        outcome = _what_is_missing(assessment, mapped, parts)
    else:
        standing = reports.standing(parts.database, claimed.patient_id)
        draft, outcome = _write(assessment, mapped, kept, standing, claimed, now, parts)
    finished = reports.finish(parts.database, claimed, draft=draft, outcome=outcome, now=parts.clock())
    _log.info("job-completed", job=claimed.job_id, report=finished.report_id, version=finished.version)


def _kept(stored: resources.StoredResource) -> KeptResource:
    """A stored resource as the mappings take it: under our id and version."""
    resource = {**loads(stored.content), "id": stored.id}
    resource["meta"] = {**resource.get("meta", {}), "versionId": str(stored.version)}
    return KeptResource(
        reference=f"{stored.type}/{stored.id}",
        resource=resource,
        version=str(stored.version),
        sha256=stored.sha256,
        entry_index=None,
    )


def _write(
    assessment: Assessment,
    mapped: Mapped,
    kept: Sequence[KeptResource],
    standing: Standing,
    claimed: jobs.Claimed,
    now: datetime,
    parts: Parts,
) -> tuple[ReportDraft, bytes | None]:
    """The next version of the living report, or the first of a new one."""
    living = standing.living
    signed_before = living is not None and living.status in _SIGNED
    identity = ReportIdentity(
        report_id=str(uuid.uuid4()) if living is None else living.id,
        version=1 if living is None else living.version + 1,
        status="amended" if signed_before else "preliminary",
        issued=now,
    )
    revision_of = standing.withdrawn_id if living is None else living.revision_of
    written = write_result(
        assessment,
        parts.knowledge,
        mapped=mapped,
        identity=identity,
        own_reference=_own_reference,
        patient_reference=f"Patient/{claimed.patient_id}",
        software_version=parts.software_version,
        changed_after_signature=now.date() if signed_before else None,
        revision_of=revision_of,
        read=kept,
    )
    draft = ReportDraft(
        report_id=identity.report_id,
        version=identity.version,
        status=identity.status,
        content_digest=written.content_digest,
        resources=tuple(
            ReportResource(type=resource["resourceType"], id=resource["id"], content=dumps(resource))
            for resource in written.resources
        ),
        revision_of=revision_of,
    )
    return draft, None if written.outcome is None else dumps(written.outcome)


def _what_is_missing(assessment: Assessment, mapped: Mapped, parts: Parts) -> bytes:
    """No imaging in reach: no report, and an OperationOutcome that says so."""
    collection = no_report_collection(assessment, parts.knowledge, mapped=mapped, full_url=_own_reference)
    return dumps(collection["entry"][0]["resource"])


def _own_reference(type_: str, identity: str) -> str:
    return f"{type_}/{identity}"


def _note_failure(claimed: jobs.Claimed, error: Exception, parts: Parts) -> None:
    """Only the type's name is kept: texts of exceptions may hold values of the record."""
    name = type(error).__name__
    _log.warning("attempt-failed", job=claimed.job_id, attempt=claimed.attempt, error=name)
    try:
        jobs.fail(
            parts.database,
            claimed,
            error_type=name,
            now=parts.clock(),
            retry_delays_seconds=parts.settings.retry_delays_seconds,
            max_attempts=parts.settings.max_attempts,
            again=worth_another_attempt(error),
        )
    except StoreError as second:
        # The lease runs out by itself, and the relay gives the job to another worker.
        _log.warning("failure-not-noted", job=claimed.job_id, error=type(second).__name__)
