"""This file finds what a search does not find yet: what was kept before there was an index, from older releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from store import search_index
from store.database import Database
from store.search_criteria import SearchValues
from store.search_index import Indexed
from store.tables import report_resources, report_versions, reports, resource_versions, resources, search_entries

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NotIndexed:
    """A resource that no search finds. `report_id` is of what we made."""

    type: str
    id: str
    content: bytes
    patient_id: str | None
    report_id: str | None
    recorded_at: datetime


def not_indexed(database: Database) -> list[NotIndexed]:
    """Some of what is missing from the index; none when it is whole."""
    missing = ~sa.exists().where(search_entries.c.id == resources.c.id)
    received = (
        sa.select(
            resources.c.type,
            resources.c.id,
            resource_versions.c.content,
            resources.c.patient_id,
            sa.null().label("report_id"),
            resource_versions.c.recorded_at,
        )
        .join_from(
            resources,
            resource_versions,
            sa.and_(
                resource_versions.c.resource_id == resources.c.id, resource_versions.c.version == resources.c.version
            ),
        )
        .where(resources.c.deleted.is_(sa.false()), missing)
        .limit(_AT_ONCE)
    )
    made = (
        sa.select(
            report_resources.c.type,
            report_resources.c.id,
            report_resources.c.content,
            reports.c.patient_id,
            report_resources.c.report_id,
            report_versions.c.recorded_at,
        )
        .join_from(reports, report_versions, _version_of(report_versions))
        .join(report_resources, _version_of(report_resources))
        .where(~sa.exists().where(search_entries.c.id == report_resources.c.id))
        .limit(_AT_ONCE)
    )
    with database.read() as connection:
        rows = connection.execute(received).all() or connection.execute(made).all()
    return [NotIndexed(**row._mapping) for row in rows]


def fill(database: Database, found: Sequence[tuple[NotIndexed, SearchValues]]) -> None:
    """Put these into the index, unless another process was first."""

    def work(connection: sa.Connection) -> None:
        ids = [one.id for one, _ in found]
        known = set(connection.scalars(sa.select(search_entries.c.id).where(search_entries.c.id.in_(ids))))
        for one, values in found:
            if one.id not in known:
                known.add(one.id)
                search_index.keep(connection, [_indexed(one, values)], now=one.recorded_at)

    database.write_again(work)


def _indexed(one: NotIndexed, values: SearchValues) -> Indexed:
    common = one.report_id is not None and one.type in search_index.OF_NO_REPORT
    return Indexed(
        id=one.id,
        type=one.type,
        patient_id=None if common else one.patient_id,
        report_id=None if common else one.report_id,
        values=values,
        is_new=True,
        made=one.report_id is not None,
    )


def _version_of(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.report_id == reports.c.id, table.c.version == reports.c.version)
