"""This file says what of one type of resource a caller may do one thing with, by their scopes.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. Scopes add up. A scope
for a patient without a patient in the token gives nothing; nor does one with parameters that a type is not searched by
here, or that are more than codes: half understood, it would give too much.
"""

from __future__ import annotations

from dataclasses import dataclass

from admission.search_terms import criteria_from
from api.access.caller import Caller
from fhir_mappings.search_query import BadParameter, read_search
from fhir_mappings.smart_scopes import Scope
from store.search_criteria import Criterion, HasToken, OfPatient, SearchValues, fits

Choice = tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be reached: whatever fits all criteria of one of `choices`. None is nothing, an empty one is all."""

    choices: tuple[Choice, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether nothing may be reached."""
        return not self.choices

    @property
    def everything(self) -> bool:
        """Whether every resource of the type may be reached."""
        return () in self.choices

    @property
    def whole(self) -> bool:
        """Whether all may be reached that is of a patient the caller may see at all."""
        return any(all(isinstance(one, OfPatient) for one in choice) for choice in self.choices)

    def holds(self, values: SearchValues, *, in_compartment: bool) -> bool:
        """Whether a resource with these values may be reached; `in_compartment`: it is of the caller's own patient."""
        return any(
            all(in_compartment if isinstance(one, OfPatient) else fits(values, one) for one in choice)
            for choice in self.choices
        )


def reach_of(caller: Caller, type_: str, right: str, *, base: str) -> Reach:
    """What the caller may do with resources of a type; `right` is one of `cruds`. `base` is our own address."""
    choices = dict.fromkeys(
        choice
        for scope in caller.scopes
        if right in scope.rights and scope.covers(type_)
        if (choice := _choice(scope, caller, type_, base=base)) is not None
    )
    return Reach(choices=((),) if () in choices else tuple(choices))


def _choice(scope: Scope, caller: Caller, type_: str, *, base: str) -> Choice | None:
    criteria: list[Criterion] = []
    if scope.context == "patient":
        if caller.patient is None:
            return None
        criteria.append(OfPatient(choices=tuple(sorted(caller.patient_ids))))
    if scope.parameters:
        if not all(value for _, value in scope.parameters):
            return None
        try:
            asked = read_search(type_, scope.parameters)
        except BadParameter:
            return None
        narrowing = criteria_from(asked, base=base)
        if asked.unknown or not narrowing or not all(isinstance(one, HasToken) for one in narrowing):
            return None
        criteria += narrowing
    return tuple(criteria)
