"""This file asks of each entry of a Bundle whether its caller may do it: a transaction has no scope of its own.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#batches-and-transactions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from admission.incoming import is_kept
from admission.search_terms import condition_from, values_from
from api.access.errors import NotPermitted
from api.access.sight import Sight
from api.entry_checks import deletions_of, instance_named, plain_url, read_wanted
from api.entry_refusals import EntryRefusal
from api.errors import RequestRefused
from api.receiving import held_in
from api.resources import find, latest_for
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.resource_json import loads
from fhir_mappings.search_values import search_values
from store import ownership
from store.bounds import NO_BOUNDS, Bounds
from store.errors import Gone, NotFound
from store.incoming import Deletion
from store.resources import StoredResource
from store.search_criteria import NO_VALUES, Criterion, SearchValues

_RIGHTS: Final[Mapping[str, str]] = {"POST": "c", "PUT": "u", "DELETE": "d"}
_TYPE: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]+)(?P<id>/[A-Za-z0-9.\-]{1,64})?")
Named = tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]


def forbidden_in(sight: Sight, bundle: ParsedBundle) -> Mapping[int, EntryRefusal]:
    """The entries that the caller may not do, by their index."""
    if sight.unlimited:
        return {}
    return {
        entry.index: refusal_of(f"Bundle.entry[{entry.index}]") for entry in bundle.entries if not _may(sight, entry)
    }


def bounds_of(sight: Sight, bundle: ParsedBundle, *, updatable: Iterable[tuple[str, str]]) -> Bounds:
    """How far these entries, all of which the caller may do, may write. `updatable` is what was found to be."""
    if sight.unlimited:
        return NO_BOUNDS
    return sight.bounds(
        (wanted for entry in bundle.entries for wanted in _written(sight, entry)),
        updated=(identity for _, identity in updatable),
    )


def updatable_in(
    sight: Sight, bundle: ParsedBundle, *, held: frozenset[tuple[str, str]] = frozenset()
) -> frozenset[tuple[str, str]]:
    """The types and ids of ours that these entries update and the caller may: to them, the others are not there.

    To whom nothing is hidden that is all of what is `held`.
    """
    if sight.unlimited:
        return held
    puts = (entry for entry in bundle.entries if entry.method == "PUT")
    named = {one for entry in puts if (one := instance_named(entry, sight.base))}
    return frozenset(
        one for one in named if latest_for(sight, *one, right="u") is not None or is_named_patient(sight, *one)
    )


def is_named_patient(sight: Sight, type_: str, identity: str) -> bool:
    """Whether it is a patient whom the caller knows of, who may have been only named so far."""
    return type_ == "Patient" and held_in(sight)(type_, identity)


def readable_in(sight: Sight, bundle: ParsedBundle, *, known: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The types and ids that these entries read and the caller may, or that were deleted.

    To whom nothing is hidden that is all of what is `known`.
    """
    if sight.unlimited:
        return known
    urls = (plain_url(entry, sight.base) for entry in bundle.entries if entry.method in {"GET", "HEAD"})
    return frozenset((read[0], read[1]) for url in urls if (read := read_wanted(url)) and _is_there(sight, *read))


def _is_there(sight: Sight, type_: str, identity: str, version: int | None) -> bool:
    try:
        find(sight, type_, identity, version=version)
    except NotFound:
        return False
    except (Gone, RequestRefused):
        pass
    return True


def deletions_in(sight: Sight, bundle: ParsedBundle) -> Sequence[Deletion]:
    """The entries that delete. What the caller may not delete is to them as if it were not there."""
    return [
        replace(one, hidden=latest_for(sight, one.type, one.id, right="d") is None)
        for one in deletions_of(bundle, base=sight.base)
    ]


def bounds_of_deletion(sight: Sight, current: StoredResource | None) -> Bounds:
    """The same for what is there to be deleted, as far as the caller may."""
    if sight.unlimited:
        return NO_BOUNDS
    return sight.bounds(_deleted(current))


