"""This file decides for each incoming resource whether we hold it already.

Known again by: our id, the same absolute address, the same identifier (system and value, same type), else by equal
content; always within one patient, so that two people never mix. Equal content joins two copies only where not both
came with an address of their own: a server that gives two addresses says that they are two.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from store import conditions, shared_links
from store.bounds import NO_BOUNDS, Bounds
from store.candidates import SHARED, Candidate, Held, Name, held_by_content, held_by_id, names_known
from store.database import in_parts
from store.errors import OutOfBounds, PatientConflict
from store.incoming import VERSION_SUFFIX, ConditionalReference, Rewrite, StoredEntry
from store.patients import identifier_keys, url_keys
from store.placement_writing import write_placed
from store.search import unfitting
from store.tables import patient_keys, resource_keys

_LONGEST_CHAIN = 30
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
        self.elsewhere: set[str] = set()  # what no entry of this call is, as far as asked, and what was learnt of it
        self.settled: dict[str, list[Candidate]] = {}  # by our reference
        self.versions: Versions | None = None

    def __getitem__(self, key: str) -> str:
        """Our reference for a local one; KeyError where there is none (yet). Behind `/_history`: to its version."""
        plain = key.removesuffix(VERSION_SUFFIX)
        if plain not in self.known:
            self.asked.add(plain)
            self.elsewhere.add(plain)
        ours = self.known[plain]
        version = None if plain == key or self.versions is None else self.versions.of(ours)
        return ours if version is None else f"{ours}{VERSION_SUFFIX}/{version}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


class Versions:
    """Which version each resource of a call will be at, told as soon as it is asked for.

    That rests on its content, and its content on the versions it refers to. In a circle of such references, and in a
    very long chain, a resource that is held is taken to change.
    """

    def __init__(self, *, rewrite: Rewrite, references: LocalReferences) -> None:
        self._rewrite = rewrite
        self._references = references
        self._writing: set[int] = set()

    def of(self, ours: str) -> int | None:
        """The version of a resource of this call, None for one that is not of it."""
        mine = self._references.settled.get(ours)
        if not mine:
            return None
        held = mine[0].held
        if held is None or held.deleted:
            return 1 if held is None else held.version + 1
        if len(self._writing) > _LONGEST_CHAIN or any(id(one) in self._writing for one in mine):
            return held.version + 1
        digests = {self.write(one) for one in mine if one.incoming.condition is None}
        return held.version + len(digests - {held.sha256})

    def write(self, candidate: Candidate) -> str:
        """Give a resource its final content; the digest of it."""
        if not candidate.content:
            self._writing.add(id(candidate))
            candidate.content = self._rewrite(candidate.incoming.content, self._references)
            candidate.sha256 = hashlib.sha256(candidate.content).hexdigest()
            self._writing.discard(id(candidate))
        return candidate.sha256


def place(
    connection: Connection,
    candidates: list[Candidate],
    *,
    rewrite: Rewrite,
    references: LocalReferences,
    searches: Sequence[ConditionalReference] = (),
    submission_id: str,
    now: datetime,
    bounds: Bounds = NO_BOUNDS,
) -> list[StoredEntry]:
    """Find or make a place for each candidate and write what is new.

    The order of the answer is that of the candidates. Who is bound to one patient makes nothing theirs by naming it.
    """
    conditions.settle(connection, candidates, references.known)
    _find_by_key(connection, candidates, references)
    conditions.find_referred(connection, searches, candidates, references.known)
    versions = references.versions = Versions(rewrite=rewrite, references=references)
    _find_by_content(connection, candidates, rewrite, references)
    for candidate in candidates:
        versions.write(candidate)
    _refuse_closed(connection, candidates, bounds)
    entries = write_placed(connection, candidates, local=references, submission_id=submission_id, now=now)
    if bounds.patients is None:
        shared_links.link(connection, _shared(candidates))
        named = references.elsewhere - references.known.keys()
        shared_links.link_named(connection, candidates, named=named, rewrite=rewrite)
    return entries


def _refuse_closed(connection: Connection, candidates: Sequence[Candidate], bounds: Bounds) -> None:
    """What the caller may not see is not written over, however it was met. Raises OutOfBounds."""
    if bounds.closed:
        held = {str(candidate.id) for candidate in candidates if candidate.held is not None}
        closed = unfitting(connection, held, bounds.closed)
        outside = [one.incoming.entry_index or 0 for one in candidates if one.id in closed]
        if outside:
            raise OutOfBounds(tuple(outside))


def _shared(candidates: Sequence[Candidate]) -> Iterator[shared_links.Link]:
    """Who refers to what is shared."""
    return (
        (patient_id, str(candidate.id))
        for candidate in candidates
        if candidate.scope == SHARED
        for patient_id in candidate.patients
    )


def _find_by_key(connection: Connection, candidates: list[Candidate], references: LocalReferences) -> None:
    for candidate in candidates:
        incoming = candidate.incoming
        candidate.keys = [*url_keys(incoming.urls), *identifier_keys(incoming.identifiers)]
        if incoming.type == "Patient" and candidate.scope != SHARED:
            candidate.id, candidate.keys = candidate.met or candidate.scope, []
        elif candidate.id is None and candidate.leader is None and incoming.own_id is not None:
            candidate.id = incoming.own_id
    found = names_known(connection, (name for candidate in candidates for name in candidate.names()))
    leaders: dict[Name, Candidate] = {}
    for candidate in candidates:
        addresses = candidate.names()
        candidate.known_names = frozenset(found.keys() & addresses)
        candidate.new_names = frozenset(addresses) - candidate.known_names
        if candidate.id is None and candidate.leader is None:  # addresses stand before identifiers: they say more
            candidate.id = next((found[address] for address in addresses if address in found), None)
        if candidate.id is None and candidate.leader is None:
            candidate.leader = next((leaders[address] for address in addresses if address in leaders), None)
        for address in addresses:
            leaders.setdefault(address, candidate.leader or candidate)
    held = held_by_id(connection, {candidate.id for candidate in candidates if candidate.id is not None})
    conflicts: list[PatientConflict] = []
    for candidate in candidates:
        if candidate.id is not None:
            try:
                _settle(candidate, candidate.id, held.get(candidate.id), references)
            except PatientConflict as conflict:
                conflicts.append(conflict)
    if conflicts:  # all at once: in a batch each costs its own entry alone
        conflicts[0].others = tuple(conflicts[1:])
        raise conflicts[0]


def _settle(candidate: Candidate, identity: str, held: Held | None, references: LocalReferences) -> None:
    incoming = candidate.incoming
    if held is not None:
        if held.type != incoming.type or (
            held.scope != candidate.scope and SHARED not in (held.scope, candidate.scope)
        ):
            raise PatientConflict("subject", entry_index=incoming.entry_index)
        candidate.scope = held.scope
    candidate.id, candidate.held = identity, held
    references.settled.setdefault(f"{incoming.type}/{identity}", []).append(candidate)
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
    _settle_followers(followers, references)
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
        _settle_followers(followers, references)
        settled = {id(candidate) for candidate in waiting if candidate.id is not None}
        open_keys = {key: owner for key, owner in open_keys.items() if owner not in settled}
        waiting = [candidate for candidate in waiting if candidate.id is None]


def _settle_followers(followers: list[Candidate], references: LocalReferences) -> None:
    for follower in followers:
        if follower.id is None and follower.leader is not None and follower.leader.id is not None:
            _settle(follower, follower.leader.id, follower.leader.held, references)


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
    references.elsewhere.update(learnt.values())
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
