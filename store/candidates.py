"""This file names a resource on its way into the record, and reads what we hold of it already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import in_parts
from store.incoming import IncomingResource
from store.tables import resource_keys, resource_versions, resources

SHARED = ""  # the scope of what belongs to no single patient


@dataclass(slots=True, kw_only=True)
class Candidate:
    """One incoming resource on its way. `scope` is its patient or SHARED; `patients` all who refer to it."""

    incoming: IncomingResource
    scope: str
    patients: tuple[str, ...]
    id: str | None = None
    content: bytes = b""
    sha256: str = ""
    held: Held | None = None
    keys: list[str] = field(default_factory=list)
    leader: Candidate | None = None  # an earlier entry of the same bundle with the same name


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What we hold of a resource now."""

    id: str
    type: str
    scope: str
    version: int
    deleted: bool
    sha256: str
    has_url: bool


def held_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Held]:
    """What we hold under these ids of ours."""
    return {held.id: held for part in in_parts(ids) for held in held_where(connection, resources.c.id.in_(part))}


def held_where(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Held]:
    """What we hold where a condition over `resources` and their current `resource_versions` is true."""
    has_url = sa.exists().where(
        resource_keys.c.resource_id == resources.c.id, resource_keys.c.key.startswith("url|", autoescape=True)
    )
    query = (
        sa.select(
            resources.c.id,
            resources.c.type,
            resources.c.patient_id,
            resources.c.version,
            resources.c.deleted,
            resource_versions.c.sha256,
            has_url.label("has_url"),
        )
        .join_from(
            resources,
            resource_versions,
            sa.and_(
                resource_versions.c.resource_id == resources.c.id, resource_versions.c.version == resources.c.version
            ),
        )
        .where(condition)
    )
    return [
        Held(
            id=row.id,
            type=row.type,
            scope=row.patient_id or SHARED,
            version=row.version,
            deleted=row.deleted,
            sha256=row.sha256,
            has_url=row.has_url,
        )
        for row in connection.execute(query)
    ]
