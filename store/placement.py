"""This file decides for each incoming resource whether we hold it already, and writes new ones and new versions.

Known again by: our id, the same absolute address, the same identifier (system and value, same type), else by equal
content; always within one patient, so that two people never mix. Equal content joins two copies only where not both
came with an address of their own: a server that gives two addresses says that they are two.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.database import in_parts
from store.errors import PatientConflict, VersionConflict
from store.incoming import IncomingResource, Placed, Rewrite, StoredEntry
from store.patients import identifier_keys, url_keys
from store.tables import patient_keys, resource_keys, resource_versions, resources, shared_resources

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


class LocalReferences(Mapping[str, str]):
    """The map that a `Rewrite` asks. It remembers which references were asked for and not known yet."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        """Our reference for a local one; KeyError where there is none (yet)."""
        if key not in self.known:
            self.asked.add(key)
        return self.known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def place(
    connection: Connection,
    candidates: list[Candidate],
    *,
    rewrite: Rewrite,
    references: LocalReferences,
    submission_id: str,
    now: datetime,
) -> list[StoredEntry]:
    """Find or make a place for each candidate and write what is new.

    The order of the answer is that of the candidates.
    """
    _find_by_key(connection, candidates, references)
    _find_by_content(connection, candidates, rewrite, references)
    for candidate in candidates:
        if not candidate.content:
            candidate.content = rewrite(candidate.incoming.content, references)
            candidate.sha256 = hashlib.sha256(candidate.content).hexdigest()
    return _write(connection, candidates, submission_id=submission_id, now=now)


def held_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Held]:
    """What we hold under these ids of ours."""
    return {held.id: held for part in in_parts(ids) for held in _held(connection, resources.c.id.in_(part))}


def _held(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Held]:
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


def _find_by_key(connection: Connection, candidates: list[Candidate], references: LocalReferences) -> None:
    for candidate in candidates:
        incoming = candidate.incoming
        candidate.keys = [*url_keys(incoming.urls), *identifier_keys(incoming.identifiers)]
        if incoming.type == "Patient" and candidate.scope != SHARED:
            candidate.id, candidate.keys = candidate.scope, []
        elif incoming.own_id is not None:
            candidate.id = incoming.own_id
    wanted = {key for candidate in candidates for key in candidate.keys}
    found: dict[tuple[str, str, str], str] = {}
    for part in in_parts(wanted):
        query = sa.select(resource_keys).where(resource_keys.c.key.in_(part))
        found.update({(row.key, row.type, row.scope): row.resource_id for row in connection.execute(query)})
    leaders: dict[tuple[str, str, str], Candidate] = {}
    for candidate in candidates:
        addresses = [(key, candidate.incoming.type, candidate.scope) for key in candidate.keys]
        if candidate.id is None:  # addresses stand before identifiers: they say more
            candidate.id = next((found[address] for address in addresses if address in found), None)
        if candidate.id is None:
            candidate.leader = next((leaders[address] for address in addresses if address in leaders), None)
        for address in addresses:
            leaders.setdefault(address, candidate.leader or candidate)
    held = held_by_id(connection, {candidate.id for candidate in candidates if candidate.id is not None})
    for candidate in candidates:
        if candidate.id is not None:
            _settle(candidate, candidate.id, held.get(candidate.id), references)


def _settle(candidate: Candidate, identity: str, held: Held | None, references: LocalReferences) -> None:
    incoming = candidate.incoming
    if held is not None:
        if held.type != incoming.type or (
            held.scope != candidate.scope and SHARED not in (held.scope, candidate.scope)
        ):
            raise PatientConflict("subject", entry_index=incoming.entry_index)
        candidate.scope = held.scope
    candidate.id, candidate.held = identity, held
    references.known.update(dict.fromkeys(incoming.local_keys, f"{incoming.type}/{identity}"))


def _find_by_content(
    connection: Connection, candidates: list[Candidate], rewrite: Rewrite, references: LocalReferences
) -> None:
    """Settle the nameless ones, those first whose own references are settled; a ring of references is new by need."""
    waiting = [candidate for candidate in candidates if candidate.id is None and candidate.leader is None]
    followers = [candidate for candidate in candidates if candidate.id is None and candidate.leader is not None]
    open_keys = {key: id(candidate) for candidate in waiting for key in candidate.incoming.local_keys}
    open_keys.update({key: id(follower.leader) for follower in followers for key in follower.incoming.local_keys})
    looked_up: set[str] = set()
    while waiting:
        ready: list[Candidate] = []
        for candidate in waiting:
            missing = _rewrite_once(connection, candidate, rewrite, references, open_keys, looked_up)
            if not missing:
                ready.append(candidate)
        if not ready:
            for candidate in waiting:
                candidate.content = b""  # to be rewritten once all ids are known
                _settle(candidate, str(uuid.uuid4()), None, references)
        else:
            _join_equal(connection, ready, references)
        for follower in followers:
            if follower.id is None and follower.leader is not None and follower.leader.id is not None:
                _settle(follower, follower.leader.id, follower.leader.held, references)
        settled = {id(candidate) for candidate in waiting if candidate.id is not None}
        open_keys = {key: owner for key, owner in open_keys.items() if owner not in settled}
        waiting = [candidate for candidate in waiting if candidate.id is None]


def _rewrite_once(
    connection: Connection,
    candidate: Candidate,
    rewrite: Rewrite,
    references: LocalReferences,
    open_keys: Mapping[str, int],
    looked_up: set[str],
) -> bool:
    """Rewrite one content; whether it refers to another entry that has no id yet."""
    references.asked.clear()
    content = rewrite(candidate.incoming.content, references)
    addresses = {key for key in references.asked if key not in open_keys and key.startswith("http")} - looked_up
    if addresses:
        looked_up |= addresses
        if _learn_addresses(connection, addresses, candidate.scope, references):
            content = rewrite(candidate.incoming.content, references)
    candidate.content = content
    candidate.sha256 = hashlib.sha256(content).hexdigest()
    return any(open_keys.get(key, id(candidate)) != id(candidate) for key in references.asked)


def _learn_addresses(connection: Connection, addresses: set[str], scope: str, references: LocalReferences) -> bool:
    """References to what came in earlier bundles: an absolute address we know becomes ours."""
    learnt: dict[str, str] = {}
    for keys in in_parts(url_keys(addresses)):
        of_resources = sa.select(resource_keys.c.key, resource_keys.c.type, resource_keys.c.resource_id).where(
            resource_keys.c.key.in_(keys), resource_keys.c.scope.in_([scope, SHARED])
        )
        of_patients = sa.select(patient_keys.c.key, sa.literal("Patient"), patient_keys.c.patient_id).where(
            patient_keys.c.key.in_(keys), patient_keys.c.patient_id == scope
        )
        for key, type_, identity in connection.execute(of_resources.union_all(of_patients)):
            learnt[key.removeprefix("url|")] = f"{type_}/{identity}"
    references.known.update(learnt)
    return bool(learnt)


def _join_equal(connection: Connection, ready: list[Candidate], references: LocalReferences) -> None:
    digests = {candidate.sha256 for candidate in ready}
    by_content: dict[tuple[str, str, str], Held] = {}
    for part in in_parts(digests):
        current = sa.and_(resource_versions.c.sha256.in_(part), resources.c.deleted.is_(sa.false()))
        for held in _held(connection, current):
            by_content.setdefault((held.sha256, held.type, held.scope), held)
    fresh: dict[tuple[str, str, str], str] = {}
    for candidate in ready:
        address = (candidate.sha256, candidate.incoming.type, candidate.scope)
        equal = by_content.get(address)
        if equal is not None and not (equal.has_url and url_keys(candidate.incoming.urls)):
            _settle(candidate, equal.id, equal, references)
        elif url_keys(candidate.incoming.urls):
            _settle(candidate, str(uuid.uuid4()), None, references)
        else:
            _settle(candidate, fresh.setdefault(address, str(uuid.uuid4())), None, references)


def _write(
    connection: Connection, candidates: list[Candidate], *, submission_id: str, now: datetime
) -> list[StoredEntry]:
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
