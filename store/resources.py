"""This file reads the received resources.

A patient's history for the worker, single ones and searches for the doors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Row, Select

from store.database import Database, in_parts
from store.errors import Gone, NotFound
from store.tables import resource_versions, resources, shared_resources

_AT_ONCE = 500  # both databases bound the number of parameters of a statement


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResource:
    """One version of a received resource. Our `id`, version and time stand here, not in `content`.

    `source_url` is the absolute address it came with; `position` its place in the bundle that brought it first.
    """

    type: str
    id: str
    version: int
    content: bytes
    sha256: str
    patient_id: str | None
    source_url: str | None
    recorded_at: datetime
    deleted: bool
    position: int


def of_patient(database: Database, patient_id: str) -> list[StoredResource]:
    """Everything we hold of a patient, and the shared resources (Practitioner …) that belong to it, oldest first."""
    with database.read() as connection:
        rows = [
            *connection.execute(_OWN, {"patient": patient_id}),
            *connection.execute(_LINKED, {"patient": patient_id}),
        ]
    found = [_resource(row) for row in rows]
    return sorted(found, key=lambda resource: (resource.recorded_at, resource.position, resource.id))


def read(database: Database, type_: str, identity: str, *, version: int | None = None) -> StoredResource:
    """One resource, now or as it was at a version. Raises NotFound; Gone where that version says it was deleted."""
    query = _current() if version is None else _all_versions().where(resource_versions.c.version == version)
    with database.read() as connection:
        row = connection.execute(query.where(resources.c.id == identity, resources.c.type == type_)).first()
    if row is None:
        raise NotFound(type_, identity)
    if row.version_deleted:
        raise Gone(type_, identity)
    return _resource(row)


def latest(database: Database, type_: str, identity: str) -> StoredResource:
    """The current version, also where it says that the resource was deleted. Raises NotFound."""
    query = _current().where(resources.c.id == identity, resources.c.type == type_)
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(type_, identity)
    return _resource(row)


def history(database: Database, type_: str, identity: str, *, since: datetime | None = None) -> list[StoredResource]:
    """Every version, newest first, deletions included; `since` leaves out those recorded before. Raises NotFound."""
    query = _all_versions().where(resources.c.id == identity, resources.c.type == type_)
    if since is not None:
        query = query.where(resource_versions.c.recorded_at >= since)
    with database.read() as connection:
        rows = connection.execute(query.order_by(resource_versions.c.version.desc())).all()
    if not rows and not held(database, type_, identity):
        raise NotFound(type_, identity)
    return [_resource(row) for row in rows]


def last_contents(database: Database, ids: Iterable[str]) -> dict[str, bytes]:
    """What each of these ids last held: its newest version, or the one before it was deleted."""
    newest = (
        sa.select(resource_versions.c.resource_id, sa.func.max(resource_versions.c.version))
        .where(resource_versions.c.resource_id.in_(sa.bindparam("ids", expanding=True)))
        .where(resource_versions.c.deleted.is_(sa.false()))
        .group_by(resource_versions.c.resource_id)
    )
    version_of = sa.tuple_(resource_versions.c.resource_id, resource_versions.c.version)
    query = sa.select(resource_versions.c.resource_id, resource_versions.c.content).where(version_of.in_(newest))
    found: dict[str, bytes] = {}
    with database.read() as connection:
        for part in in_parts(set(ids)):
            found |= {row.resource_id: row.content for row in connection.execute(query, {"ids": part})}
    return found


def source_urls(database: Database, ids: Iterable[str]) -> dict[str, str]:
    """The absolute addresses that these resources came with, of those that came with one."""
    found: dict[str, str] = {}
    with database.read() as connection:
        for part in in_parts(set(ids)):
            query = sa.select(resources.c.id, resources.c.source_url).where(
                resources.c.id.in_(part), resources.c.source_url.is_not(None)
            )
            found |= {row.id: row.source_url for row in connection.execute(query)}
    return found


def at_versions(database: Database, wanted: Sequence[tuple[str, int]]) -> list[StoredResource]:
    """These versions of these ids, in the order they are named. Raises NotFound where one is no longer kept."""
    found: dict[tuple[str, int], StoredResource] = {}
    version_of = sa.tuple_(resource_versions.c.resource_id, resource_versions.c.version)
    with database.read() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            query = _all_versions().where(version_of.in_(wanted[start : start + _AT_ONCE]))
            found |= {(row.id, row.version): _resource(row) for row in connection.execute(query)}
    missing = next((one for one in wanted if one not in found), None)
    if missing is not None:
        raise NotFound("resource", f"{missing[0]}/_history/{missing[1]}")
    return [found[one] for one in wanted]


def search(
    database: Database,
    type_: str,
    *,
    patient_id: str | None = None,
    ids: Sequence[str] | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> list[StoredResource]:
    """The current resources of a type, newest first; finer conditions are the door's."""
    query = _current().where(resources.c.type == type_, resources.c.deleted.is_(sa.false()))
    if patient_id is not None:
        linked = sa.select(shared_resources.c.resource_id).where(shared_resources.c.patient_id == patient_id)
        query = query.where(sa.or_(resources.c.patient_id == patient_id, resources.c.id.in_(linked)))
    if ids is not None:
        query = query.where(resources.c.id.in_(ids))
    query = query.order_by(resources.c.updated_at.desc(), resources.c.id).limit(limit).offset(offset)
    with database.read() as connection:
        return [_resource(row) for row in connection.execute(query)]


_COLUMNS = (
    resources.c.type,
    resources.c.id,
    resources.c.patient_id,
    resources.c.source_url,
    resources.c.position,
    resource_versions.c.version,
    resource_versions.c.content,
    resource_versions.c.sha256,
    resource_versions.c.recorded_at,
    resource_versions.c.deleted.label("version_deleted"),
)


def _all_versions() -> Select[tuple[object, ...]]:
    return sa.select(*_COLUMNS).join_from(
        resources, resource_versions, resource_versions.c.resource_id == resources.c.id
    )


def _current() -> Select[tuple[object, ...]]:
    return _all_versions().where(resource_versions.c.version == resources.c.version)


_PATIENT: sa.BindParameter[str] = sa.bindparam("patient")
_HERE = _current().where(resources.c.deleted.is_(sa.false()))
# Built once: see store.candidates.
_OWN = _HERE.where(resources.c.patient_id == _PATIENT)
_LINKED = _HERE.where(
    resources.c.id.in_(sa.select(shared_resources.c.resource_id).where(shared_resources.c.patient_id == _PATIENT))
)


def _resource(row: Row[tuple[object, ...]]) -> StoredResource:
    return StoredResource(
        type=row.type,
        id=row.id,
        version=row.version,
        content=row.content,
        sha256=row.sha256,
        patient_id=row.patient_id,
        source_url=row.source_url,
        recorded_at=row.recorded_at,
        deleted=row.version_deleted,
        position=row.position,
    )


def held(database: Database, type_: str, identity: str) -> bool:
    """Whether we hold, or once held, a resource under this type and id of ours."""
    query = sa.select(resources.c.id).where(resources.c.id == identity, resources.c.type == type_)
    with database.read() as connection:
        return connection.scalar(query) is not None
