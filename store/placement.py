"""This file decides for each incoming resource whether we hold it already.

Known again by: our id, the same absolute address, the same identifier (system and value, same type), else by equal
content; always within one patient, so that two people never mix. Equal content joins two copies only where not both
came with an address of their own: a server that gives two addresses says that they are two.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store.candidates import SHARED, Candidate, Held, Name, held_by_content, held_by_id, names_known
from store.database import in_parts
from store.errors import PatientConflict
from store.incoming import Rewrite, StoredEntry
from store.patients import identifier_keys, url_keys
from store.placement_writing import write_placed
from store.tables import patient_keys, resource_keys

_KEYS: sa.BindParameter[str] = sa.bindparam("keys", expanding=True)
_SCOPE: sa.BindParameter[str] = sa.bindparam("scope")
_ADDRESSES = (
    sa.select(resource_keys.c.key, resource_keys.c.type, resource_keys.c.resource_id)
    .where(resource_keys.c.key.in_(_KEYS), resource_keys.c.scope.in_([_SCOPE, SHARED]))
    .union_all(
        sa.select(patient_keys.c.key, sa.literal("Patient"), patient_keys.c.patient_id).where(
            patient_keys.c.key.in_(_KEYS), patient_keys.c.patient_id == _SCOPE
        )
    )
)


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
    return write_placed(connection, candidates, submission_id=submission_id, now=now)


def _find_by_key(connection: Connection, candidates: list[Candidate], references: LocalReferences) -> None:
    for candidate in candidates:
        incoming = candidate.incoming
        candidate.keys = [*url_keys(incoming.urls), *identifier_keys(incoming.identifiers)]
        if incoming.type == "Patient" and candidate.scope != SHARED:
            candidate.id, candidate.keys = candidate.scope, []
        elif incoming.own_id is not None:
            candidate.id = incoming.own_id
    found = names_known(connection, (name for candidate in candidates for name in candidate.names()))
    leaders: dict[Name, Candidate] = {}
    for candidate in candidates:
        addresses = candidate.names()
        candidate.known_names = frozenset(found.keys() & addresses)
        candidate.new_names = frozenset(addresses) - candidate.known_names
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
        for key, type_, identity in connection.execute(_ADDRESSES, {"keys": keys, "scope": scope}):
            learnt[key.removeprefix("url|")] = f"{type_}/{identity}"
    references.known.update(learnt)
    return bool(learnt)


def _join_equal(connection: Connection, ready: list[Candidate], references: LocalReferences) -> None:
    digests = {candidate.sha256 for candidate in ready}
    by_content: dict[tuple[str, str, str], Held] = {}
    for held in held_by_content(connection, digests, {candidate.scope for candidate in ready}):
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
