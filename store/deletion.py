"""This file deletes received resources: a new version that says so. The earlier versions stay readable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import search_index, shared_links
from store.bounds import NO_BOUNDS, Bounds
from store.candidates import SHARED, held_by_id
from store.errors import OutOfBounds, VersionConflict
from store.incoming import Deletion, Placed, StoredEntry
from store.tables import resource_versions, resources


def delete_all(
    connection: Connection,
    deletions: Sequence[Deletion],
    *,
    submission_id: str,
    now: datetime,
    bounds: Bounds = NO_BOUNDS,
) -> tuple[list[StoredEntry], list[str]]:
    """Delete, and say whose reports have to be looked at again. What is unknown or deleted already stays so.

    Raises VersionConflict, OutOfBounds.
    """
    if not deletions:
        return [], []
    held = held_by_id(connection, {deletion.id for deletion in deletions if not deletion.hidden})
    if bounds.patients is not None:
        outside = [
            one
            for one in deletions
            if (current := held.get(one.id)) and not current.deleted and current.scope not in bounds.patients
        ]
        if outside:
            raise OutOfBounds(tuple(one.entry_index or 0 for one in outside))
    entries: list[StoredEntry] = []
    bereft: list[str] = []
    conflicts: list[VersionConflict] = []
    for deletion in deletions:
        current = held.get(deletion.id)
        at = 0 if current is None else current.version
        if deletion.if_match is not None and deletion.if_match != at:
            conflict = VersionConflict(deletion.type, deletion.id, current=at, entry_index=deletion.entry_index)
            conflicts.append(conflict)
            continue
        if current is None or current.deleted or current.type != deletion.type:
            entries.append(_entry(deletion, at, Placed.UNCHANGED))
            continue
        _mark(connection, deletion.id, at + 1, submission_id=submission_id, now=now)
        search_index.forget(connection, [deletion.id])
        held.pop(deletion.id)
        entries.append(_entry(deletion, at + 1, Placed.DELETED))
        bereft += [current.scope] if current.scope != SHARED else shared_links.who_refers(connection, [deletion.id])
    if conflicts:  # all at once: in a batch each costs its own entry alone
        conflicts[0].others = tuple(conflicts[1:])
        raise conflicts[0]
    return entries, list(dict.fromkeys(bereft))


def _mark(connection: Connection, identity: str, version: int, *, submission_id: str, now: datetime) -> None:
    connection.execute(
        sa.insert(resource_versions).values(
            resource_id=identity,
            version=version,
            deleted=True,
            sha256="",
            content=b"",
            submission_id=submission_id,
            recorded_at=now,
        )
    )
    connection.execute(
        sa.update(resources).where(resources.c.id == identity).values(version=version, deleted=True, updated_at=now)
    )


def _entry(deletion: Deletion, version: int, placed: Placed) -> StoredEntry:
    return StoredEntry(
        entry_index=deletion.entry_index, type=deletion.type, id=deletion.id, version=version, placed=placed
    )
