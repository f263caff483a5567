"""This file settles what depends on a search: If-None-Exist, and references that are searches.

Both are answered inside the transaction that writes. In SQLite a writer is alone; in PostgreSQL equal conditions wait
for each other, so that of fifty that ask at once one creates and the others find.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from store.candidates import SHARED, Candidate
from store.errors import ConditionNotMet, NoMatch, PatientConflict, SeveralMatches
from store.incoming import ConditionalReference, IncomingResource, PatientIntake
from store.search import matching_ids
from store.search_criteria import Criterion, OfPatient, fits

_IF_NONE_EXIST = "request.ifNoneExist"
_Asked = tuple[str, tuple[Criterion, ...]]


def with_matches(connection: Connection, groups: Sequence[PatientIntake]) -> list[PatientIntake]:
    """The patients of a call, those found by a condition under our id. Raises NoMatch, SeveralMatches."""
    _wait_for_equal(
        connection,
        [
            *((one.type, one.condition) for group in groups for one in _conditional_patients(group)),
            *((one.type, one.criteria) for group in groups for one in group.references),
        ],
    )
    faults: list[ConditionNotMet] = []
    found = [_with_match(connection, group, faults) for group in groups]
    _raise(faults)
    return found


def settle(connection: Connection, candidates: Sequence[Candidate], known: Mapping[str, str]) -> None:
    """Give each resource with a condition the one that it finds, or the first of this call that has the same condition.

    Raises SeveralMatches, PatientConflict where the one found is another patient's.
    """
    asked = {
        id(candidate): (candidate.incoming.type, _substituted(candidate.incoming.condition, known))
        for candidate in candidates
        if candidate.incoming.condition is not None and candidate.incoming.type != "Patient"
    }
    _wait_for_equal(connection, asked.values())
    first: dict[_Asked, Candidate] = {}
    faults: list[ConditionNotMet] = []
    for candidate in candidates:
        question = asked.get(id(candidate))
        if question is None:
            continue
        earlier = first.setdefault(question, candidate)
        if earlier is not candidate:
            if earlier.scope != candidate.scope and SHARED not in (earlier.scope, candidate.scope):
                raise PatientConflict("subject", entry_index=candidate.incoming.entry_index)
            candidate.id, candidate.leader = earlier.id, earlier if earlier.id is None else None
        else:
            candidate.id = _found(connection, question, candidate.incoming, faults)
    _raise(faults)


def find_referred(
    connection: Connection,
    asked: Iterable[ConditionalReference],
    candidates: Sequence[Candidate],
    known: dict[str, str],
) -> None:
    """What the references that are searches mean after this call; one in this call counts with what it will say.

    Writes into `known`, or adds the reference to the keys of a resource that has no id yet. Raises NoMatch,
    SeveralMatches.
    """
    written = {one.id for one in candidates if one.id is not None and one.incoming.condition is None}
    faults: list[ConditionNotMet] = []
    for reference in asked:
        if reference.text in known:
            continue
        held = {one for one in matching_ids(connection, reference.type, reference.criteria) if one not in written}
        here = [
            one
            for one in candidates
            if one.incoming.type == reference.type
            and one.leader is None
            and one.id not in held
            and all(_fits(one, criterion) for criterion in reference.criteria)
        ]
        fresh = {one.id or id(one): one for one in here}
        if len(held) + len(fresh) != 1:
            faults.append(_fault(reference, several=bool(held or fresh)))
            continue
        only = next(iter(fresh.values()), None)
        identity = next(iter(held)) if only is None else only.id
        if identity is not None:
            known[reference.text] = f"{reference.type}/{identity}"
        elif only is not None:
            keys = (*only.incoming.local_keys, reference.text)
            only.incoming = dataclasses.replace(only.incoming, local_keys=keys)
    _raise(faults)


def _conditional_patients(group: PatientIntake) -> list[IncomingResource]:
    return [one for one in group.resources if one.type == "Patient" and one.condition is not None]


def _with_match(connection: Connection, group: PatientIntake, faults: list[ConditionNotMet]) -> PatientIntake:
    found: str | None = None
    for patient in _conditional_patients(group):
        found = found or _found(connection, (patient.type, patient.condition or ()), patient, faults)
    for reference in group.references:
        ids = matching_ids(connection, reference.type, reference.criteria)
        if len(ids) != 1 or found not in (None, ids[0]):
            faults.append(_fault(reference, several=bool(ids)))
        found = found or next(iter(ids), None)
    if found is None:
        return group
    return dataclasses.replace(group, identity=dataclasses.replace(group.identity, matched_id=found))


def _found(
    connection: Connection, asked: _Asked, incoming: IncomingResource, faults: list[ConditionNotMet]
) -> str | None:
    found = matching_ids(connection, *asked)
    if len(found) > 1:
        faults.append(SeveralMatches(entry_index=incoming.entry_index, element=_IF_NONE_EXIST))
    return next(iter(found), None)


def _fits(candidate: Candidate, criterion: Criterion) -> bool:
    if isinstance(criterion, OfPatient):
        return not set(criterion.choices).isdisjoint(candidate.patients)
    return fits(candidate.incoming.search, criterion)


def _fault(reference: ConditionalReference, *, several: bool) -> ConditionNotMet:
    kind = SeveralMatches if several else NoMatch
    return kind(entry_index=reference.entry_index, element=reference.element, text=reference.text)


def _raise(faults: Sequence[ConditionNotMet]) -> None:
    """The first fault, with the others: in a batch each of them costs its own entry alone."""
    if faults:
        faults[0].others = tuple(faults[1:])
        raise faults[0]


def _substituted(criteria: tuple[Criterion, ...] | None, known: Mapping[str, str]) -> tuple[Criterion, ...]:
    """The criteria with other entries' keys replaced by our ids."""
    return tuple(
        OfPatient(choices=tuple(known.get(choice, choice) for choice in one.choices))
        if isinstance(one, OfPatient)
        else one
        for one in criteria or ()
    )


def _wait_for_equal(connection: Connection, asked: Iterable[tuple[str, tuple[Criterion, ...] | None]]) -> None:
    if connection.dialect.name == "sqlite":
        return
    for name in sorted({repr(question) for question in asked}):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))
