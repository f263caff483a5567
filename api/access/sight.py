"""This file says what one caller may see of the record, resource by resource, and how far they may write.

Every route is given a Sight by the guard, and everything a route reads or writes goes by it. What may not be seen is
answered as what is not there: 404, never 403, so that nothing is said of anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final

from admission.search_terms import values_from
from api.access.caller import Caller
from api.access.errors import NotPermitted
from api.access.reach import Reach, reach_of
from api.parts import Parts
from correlation.timeline import Withheld, WithheldBecause
from fhir_mappings import canonical
from fhir_mappings.elements import every_reference
from fhir_mappings.references import without_version
from fhir_mappings.resource_json import loads
from fhir_mappings.resource_types import ABOUT_NO_PATIENT, KEPT_TYPES
from fhir_mappings.search_values import CONFIDENTIALITY, search_values
from fhir_mappings.security_labels import codes_above, more_confidential
from fhir_mappings.smart_scopes import ALL_RIGHTS
from fhir_mappings.withheld import CLASS_OF_TYPE, withheld_types
from store import ownership, resources
from store.bounds import Bounds
from store.search_criteria import Criterion, LacksToken, OfPatient, SearchValues

_LABEL: Final = canonical.CONFIDENTIALITY.encode()
_LOCAL: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What `caller` may see and do. `base` is the address of our FHIR base as the caller knows it."""

    parts: Parts
    caller: Caller
    base: str
    whole_reports: dict[tuple[str, int], bool] = field(default_factory=dict)
    """What was found out for this request: whether a version of a report hides nothing from the caller."""
    _reaches: dict[tuple[str, str], Reach] = field(default_factory=dict)
    _owners: dict[str, frozenset[str]] = field(default_factory=dict)
    _people: dict[str, frozenset[str]] = field(default_factory=dict)

    def reach(self, type_: str, right: str) -> Reach:
        """What may be done with resources of a type; `right` is one letter of `cruds`."""
        known = self._reaches.get((type_, right))
        if known is None:
            known = self._reaches[type_, right] = reach_of(self.caller, type_, right, base=self.base)
        return known

    def require(self, type_: str, right: str) -> Reach:
        """The same; NotPermitted where it is nothing."""
        found = self.reach(type_, right)
        if found.nothing:
            raise NotPermitted
        return found

    @property
    def unlimited(self) -> bool:
        """Whether nothing at all is hidden: no resource has to be read to know."""
        return not self.caller.verified and self.reach("*", "r").everything

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        """The classes of evidence that the caller's scopes hide, wholly or in part, whatever is in them."""
        reaches = {type_: self.reach(type_, "r") for type_ in CLASS_OF_TYPE}
        hidden = (type_ for type_, reach in reaches.items() if reach.nothing)
        partly = (type_ for type_, reach in reaches.items() if not reach.nothing and not reach.whole)
        return tuple(
            sorted(
                {
                    *withheld_types(hidden, because=WithheldBecause.NOT_PERMITTED),
                    *withheld_types(partly, because=WithheldBecause.LIMITED),
                }
            )
        )

    @property
    def sees_whole_reports(self) -> bool:
        """Whether no scope hides a class of what a report may rest on; a single resource may still be hidden."""
        return not self.withheld

    @property
    def sees_every_patient(self) -> bool:
        """Whether no scope hides anything of anybody that is kept; a security label still may."""
        return all(self.reach(type_, "r").everything for type_ in KEPT_TYPES)

    def sees(
        self, type_: str, identity: str, *, content: Mapping[str, Any], patient_id: str | None, right: str = "r"
    ) -> bool:
        """Whether a resource may be seen, or with another `right` done with; `patient_id` is None where it is no one
        patient's."""
        if self.unlimited:
            return True
        if self.hides(content):
            return False
        reach = self.reach(type_, right)
        if reach.everything:
            return True
        values = values_from(search_values(dict(content)))
        if reach.holds(values, in_compartment=False):
            return True
        if not reach.holds(values, in_compartment=True):
            return False
        return self.in_compartment(type_, identity, patient_id=patient_id) and not self.names_others(content)

    def hides(self, content: Mapping[str, Any]) -> bool:
        """Whether a security label keeps a resource from this caller."""
        return self.caller.verified and more_confidential(content, than=self.parts.settings.most_confidential)

    def hidden_since(self, ids: Iterable[str]) -> frozenset[str]:
        """Of these resources, those that a label keeps from this caller by now: it counts for every earlier version."""
        if not self.caller.verified:
            return frozenset()
        last = resources.last_contents(self.parts.database, ids)
        return frozenset(one for one, content in last.items() if _LABEL in content and self.hides(loads(content)))

    def in_compartment(self, type_: str, identity: str, *, patient_id: str | None) -> bool:
        """Whether a resource is of the caller's own patient: theirs alone, or beside them and about no patient."""
        if patient_id is not None:
            return patient_id in self.caller.patient_ids
        about = self._owners_of({identity})[identity]
        if type_ in ABOUT_NO_PATIENT:
            return not about.isdisjoint(self.caller.patient_ids)
        return bool(about) and about <= self.caller.patient_ids

    def may_know(self, type_: str, identity: str, *, patient_id: str | None) -> bool:
        """Whether the caller may know that there is such a resource: whoever is not bound to one patient may."""
        free = any(not _of_patient(choice) for right in ALL_RIGHTS for choice in self.reach(type_, right).choices)
        return free or self.in_compartment(type_, identity, patient_id=patient_id)

    def names_others(self, content: Mapping[str, Any]) -> bool:
        """Whether a resource refers to another patient, or to a resource of theirs."""
        texts = {without_version(text).removeprefix(f"{self.base}/") for _, text in every_reference(content, path="")}
        local = (found for text in texts if (found := _LOCAL.fullmatch(text)))
        ids = {found["id"] for found in local if found["type"] not in ABOUT_NO_PATIENT}
        about = self._owners_of(ids)
        if any(about[one] and about[one].isdisjoint(self.caller.patient_ids) for one in ids):
            return True
        elsewhere = {text for text in texts if text.startswith(("http://", "https://"))}
        return any(not people <= self.caller.patient_ids for people in self._people_at(elsewhere))

    def _owners_of(self, ids: Set[str]) -> Mapping[str, frozenset[str]]:
        """Whom each of these ids is about. Each is looked up once for a request: a page names the same ones often."""
        unknown = ids - self._owners.keys()
        if unknown:
            found = ownership.owners(self.parts.database, unknown)
            self._owners.update((one, found.get(one, frozenset())) for one in unknown)
        return self._owners

    def _people_at(self, addresses: Set[str]) -> Iterator[frozenset[str]]:
        """The patients who are known by these addresses, looked up once as well."""
        unknown = addresses - self._people.keys()
        if unknown and not ownership.same_person(self.parts.database, unknown):
            self._people.update(dict.fromkeys(unknown, frozenset()))
        for address in addresses:
            if address not in self._people:
                self._people[address] = ownership.same_person(self.parts.database, [address])
            yield self._people[address]

    def bounds(self, wanted: Iterable[tuple[str, str, SearchValues]], *, updated: Iterable[str] = ()) -> Bounds:
        """How far a call may write that does these (type, right, by what the resource is found); NotPermitted where it
        may not at all. `updated` are ids of which it was checked already that they may be.

        Who may write one of them to their own patient alone writes all of the call there; and so does who writes
        nothing that is named.
        """
        every = [(self.require(type_, right), values) for type_, right, values in wanted]
        free = bool(every) and all(reach.holds(values, in_compartment=False) for reach, values in every)
        updates = frozenset(
            type_ for type_ in KEPT_TYPES if (reach := self.reach(type_, "u")).everything or (reach.whole and not free)
        )
        return Bounds(
            patients=None if free else self.caller.patient_ids,
            addresses=frozenset() if free else self.caller.patient_addresses,
            updates=None if updates == KEPT_TYPES else updates,
            updated=frozenset(updated),
            closed=self.open_labels(),
        )

    def own_patient(self) -> OfPatient:
        """The condition of being of the caller's own patient."""
        return OfPatient(choices=tuple(sorted(self.caller.patient_ids)))

    def open_labels(self) -> tuple[LacksToken, ...]:
        """The condition that no label keeps a resource from this caller."""
        if not self.caller.verified:
            return ()
        hidden = codes_above(self.parts.settings.most_confidential)
        return (LacksToken(parameter=CONFIDENTIALITY, values=hidden),) if hidden else ()

    def within(self, type_: str) -> tuple[Criterion, ...]:
        """What a condition on a type asks besides, so that it tells of nothing that the caller may not find."""
        own = () if self.reach(type_, "s").everything else (self.own_patient(),)
        return (*self.open_labels(), *own)


def _of_patient(choice: tuple[object, ...]) -> bool:
    return any(isinstance(one, OfPatient) for one in choice)
