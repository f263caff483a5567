"""This file names how far a caller may write: into whose record, and what may follow an earlier version."""

from __future__ import annotations

from dataclasses import dataclass

from store.incoming import PatientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a caller may write. None is no bound.

    `patients` are our ids of those into whose record may be written, and `addresses` theirs on other servers: who comes
    with one of these may be new here. What belongs to several patients, or to none, is then not written at all.
    `updates` are the types of which a new version may follow an earlier one.
    """

    patients: frozenset[str] | None = None
    addresses: frozenset[str] = frozenset()
    updates: frozenset[str] | None = None

    def reach(self, patient_id: str, identity: PatientIdentity) -> bool:
        """Whether the record of this patient may be written to, who was met by this identity."""
        return self.patients is None or patient_id in self.patients or not self.addresses.isdisjoint(identity.urls)


NO_BOUNDS = Bounds()
