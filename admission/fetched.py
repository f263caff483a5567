"""This file says which classes of data a server did not show when a patient was fetched from it, and why."""

from __future__ import annotations

from collections.abc import Iterable

from ehr.history import History, Seen

from correlation.timeline import DataClass, Withheld, WithheldBecause
from fhir_mappings.smart_scopes import parse_scopes
from fhir_mappings.withheld import CLASS_OF_TYPE, withheld_types
from store.fetched import Unseen

_BECAUSE = {Seen.NOT_PERMITTED: WithheldBecause.NOT_PERMITTED, Seen.NOT_FETCHED: WithheldBecause.NOT_FETCHED}


def withheld_by(histories: Iterable[History], *, granted_scope: str | None) -> tuple[Withheld, ...]:
    """What could not be seen, by class.

    A type that the server does not have is not withheld: nothing is there. Where the token's scopes are known, they
    count too, because a server leaves out without a word what they do not cover.
    """
    found = {
        one
        for history in histories
        for visit in history.visits
        if visit.outcome in _BECAUSE
        for one in withheld_types([visit.type], because=_BECAUSE[visit.outcome])
    }
    if granted_scope is not None:
        found |= set(_beyond(granted_scope, histories))
    return tuple(sorted(found))


def unseen_in(histories: Iterable[History], *, granted_scope: str | None) -> tuple[Unseen, ...]:
    """The same as the record keeps it."""
    every = withheld_by(list(histories), granted_scope=granted_scope)
    return tuple(Unseen(data=one.data.value, because=one.because.value) for one in every)


def withheld_from(unseen: Iterable[Unseen]) -> tuple[Withheld, ...]:
    """What the record kept, in the engine's words."""
    return tuple(sorted(Withheld(data=DataClass(one.data), because=WithheldBecause(one.because)) for one in unseen))


def _beyond(granted_scope: str, histories: Iterable[History]) -> Iterable[Withheld]:
    """The classes of types that were asked for and that the granted scopes do not cover, or only in part."""
    asked = {visit.type for history in histories for visit in history.visits} & CLASS_OF_TYPE.keys()
    scopes = [one for one in parse_scopes(granted_scope) if "s" in one.rights or "r" in one.rights]
    for type_ in asked:
        covering = [one for one in scopes if one.covers(type_)]
        if not covering:
            yield from withheld_types([type_], because=WithheldBecause.NOT_PERMITTED)
        elif all(one.parameters for one in covering):
            yield from withheld_types([type_], because=WithheldBecause.LIMITED)
