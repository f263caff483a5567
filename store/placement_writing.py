"""This file writes what `placement` has settled: new resources, new versions, the names they are known by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import search_index
from store.candidates import Candidate, Held, names_known
from store.errors import VersionConflict
from store.incoming import IncomingResource, Placed, StoredEntry
from store.patients import url_keys
from store.search_index import Indexed
from store.tables import resource_keys, resource_versions, resources

# Built once: see store.candidates.
_INSERT_RESOURCE = sa.insert(resources)
_INSERT_VERSION = sa.insert(resource_versions)
_INSERT_KEY = sa.insert(resource_keys)
_RAISE_VERSION = (
    sa.update(resources)
    .where(resources.c.id == sa.bindparam("of"))
    .values(version=sa.bindparam("version"), deleted=sa.bindparam("deleted"), updated_at=sa.bindparam("updated_at"))
)


def write_placed(
    connection: Connection,
    candidates: list[Candidate],
    *,
    local: Mapping[str, str],
    submission_id: str,
    now: datetime,
) -> list[StoredEntry]:
    """Write what is new, in few statements; one answer per candidate, in their order. Raises VersionConflict."""
    current: dict[str, Held] = {}
    indexed: dict[str, Indexed] = {}
    new_resources: list[dict[str, object]] = []
    new_versions: list[dict[str, object]] = []
    entries: list[StoredEntry] = []
    conflicts: list[VersionConflict] = []
    for position, candidate in enumerate(candidates):
        identity = candidate.id
        assert identity is not None
        held = current.get(identity, candidate.held)
        conflict = _conflict(candidate.incoming, identity, held)
        if conflict is not None:
            conflicts.append(conflict)
            continue
        if (
            held is not None
            and not held.deleted
            and (candidate.incoming.condition is not None or held.sha256 == candidate.sha256)
        ):
            entries.append(_entry(candidate, held.version, Placed.UNCHANGED))
            current[identity] = held
            continue
        version = 1 if held is None else held.version + 1
        if held is None:
            new_resources.append(_resource_row(candidate, position=position, now=now))
        else:
            _raise_version(connection, candidate, version, new_resources, now=now)
        new_versions.append(
            {
                "resource_id": identity,
                "version": version,
                "deleted": False,
                "sha256": candidate.sha256,
                "content": candidate.content,
                "submission_id": submission_id,
                "recorded_at": now,
            }
        )
        indexed[identity] = Indexed(
            id=identity,
            type=candidate.incoming.type,
            patient_id=candidate.scope or None,
            values=candidate.incoming.search,
            is_new=candidate.held is None or candidate.held.deleted,
        )
        current[identity] = Held(
            id=identity,
            type=candidate.incoming.type,
            scope=candidate.scope,
            version=version,
            deleted=False,
            sha256=candidate.sha256,
            has_url=bool(url_keys(candidate.incoming.urls)),
        )
        entries.append(_entry(candidate, version, Placed.CREATED if held is None else Placed.UPDATED))
    if conflicts:  # all at once: in a batch each costs its own entry alone
        conflicts[0].others = tuple(conflicts[1:])
        raise conflicts[0]
    if new_resources:
        connection.execute(_INSERT_RESOURCE, new_resources)
    if new_versions:
        connection.execute(_INSERT_VERSION, new_versions)
    search_index.keep(connection, list(indexed.values()), local=local, now=now)
    _write_names(connection, candidates)
    return entries


def _conflict(incoming: IncomingResource, identity: str, held: Held | None) -> VersionConflict | None:
    at = 0 if held is None else held.version
    if incoming.if_match is None or incoming.if_match == at:
        return None
    return VersionConflict(incoming.type, identity, current=at, entry_index=incoming.entry_index)


def _entry(candidate: Candidate, version: int, placed: Placed) -> StoredEntry:
    return StoredEntry(
        entry_index=candidate.incoming.entry_index,
        type=candidate.incoming.type,
        id=str(candidate.id),
        version=version,
        placed=placed,
    )


def _resource_row(candidate: Candidate, *, position: int, now: datetime) -> dict[str, object]:
    urls = [url for url in candidate.incoming.urls if url_keys([url])]
    return {
        "id": candidate.id,
        "type": candidate.incoming.type,
        "patient_id": candidate.scope or None,
        "version": 1,
        "deleted": False,
        "source_url": urls[0] if urls else None,
        "position": position,
        "created_at": now,
        "updated_at": now,
    }


def _raise_version(
    connection: Connection, candidate: Candidate, version: int, new_resources: list[dict[str, object]], *, now: datetime
) -> None:
    for row in new_resources:  # made by an earlier entry of this very bundle
        if row["id"] == candidate.id:
            row["version"] = version
            return
    connection.execute(_RAISE_VERSION, {"of": candidate.id, "version": version, "deleted": False, "updated_at": now})


def _write_names(connection: Connection, candidates: list[Candidate]) -> None:
    """Keep the keys that are new."""
    rows = {name: candidate.id for candidate in reversed(candidates) for name in candidate.names()}
    known = frozenset().union(*(candidate.known_names for candidate in candidates))
    new = frozenset().union(*(candidate.new_names for candidate in candidates))
    # What turned out to have another scope than it came with has names nobody has looked up yet.
    known |= names_known(connection, rows.keys() - known - new).keys()
    rows = {name: identity for name, identity in rows.items() if name not in known}
    if rows:
        connection.execute(
            _INSERT_KEY,
            [
                {"key": key, "type": type_, "scope": scope, "resource_id": identity}
                for (key, type_, scope), identity in rows.items()
            ],
        )
