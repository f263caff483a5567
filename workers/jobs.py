"""This file is the story of one job: a patient's stored history in, one stored report out. Read it first.

RQ may deliver a job twice, workers die, and leases run out. `claim` lets one worker in at a time, `finish` writes the
report and "completed" together or not at all, so running a job again is always safe.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from admission.search_terms import report_resource
from admission.withheld import read_withheld
from correlation.catalogue import Knowledge
from ehr.settings import EhrSettings
from fhir_mappings.basis import Basis, write_basis
from fhir_mappings.recomputed import AMENDED, Assessed, assessed, kept_from_record, own_reference, write_version
from fhir_mappings.resource_json import dumps
from fhir_mappings.result_bundle import ReportIdentity, no_report_collection
from fhir_mappings.timeline import KeptResource
from store import jobs, reports, resources
from store.database import Database
from store.errors import LeaseLost, StoreError
from store.fetched import withheld_of
from store.outbox import bring_next
from store.queue import Queue
from store.reports import ReportDraft, Standing
from store.settings import StoreSettings
from workers.error_words import words_of
from workers.lease import KeptLease
from workers.retries import worth_another_attempt

_log = structlog.get_logger("fillertrace.worker")
_SIGNED = frozenset({"final", AMENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a worker works with. `worker` is a name no other process has; `ehr` are the servers we call."""

    database: Database
    queue: Queue
    knowledge: Knowledge
    clock: Callable[[], datetime]
    settings: StoreSettings
    software_version: str
    worker: str
    ehr: EhrSettings = field(default_factory=EhrSettings)


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
    with KeptLease(lambda: renew(claimed, parts), lease_seconds=lease_seconds):
        try:
            _report(claimed, parts)
        except LeaseLost:
            _log.warning("lease-lost", job=job_id, attempt=claimed.attempt)
        except Exception as error:
            note_failure(claimed, error, parts)
    parts.queue.announce(job_id)
    bring_next(parts.database, parts.queue, claimed.patient_id, now=parts.clock())


def _report(claimed: jobs.Claimed, parts: Parts) -> None:
    now = parts.clock()
    loaded = resources.of_patient(parts.database, claimed.patient_id)
    withheld = read_withheld(withheld_of(parts.database, claimed.patient_id))
    kept = [_kept(resource) for resource in loaded]
    found = assessed(kept, as_of=now.date(), knowledge=parts.knowledge, withheld=withheld)
    draft: ReportDraft | None = None
    outcome: bytes | None
    if found.assessment.attribution is None:
        outcome = _what_is_missing(found)
    else:
        standing = reports.standing(parts.database, claimed.patient_id)
        draft, outcome = _write(found, replace(_basis(loaded, standing, claimed, now, parts), withheld=withheld))
    finished = reports.finish(
        parts.database,
        claimed,
        draft=draft,
        outcome=outcome,
        now=parts.clock(),
        write_back_to=parts.ehr.write_back_bases(),
    )
    _log.info("job-completed", job=claimed.job_id, report=finished.report_id, version=finished.version)


def _kept(stored: resources.StoredResource) -> KeptResource:
    return kept_from_record(
        type_=stored.type, identity=stored.id, version=stored.version, content=stored.content, sha256=stored.sha256
    )


def _basis(
    loaded: Sequence[resources.StoredResource],
    standing: Standing,
    claimed: jobs.Claimed,
    now: datetime,
    parts: Parts,
) -> Basis:
    """The next version of the living report, or the first of a new one, and what it is computed from."""
    living = standing.living
    signed_before = living is not None and living.status in _SIGNED
    return Basis(
        identity=ReportIdentity(
            report_id=str(uuid.uuid4()) if living is None else living.id,
            version=1 if living is None else living.version + 1,
            status=AMENDED if signed_before else "preliminary",
            issued=now,
        ),
        patient_id=claimed.patient_id,
        revision_of=standing.withdrawn_id if living is None else living.revision_of,
        as_of=now.date(),
        knowledge_digest=parts.knowledge.digest,
        knowledge_edition=parts.knowledge.edition,
        software_version=parts.software_version,
        resources=tuple((resource.id, resource.version) for resource in loaded),
    )


def _write(found: Assessed, basis: Basis) -> tuple[ReportDraft, bytes | None]:
    written = write_version(found, basis)
    draft = ReportDraft(
        report_id=basis.identity.report_id,
        version=basis.identity.version,
        status=basis.identity.status,
        content_digest=written.content_digest,
        resources=tuple(report_resource(resource) for resource in written.resources),
        revision_of=basis.revision_of,
        basis=write_basis(basis),
    )
    return draft, None if written.outcome is None else dumps(written.outcome)


def _what_is_missing(found: Assessed) -> bytes:
    """No imaging in reach: no report, and an OperationOutcome that says so."""
    collection = no_report_collection(found.assessment, found.knowledge, mapped=found.mapped, full_url=own_reference)
    return dumps(collection["entry"][0]["resource"])


def renew(claimed: jobs.Claimed, parts: Parts) -> None:
    """Hold a claim for another lease. Raises LeaseLost, Busy."""
    jobs.renew(parts.database, claimed, now=parts.clock(), lease_seconds=parts.settings.lease_seconds)


def note_failure(claimed: jobs.Claimed, error: Exception, parts: Parts) -> None:
    """Only the type's name is kept: texts of exceptions may hold values of the record."""
    _log.warning("attempt-failed", job=claimed.job_id, attempt=claimed.attempt, **words_of(error))
    try:
        jobs.fail(
            parts.database,
            claimed,
            error_type=type(error).__name__,
            now=parts.clock(),
            retry_delays_seconds=parts.settings.retry_delays_seconds,
            max_attempts=parts.settings.max_attempts,
            again=worth_another_attempt(error),
        )
    except StoreError as second:
        # The lease runs out by itself, and the relay gives the job to another worker.
        _log.warning("failure-not-noted", job=claimed.job_id, error=type(second).__name__)
