"""This file asks of each entry of a Bundle whether its caller may do it: a transaction has no scope of its own.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#batches-and-transactions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from admission.incoming import is_kept
from admission.search_terms import condition_from, values_from
from api.access.errors import NotPermitted
from api.access.sight import Sight
from api.entry_refusals import EntryRefusal
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.search_values import search_values
from store import ownership
from store.bounds import Bounds
from store.search_criteria import Criterion

_RIGHTS: Final[Mapping[str, str]] = {"POST": "c", "PUT": "u", "DELETE": "d"}
_TYPE: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]+)(?P<id>/[A-Za-z0-9.\-]{1,64})?")
Named = tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]


def forbidden_in(sight: Sight, bundle: ParsedBundle) -> Mapping[int, EntryRefusal]:
    """The entries that the caller may not do, by their index."""
    if sight.unlimited:
        return {}
    return {entry.index: _refusal(entry.index) for entry in bundle.entries if not _may(sight, entry)}


def bounds_of(sight: Sight, bundle: ParsedBundle) -> Bounds:
    """How far these entries, all of which the caller may do, may write."""
    return sight.bounds(wanted for entry in bundle.entries for wanted in _wanted(sight, entry))


def bounds_of_all(sight: Sight, bundle: ParsedBundle) -> Bounds:
    """The same for a Bundle whose entries say nothing of what is to be done with them: all of it is created.

    Raises NotPermitted, naming the entries by their elements.
    """
    kept = [entry for entry in bundle.entries if is_kept(entry)]
    forbidden = [entry.index for entry in kept if not _may_write(sight, entry, right="c")]
    if forbidden:
        raise NotPermitted(*(f"Bundle.entry[{index}].resource" for index in forbidden))
    return sight.bounds((entry.type or "", "c") for entry in kept)


def condition_of(sight: Sight, type_: str, query: str) -> tuple[Criterion, ...]:
    """The criteria of a condition, within the caller's sight. Raises ConditionRefused, NotPermitted.

    A condition tells whether something is there, so it takes the right to search the type without a narrowing.
    """
    criteria = condition_from(type_, query, base=sight.base)
    reach = sight.require(type_, "s")
    if reach.everything:
        return criteria
    if not reach.whole:
        raise NotPermitted
    return (*criteria, sight.own_patient())


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
    if entry.method in {"GET", "HEAD"}:
        return all(not sight.reach(type_, right).nothing for type_, right in _wanted(sight, entry))
    right = _RIGHTS.get(entry.method or "")
    if right is None:
        return True  # it is refused for another reason
    if entry.method == "DELETE":
        return all(not sight.reach(type_, right).nothing for type_, right in _wanted(sight, entry))
    conditional = entry.if_none_exist is None or sight.reach(entry.type or "", "s").whole
    return conditional and _may_write(sight, entry, right=right)


def _may_write(sight: Sight, entry: ParsedEntry, *, right: str) -> bool:
    """Whether the scopes cover what is written; whose it is, is settled where it is stored."""
    reach = sight.reach(entry.type or "", right)
    return reach.holds(values_from(search_values(entry.resource or {})), in_compartment=True)


def _wanted(sight: Sight, entry: ParsedEntry) -> Iterator[tuple[str, str]]:
    """The type and right that an entry asks for."""
    address = (entry.url or "").removeprefix(f"{sight.base}/").removeprefix("/")
    named = _TYPE.match(address)
    if entry.method in {"GET", "HEAD"}:
        if named is not None:
            yield named["type"], "r" if named["id"] else "s"
    elif entry.method == "DELETE":
        if named is not None:
            yield named["type"], "d"
    elif entry.method is not None and entry.method in _RIGHTS and entry.type:
        yield entry.type, _RIGHTS[entry.method]


def _refusal(index: int) -> EntryRefusal:
    text = "Your access token does not cover this entry: ask for a scope that lets you do it, or leave it out."
    return EntryRefusal.of("forbidden", detail="not-permitted", text=text, path=f"Bundle.entry[{index}]", status=403)
