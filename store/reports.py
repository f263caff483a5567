"""This file keeps our reports: one living report per patient, every version for ever, nothing recomputed in place.

A version is a list of resources as bytes (DiagnosticReport first, then Observations, Provenance, Device,
Organization); each can be read by its own type and id, too. The contents are written by `fhir_mappings`; here they
are not looked into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import Connection

from store import audit, search_index, write_backs
from store.database import Database
from store.errors import AlreadyFinished, Busy, NotFound, VersionConflict
from store.job_states import Reason
from store.jobs import Claimed, complete, require_claim
from store.patients import lock
from store.search_criteria import NO_VALUES, SearchValues
from store.search_index import OF_NO_REPORT, Indexed
from store.tables import patients, report_resources, report_versions, reports

Servers = Mapping[str, str]
"""Names of EHRs, and their base addresses."""
NOWHERE: Servers = MappingProxyType({})
FINAL = "final"
ENTERED_IN_ERROR = "entered-in-error"

# Built once: see store.jobs.
_PATIENT: sa.BindParameter[str] = sa.bindparam("patient")
_LIVING = (
    sa.select(reports, report_versions.c.recorded_at)
    .join_from(
        reports,
        report_versions,
        sa.and_(report_versions.c.report_id == reports.c.id, report_versions.c.version == reports.c.version),
    )
    .where(reports.c.patient_id == _PATIENT, reports.c.living)
)
_WITHDRAWN = (
    sa.select(reports.c.id)
    .where(
        sa.or_(
            reports.c.patient_id == _PATIENT,
            reports.c.patient_id.in_(sa.select(patients.c.id).where(patients.c.merged_into == _PATIENT)),
        ),
        reports.c.living.is_(sa.false()),
    )
    .order_by(reports.c.updated_at.desc())
    .limit(1)
)
_BASIS = sa.select(report_versions.c.basis).where(
    report_versions.c.report_id == sa.bindparam("report"), report_versions.c.version == sa.bindparam("version")
)
_INSERT_REPORT = sa.insert(reports)
_INSERT_VERSION = sa.insert(report_versions)
_INSERT_RESOURCE = sa.insert(report_resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResource:
    """One resource of a report's version, as its bytes, and by what it is searched."""

    type: str
    id: str
    content: bytes
    search: SearchValues = NO_VALUES


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingReport:
    """The one report of a patient that new facts change. `signed_at`: when a person signed the current version."""

    id: str
    version: int
    status: str
    content_digest: str
    revision_of: str | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is before a report is written: the living one, or the withdrawn one a new report would revise."""

    living: LivingReport | None
    withdrawn_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDraft:
    """A version to be kept.

    `version` must follow the living one; `content_digest` says whether anything has changed; `basis` what the version
    was computed from, in bytes of the mappings.
    """

    report_id: str
    version: int
    status: str
    content_digest: str
    resources: tuple[ReportResource, ...]
    revision_of: str | None = None
    basis: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedReport:
    """What `finish` left: the report and version that now hold, `None` where there is no report."""

    report_id: str | None
    version: int | None
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """One version of a report with its resources, the DiagnosticReport first."""

    id: str
    patient_id: str
    version: int
    status: str
    living: bool
    revision_of: str | None
    content_digest: str
    caller_id: str | None
    recorded_at: datetime
    resources: tuple[ReportResource, ...]


def standing(database: Database, patient_id: str) -> Standing:
    """What a worker has to know before it writes: see Standing."""
    with database.read() as connection:
        living = _living(connection, patient_id)
        withdrawn = None if living is not None else connection.scalar(_WITHDRAWN, {"patient": patient_id})
    return Standing(living=living, withdrawn_id=withdrawn)


def living(database: Database, patient_id: str) -> LivingReport | None:
    """The living report of a patient, `None` when there is none."""
    with database.read() as connection:
        return _living(connection, patient_id)


def finish(
    database: Database,
    claimed: Claimed,
    *,
    draft: ReportDraft | None,
    outcome: bytes | None,
    now: datetime,
    write_back_to: Servers = NOWHERE,
) -> FinishedReport:
    """Keep a report's version and complete its job, both or neither.

    With `draft=None` there is nothing to report; a living report stays as it is. A draft whose `content_digest` equals
    the living one's makes no new version. The report is wanted on the EHRs `write_back_to` that know the patient.
    Raises LeaseLost; Busy where the report moved on since `standing`.
    """

    def work(connection: Connection) -> FinishedReport:
        lock(connection, claimed.patient_id)
        require_claim(connection, claimed, now=now)
        result, reason = _keep(connection, claimed, draft, now=now)
        if result.report_id is not None and result.version is not None:
            write_backs.want(
                connection,
                result.report_id,
                version=result.version,
                patient_id=claimed.patient_id,
                servers=write_back_to,
                now=now,
            )
        complete(
            connection,
            claimed,
            reason=reason,
            outcome=outcome,
            report_id=result.report_id,
            report_version=result.version,
            now=now,
        )
        return result

    return database.write_again(work)


def sign(
    database: Database,
    report_id: str,
    *,
    expected_version: int,
    resources: tuple[ReportResource, ...],
    caller_id: str,
    now: datetime,
    write_back_to: Servers = NOWHERE,
) -> int:
    """Keep a signed version (`final`); its number. It is wanted on the EHRs `write_back_to` that know the patient.

    Raises NotFound, VersionConflict, AlreadyFinished (withdrawn).
    """
    return _revise(
        database,
        report_id,
        expected_version=expected_version,
        status=FINAL,
        resources=resources,
        caller_id=caller_id,
        now=now,
        write_back_to=write_back_to,
    )


def withdraw(
    database: Database,
    report_id: str,
    *,
    expected_version: int,
    resources: tuple[ReportResource, ...],
    caller_id: str,
    now: datetime,
    write_back_to: Servers = NOWHERE,
) -> int:
    """Keep an `entered-in-error` version and close the report: new facts start another. Errors as `sign`."""
    return _revise(
        database,
        report_id,
        expected_version=expected_version,
        status=ENTERED_IN_ERROR,
        resources=resources,
        caller_id=caller_id,
        now=now,
        write_back_to=write_back_to,
    )


def basis_of(database: Database, report_id: str, *, version: int) -> bytes | None:
    """What a version was computed from; `None` for a version older than this record of it. Raises NotFound."""
    with database.read() as connection:
        row = connection.execute(_BASIS, {"report": report_id, "version": version}).first()
    if row is None:
        raise NotFound("DiagnosticReport", report_id)
    kept: bytes | None = row.basis
    return kept


def _living(connection: Connection, patient_id: str) -> LivingReport | None:
    row = connection.execute(_LIVING, {"patient": patient_id}).first()
    if row is None:
        return None
    return LivingReport(
        id=row.id,
        version=row.version,
        status=row.status,
        content_digest=row.content_digest,
        revision_of=row.revision_of,
        signed_at=row.recorded_at if row.status == FINAL else None,
    )


def _keep(
    connection: Connection, claimed: Claimed, draft: ReportDraft | None, *, now: datetime
) -> tuple[FinishedReport, Reason]:
    current = _living(connection, claimed.patient_id)
    if draft is None:
        return FinishedReport(report_id=None, version=None, changed=False), Reason.NO_REPORT
    if current is not None and current.content_digest == draft.content_digest:
        same = FinishedReport(report_id=current.id, version=current.version, changed=False)
        return same, Reason.REPORT_UNCHANGED
    expected = (draft.report_id, 1) if current is None else (current.id, current.version + 1)
    if (draft.report_id, draft.version) != expected:
        raise Busy(f"report {draft.report_id} moved on")
    if current is None:
        connection.execute(
            _INSERT_REPORT,
            {
                "id": draft.report_id,
                "patient_id": claimed.patient_id,
                "version": 1,
                "status": draft.status,
                "content_digest": draft.content_digest,
                "revision_of": draft.revision_of,
                "living": True,
                "created_at": now,
                "updated_at": now,
            },
        )
    else:
        _move(connection, draft.report_id, draft.version, status=draft.status, digest=draft.content_digest, now=now)
    _write_version(connection, draft, patient_id=claimed.patient_id, job_id=claimed.job_id, caller_id=None, now=now)
    return FinishedReport(report_id=draft.report_id, version=draft.version, changed=True), Reason.REPORT_WRITTEN


def _revise(
    database: Database,
    report_id: str,
    *,
    expected_version: int,
    status: str,
    resources: tuple[ReportResource, ...],
    caller_id: str,
    now: datetime,
    write_back_to: Servers,
) -> int:
    def work(connection: Connection) -> int:
        patient_id = connection.scalar(sa.select(reports.c.patient_id).where(reports.c.id == report_id))
        if patient_id is None:
            raise NotFound("DiagnosticReport", report_id)
        lock(connection, patient_id)
        row = connection.execute(sa.select(reports).where(reports.c.id == report_id)).one()
        if row.version != expected_version:
            raise VersionConflict("DiagnosticReport", report_id, current=row.version)
        if not row.living:
            raise AlreadyFinished(f"report {report_id} was withdrawn")
        draft = ReportDraft(
            report_id=report_id,
            version=row.version + 1,
            status=status,
            content_digest=row.content_digest,
            resources=resources,
            basis=connection.scalar(_BASIS, {"report": report_id, "version": row.version}),
        )
        _move(connection, report_id, draft.version, status=status, digest=row.content_digest, now=now)
        _write_version(connection, draft, patient_id=patient_id, job_id=None, caller_id=caller_id, now=now)
        entry = audit.Access(
            at=now,
            caller_id=caller_id,
            action="sign" if status == FINAL else "withdraw",
            type="DiagnosticReport",
            id=report_id,
            patient_id=patient_id,
        )
        audit.write(connection, [entry])
        write_backs.want(
            connection, report_id, version=draft.version, patient_id=patient_id, servers=write_back_to, now=now
        )
        return draft.version

    return database.write_again(work)


def _move(connection: Connection, report_id: str, version: int, *, status: str, digest: str, now: datetime) -> None:
    connection.execute(
        sa.update(reports)
        .where(reports.c.id == report_id)
        .values(
            version=version,
            status=status,
            content_digest=digest,
            living=status != ENTERED_IN_ERROR,
            updated_at=now,
        )
    )


def _write_version(
    connection: Connection,
    draft: ReportDraft,
    *,
    patient_id: str,
    job_id: str | None,
    caller_id: str | None,
    now: datetime,
) -> None:
    connection.execute(
        _INSERT_VERSION,
        {
            "report_id": draft.report_id,
            "version": draft.version,
            "status": draft.status,
            "content_digest": draft.content_digest,
            "job_id": job_id,
            "caller_id": caller_id,
            "recorded_at": now,
            "basis": draft.basis,
        },
    )
    connection.execute(
        _INSERT_RESOURCE,
        [
            {
                "report_id": draft.report_id,
                "version": draft.version,
                "position": position,
                "type": resource.type,
                "id": resource.id,
                "content": resource.content,
            }
            for position, resource in enumerate(draft.resources)
        ],
    )
    search_index.keep_report(
        connection,
        draft.report_id,
        [
            Indexed(
                id=resource.id,
                type=resource.type,
                patient_id=None if resource.type in OF_NO_REPORT else patient_id,
                report_id=None if resource.type in OF_NO_REPORT else draft.report_id,
                values=resource.search,
                is_new=True,
                made=True,
            )
            for resource in draft.resources
        ],
        now=now,
    )
