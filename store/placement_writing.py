"""This file writes what `placement` has settled: new resources, new versions, the names they are known by."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.candidates import SHARED, Candidate, Held
from store.database import in_parts
from store.errors import VersionConflict
from store.incoming import IncomingResource, Placed, StoredEntry
from store.patients import url_keys
from store.tables import resource_keys, resource_versions, resources, shared_resources


def write_placed(
    connection: Connection, candidates: list[Candidate], *, submission_id: str, now: datetime
) -> list[StoredEntry]:
    """Write what is new, in few statements; one answer per candidate, in their order. Raises VersionConflict."""
    current: dict[str, Held] = {}
    new_resources: list[dict[str, object]] = []
    new_versions: list[dict[str, object]] = []
    entries: list[StoredEntry] = []
    for position, candidate in enumerate(candidates):
        identity = candidate.id
        assert identity is not None
        held = current.get(identity, candidate.held)
        _check_version(candidate.incoming, identity, held)
        if (
            held is not None
            and not held.deleted
            and (candidate.incoming.keep_existing or held.sha256 == candidate.sha256)
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
    if new_resources:
        connection.execute(sa.insert(resources), new_resources)
    if new_versions:
        connection.execute(sa.insert(resource_versions), new_versions)
    _write_names(connection, candidates)
    return entries


def _check_version(incoming: IncomingResource, identity: str, held: Held | None) -> None:
    at = 0 if held is None else held.version
    if incoming.if_match is not None and incoming.if_match != at:
        raise VersionConflict(incoming.type, identity, current=at)


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
    connection.execute(
        sa.update(resources)
        .where(resources.c.id == candidate.id)
        .values(version=version, deleted=False, updated_at=now)
    )


def _write_names(connection: Connection, candidates: list[Candidate]) -> None:
    """Keep the keys that are new, and who refers to what is shared."""
    rows = {
        (key, candidate.incoming.type, candidate.scope): candidate.id
        for candidate in reversed(candidates)
        for key in candidate.keys
    }
    links = {
        (patient_id, candidate.id)
        for candidate in candidates
        if candidate.scope == SHARED
        for patient_id in candidate.patients
    }
    for part in in_parts({key for key, _, _ in rows}):
        query = sa.select(resource_keys).where(resource_keys.c.key.in_(part))
        for row in connection.execute(query):
            rows.pop((row.key, row.type, row.scope), None)
    if rows:
        connection.execute(
            sa.insert(resource_keys),
            [
                {"key": key, "type": type_, "scope": scope, "resource_id": identity}
                for (key, type_, scope), identity in rows.items()
            ],
        )
    for part in in_parts({str(identity) for _, identity in links}):
        query = sa.select(shared_resources).where(shared_resources.c.resource_id.in_(part))
        links -= {(row.patient_id, row.resource_id) for row in connection.execute(query)}
    if links:
        connection.execute(
            sa.insert(shared_resources),
            [{"patient_id": patient_id, "resource_id": identity} for patient_id, identity in links],
        )
