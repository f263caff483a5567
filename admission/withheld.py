"""This file says which classes of a patient's data a fetched record may lack, and why: by its visits, and by scopes.

Scopes: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from correlation.timeline import DataClass, Withheld, WithheldBecause
from ehr.history import Seen, TypeVisit
from fhir_mappings.smart_scopes import Scope, parse_scopes
from fhir_mappings.withheld import withheld_types
from store.fetched import KeptWithheld


def withheld_by(visits: Iterable[TypeVisit], *, granted_scope: str | None) -> tuple[Withheld, ...]:
    """The classes of data that could not be seen, or not wholly, each once for each reason.

    `granted_scope` are the scopes of the token, by blanks; None where there was no token or the server does not say
    what it granted. A type that the server does not offer is not withheld: there is nothing of it.
    """
    scopes = parse_scopes(granted_scope or "")
    found = (
        withheld
        for visit in visits
        for because in (*_by_visit(visit), *_by_scope(visit, scopes))
        for withheld in withheld_types([visit.type], because=because)
    )
    return tuple(sorted(set(found)))


def write_withheld(withheld: Iterable[Withheld]) -> tuple[KeptWithheld, ...]:
    """What could not be seen, in the words in which the record keeps it."""
    return tuple(KeptWithheld(data=one.data.value, because=one.because.value) for one in withheld)


def read_withheld(kept: Iterable[KeptWithheld]) -> tuple[Withheld, ...]:
    """The same, as it is read back."""
    every = (Withheld(data=DataClass(one.data), because=WithheldBecause(one.because)) for one in kept)
    return tuple(sorted(every))


def _by_visit(visit: TypeVisit) -> Iterator[WithheldBecause]:
    if visit.outcome is Seen.NOT_FETCHED:
        yield WithheldBecause.NOT_FETCHED
    elif visit.outcome is Seen.NOT_PERMITTED:
        yield WithheldBecause.LIMITED if visit.count else WithheldBecause.NOT_PERMITTED


def _by_scope(visit: TypeVisit, scopes: tuple[Scope, ...]) -> Iterator[WithheldBecause]:
    """What the granted scopes leave out, though the server may answer with an empty page instead of a refusal."""
    if not scopes or visit.outcome in (Seen.NOT_OFFERED, Seen.NOT_PERMITTED):
        return
    covering = [scope for scope in scopes if scope.covers(visit.type) and scope.rights & {"r", "s"}]
    if not covering:
        yield WithheldBecause.LIMITED if visit.count else WithheldBecause.NOT_PERMITTED
    elif all(scope.parameters for scope in covering):
        yield WithheldBecause.LIMITED
