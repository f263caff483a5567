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
Name = tuple[str, str, str]  # key, type, scope: by what a resource is known again


@dataclass(slots=True, kw_only=True)
class Candidate:
    """One incoming resource on its way.

    `scope` is its patient or SHARED; `patients` all who refer to it; `met` the patient as whom a Patient is known,
    whose record may have become a part of that of `scope`.
    """

    incoming: IncomingResource
    scope: str
    patients: tuple[str, ...]
    met: str | None = None
    id: str | None = None
    content: bytes = b""
    sha256: str = ""
    held: Held | None = None
    keys: list[str] = field(default_factory=list)
    known_names: frozenset[Name] = frozenset()  # of the names it came with, those the record knows
    new_names: frozenset[Name] = frozenset()  # and those it does not
    leader: Candidate | None = None  # an earlier entry of the same bundle with the same name

    def names(self) -> list[Name]:
        """By what it is known again, within its present scope."""
        return [(key, self.incoming.type, self.scope) for key in self.keys]


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


_HAS_URL = sa.exists().where(
    resource_keys.c.resource_id == resources.c.id, resource_keys.c.key.startswith("url|", autoescape=True)
)
_HELD = sa.select(
    resources.c.id,
    resources.c.type,
    resources.c.patient_id,
    resources.c.version,
    resources.c.deleted,
    resource_versions.c.sha256,
    _HAS_URL.label("has_url"),
).join_from(
    resources,
    resource_versions,
    sa.and_(resource_versions.c.resource_id == resources.c.id, resource_versions.c.version == resources.c.version),
)
# Statements are built once: SQLAlchemy takes longer to build one than SQLite to answer it.
_BY_ID = _HELD.where(resources.c.id.in_(sa.bindparam("ids", expanding=True)))
_BY_CONTENT = _HELD.where(
    resource_versions.c.sha256.in_(sa.bindparam("digests", expanding=True)),
    resources.c.deleted.is_(sa.false()),
    sa.or_(resources.c.patient_id.in_(sa.bindparam("patients", expanding=True)), resources.c.patient_id.is_(None)),
)
_NAMES = sa.select(resource_keys).where(
    resource_keys.c.key.in_(sa.bindparam("keys", expanding=True)),
    resource_keys.c.type.in_(sa.bindparam("types", expanding=True)),
    resource_keys.c.scope.in_(sa.bindparam("scopes", expanding=True)),
)


def held_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Held]:
    """What we hold under these ids of ours."""
    return {row.id: _held(row) for part in in_parts(ids) for row in connection.execute(_BY_ID, {"ids": part})}


def held_by_content(connection: Connection, digests: Iterable[str], scopes: Iterable[str]) -> list[Held]:
    """What we hold with these contents, of these patients or of no single one."""
    patients = [scope for scope in scopes if scope != SHARED]
    return [
        _held(row)
        for part in in_parts(digests)
        for row in connection.execute(_BY_CONTENT, {"digests": part, "patients": patients})
    ]


def names_known(connection: Connection, names: Iterable[Name]) -> dict[Name, str]:
    """Which of these names the record knows, and the ids of the resources they mean."""
    wanted = set(names)
    types, scopes = list({name[1] for name in wanted}), list({name[2] for name in wanted})
    found = {
        (row.key, row.type, row.scope): row.resource_id
        for part in in_parts({name[0] for name in wanted})
        for row in connection.execute(_NAMES, {"keys": part, "types": types, "scopes": scopes})
    }
    return {name: found[name] for name in wanted if name in found}


def _held(row: sa.Row[tuple[object, ...]]) -> Held:
    return Held(
        id=row.id,
        type=row.type,
        scope=row.patient_id or SHARED,
        version=row.version,
        deleted=row.deleted,
        sha256=row.sha256,
        has_url=row.has_url,
    )
