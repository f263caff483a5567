"""This file names how far a caller may write: into whose record, and what may follow an earlier version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from store.incoming import PatientIdentity
from store.search_criteria import LacksToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a caller may write. None is no bound.

    `patients` are our ids of those into whose record may be written, and `addresses` theirs on other servers: who comes
    with one of these may be new here, and is known again by that alone. What belongs to several patients, or to none,
    is then not written at all. `updates` are the types of which a new version may follow an earlier one, and `updated`
    the ids of which one may whatever their type: somebody has looked at what they hold. What does not fit `closed` is
    left as it is.
    """

    patients: frozenset[str] | None = None
    addresses: frozenset[str] = frozenset()
    updates: frozenset[str] | None = None
    updated: frozenset[str] = frozenset()
    closed: tuple[LacksToken, ...] = ()

    def reach(self, patient_id: str | None, identity: PatientIdentity) -> bool:
        """Whether the record of this patient may be written to. `patient_id` is None for whoever is not known here by
        this identity: they may become known under an address of the caller's own patient."""
        if self.patients is None or patient_id in self.patients:
            return True
        return patient_id is None and not self.addresses.isdisjoint(identity.urls)

    def learnt(self, identity: PatientIdentity) -> PatientIdentity:
        """By what of this identity the patient may be known again from now on. Who is bound to one patient and could
        name it freely would draw what comes later of somebody else into that record."""
        if self.patients is None:
            return identity
        return replace(identity, identifiers=(), urls=tuple(url for url in identity.urls if url in self.addresses))

    def may_update(self, type_: str, identity: str) -> bool:
        """Whether a new version of this resource may follow."""
        return self.updates is None or type_ in self.updates or identity in self.updated

    @property
    def may_merge(self) -> bool:
        """Whether one patient's record may become a part of another's: that changes both."""
        return self.patients is None and (self.updates is None or "Patient" in self.updates)


NO_BOUNDS = Bounds()