def bounds_of_all(sight: Sight, bundle: ParsedBundle) -> Bounds:
    """The same for a Bundle whose entries say nothing of what is to be done with them: all of it is created.

    Raises NotPermitted, naming the entries by their elements.
    """
    if sight.unlimited:
        return NO_BOUNDS
    kept = [entry for entry in bundle.entries if is_kept(entry)]
    forbidden = [entry.index for entry in kept if not _may(sight, replace(entry, method="POST"))]
    if forbidden:
        raise NotPermitted(*(f"Bundle.entry[{index}].resource" for index in forbidden))
    wanted = [(entry.type or "", "c", _values(entry)) for entry in kept]
    return sight.bounds([("DiagnosticReport", "c", NO_VALUES), *wanted])  # a report comes of it in any case


def condition_of(sight: Sight, type_: str, query: str) -> tuple[Criterion, ...]:
    """The criteria of a condition, within the caller's sight. Raises ConditionRefused, NotPermitted.

    A condition tells whether something is there, so it takes the right to search the type without a narrowing.
    """
    criteria = condition_from(type_, query, base=sight.base)
    if not sight.require(type_, "s").whole:
        raise NotPermitted
    return (*criteria, *sight.within(type_))


def known_in(sight: Sight, named: Named) -> Named:
    """Of what is held and made under the ids that a call names, what the caller may know of."""
    if sight.unlimited or sight.caller.patient is None:
        return named
    held, made = named
    about = ownership.owners(sight.parts.database, (identity for _, identity in held | made))

    def known(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        return frozenset(
            (type_, identity)
            for type_, identity in pairs
            if sight.may_know(type_, identity, patient_id=_only(about.get(identity, frozenset())))
        )

    return known(held), known(made)


def _only(patient_ids: frozenset[str]) -> str | None:
    return next(iter(patient_ids)) if len(patient_ids) == 1 else None


def _may(sight: Sight, entry: ParsedEntry) -> bool:
    right = _RIGHTS.get(entry.method or "")
    if right is None and entry.method not in {"GET", "HEAD"}:
        return True  # it is refused for another reason
    if right is None or entry.method == "DELETE":
        named = _TYPE.match(plain_url(entry, sight.base))
        asked = right or ("r" if named and named["id"] else "s")
        return named is None or not sight.reach(named["type"], asked).nothing
    conditional = entry.if_none_exist is None or sight.reach(entry.type or "", "s").whole
    return conditional and _may_write(sight, entry, right=right)


def _may_write(sight: Sight, entry: ParsedEntry, *, right: str) -> bool:
    """Whether the scopes cover what is written; whose it is, is settled where it is stored."""
    return sight.reach(entry.type or "", right).holds(_values(entry), in_compartment=True)


def _written(sight: Sight, entry: ParsedEntry) -> Iterator[tuple[str, str, SearchValues]]:
    """The type and right that an entry takes that writes, and what is written or deleted."""
    if entry.method == "DELETE":
        if target := instance_named(entry, sight.base):
            yield from _deleted(latest_for(sight, *target, right="d"))
    elif entry.method is not None and entry.method in _RIGHTS and entry.type:
        yield entry.type, _RIGHTS[entry.method], _values(entry)


def _deleted(current: StoredResource | None) -> Iterator[tuple[str, str, SearchValues]]:
    if current is not None and not current.deleted:
        yield current.type, "d", values_from(search_values(loads(current.content)))


def _values(entry: ParsedEntry) -> SearchValues:
    return values_from(search_values(entry.resource or {}))


def refusal_of(path: str) -> EntryRefusal:
    """What is said of an entry, or of a part of it, that the caller may not do."""
    text = "Your access token does not cover this entry: ask for a scope that lets you do it, or leave it out."
    return EntryRefusal.of("forbidden", detail="not-permitted", text=text, path=path, status=403)
