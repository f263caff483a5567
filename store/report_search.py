"""This file reads our reports back: whole versions, histories, searches, and single resources of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from store.database import Database
from store.errors import NotFound
from store.reports import ReportResource, StoredReport
from store.tables import report_resources, report_versions, reports


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnResource:
    """One resource that we made, with the version of the report it belongs to, which is its own version too."""

    type: str
    id: str
    version: int
    content: bytes
    report_id: str
    patient_id: str
    recorded_at: datetime


def read(database: Database, report_id: str, *, version: int | None = None) -> StoredReport:
    """A report as it is now, or as it was at a version. NotFound."""
    wanted = reports.c.version if version is None else version
    with database.read() as connection:
        found = _load(connection, [reports.c.id == report_id, report_versions.c.version == wanted])
    if not found:
        raise NotFound("DiagnosticReport", report_id)
    return found[0]


def history(database: Database, report_id: str) -> list[StoredReport]:
    """Every version of a report, newest first. NotFound."""
    with database.read() as connection:
        found = _load(connection, [reports.c.id == report_id])
    if not found:
        raise NotFound("DiagnosticReport", report_id)
    return sorted(found, key=lambda report: report.version, reverse=True)


def search(
    database: Database,
    *,
    patient_id: str | None = None,
    ids: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> list[StoredReport]:
    """The reports as they are now, newest first. Withdrawn ones are found, too; `living` tells."""
    conditions: list[sa.ColumnElement[bool]] = [report_versions.c.version == reports.c.version]
    if patient_id is not None:
        conditions.append(reports.c.patient_id == patient_id)
    if ids is not None:
        conditions.append(reports.c.id.in_(ids))
    if statuses is not None:
        conditions.append(reports.c.status.in_(statuses))
    with database.read() as connection:
        return _load(connection, conditions, limit=limit, offset=offset)


def read_resource(database: Database, type_: str, identity: str, *, version: int | None = None) -> OwnResource:
    """One resource of a report by its own type and id (Observation, Provenance, Device …), newest version. NotFound."""
    found = resource_history(database, type_, identity, version=version, limit=1)
    return found[0]


def resource_history(
    database: Database, type_: str, identity: str, *, version: int | None = None, limit: int = 1000
) -> list[OwnResource]:
    """The versions of one resource that we made, newest first. NotFound."""
    query = _own().where(report_resources.c.type == type_, report_resources.c.id == identity)
    if version is not None:
        query = query.where(report_resources.c.version == version)
    query = query.order_by(report_versions.c.recorded_at.desc(), report_resources.c.version.desc()).limit(limit)
    with database.read() as connection:
        found = [_own_resource(row) for row in connection.execute(query)]
    if not found:
        raise NotFound(type_, identity)
    return found


def search_resources(
    database: Database, type_: str, *, patient_id: str, limit: int = 1000, offset: int = 0
) -> list[OwnResource]:
    """The resources of a type in the current versions of a patient's reports."""
    query = (
        _own()
        .where(
            report_resources.c.type == type_,
            reports.c.patient_id == patient_id,
            report_resources.c.version == reports.c.version,
        )
        .order_by(report_versions.c.recorded_at.desc(), report_resources.c.position)
        .limit(limit)
        .offset(offset)
    )
    with database.read() as connection:
        return [_own_resource(row) for row in connection.execute(query)]


_VERSION_OF = sa.and_(
    report_versions.c.report_id == report_resources.c.report_id,
    report_versions.c.version == report_resources.c.version,
)


def _own() -> sa.Select[tuple[object, ...]]:
    return sa.select(
        report_resources.c.type,
        report_resources.c.id,
        report_resources.c.version,
        report_resources.c.content,
        report_resources.c.report_id,
        reports.c.patient_id,
        report_versions.c.recorded_at,
    ).select_from(
        report_resources.join(report_versions, _VERSION_OF).join(reports, reports.c.id == report_resources.c.report_id)
    )


def _own_resource(row: Row[tuple[object, ...]]) -> OwnResource:
    return OwnResource(
        type=row.type,
        id=row.id,
        version=row.version,
        content=row.content,
        report_id=row.report_id,
        patient_id=row.patient_id,
        recorded_at=row.recorded_at,
    )


def _load(
    connection: Connection, conditions: Iterable[sa.ColumnElement[bool]], *, limit: int = 1000, offset: int = 0
) -> list[StoredReport]:
    heads = connection.execute(
        sa.select(
            reports.c.id,
            reports.c.patient_id,
            reports.c.living,
            reports.c.revision_of,
            report_versions.c.version,
            report_versions.c.status,
            report_versions.c.content_digest,
            report_versions.c.caller_id,
            report_versions.c.recorded_at,
        )
        .join_from(reports, report_versions, report_versions.c.report_id == reports.c.id)
        .where(*conditions)
        .order_by(report_versions.c.recorded_at.desc(), report_versions.c.version.desc(), reports.c.id)
        .limit(limit)
        .offset(offset)
    ).all()
    contents = _contents(connection, {(head.id, head.version) for head in heads})
    return [
        StoredReport(
            id=head.id,
            patient_id=head.patient_id,
            version=head.version,
            status=head.status,
            living=head.living,
            revision_of=head.revision_of,
            content_digest=head.content_digest,
            caller_id=head.caller_id,
            recorded_at=head.recorded_at,
            resources=tuple(contents.get((head.id, head.version), ())),
        )
        for head in heads
    ]


def _contents(connection: Connection, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], list[ReportResource]]:
    found: dict[tuple[str, int], list[ReportResource]] = {}
    if not wanted:
        return found
    # By report id alone: an index does it, and what is not wanted of a report's other versions is left out below.
    query = (
        sa.select(report_resources)
        .where(
            report_resources.c.report_id.in_({report_id for report_id, _ in wanted}),
            report_resources.c.version.in_({version for _, version in wanted}),
        )
        .order_by(report_resources.c.report_id, report_resources.c.version, report_resources.c.position)
    )
    for row in connection.execute(query):
        if (row.report_id, row.version) in wanted:
            found.setdefault((row.report_id, row.version), []).append(
                ReportResource(type=row.type, id=row.id, content=row.content)
            )
    return found
