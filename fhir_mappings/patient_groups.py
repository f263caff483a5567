"""This file sorts the entries of a Bundle by patient: by subject, then by what refers to what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from fhir_mappings.bundle import SUBJECT_ELEMENTS, ParsedBundle, ParsedEntry
from fhir_mappings.elements import every_reference, objects, string
from fhir_mappings.issues import INFORMATION, WARNING, Issue, grouped
from fhir_mappings.patient import (
    PatientGroup,
    PatientIdentity,
    conflict,
    contained_patient,
    contradict,
    identity_of,
    logical_identity,
    merged,
    searched_identity,
)
from fhir_mappings.references import Addressed, References, Target, base_of, without_version

_NEEDS_SUBJECT: Final = frozenset(
    {
        "Procedure", "Observation", "ImagingStudy", "DiagnosticReport", "Condition", "MedicationStatement",
        "MedicationRequest", "MedicationAdministration", "DeviceUseStatement", "AllergyIntolerance", "Encounter",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A Bundle by patient, what belongs to nobody, and the issues that came up."""

    groups: tuple[PatientGroup, ...]
    nobodys: tuple[ParsedEntry, ...]
    issues: tuple[Issue, ...]


@dataclass(kw_only=True)
class _Person:
    """A patient while the entries are being sorted."""

    keys: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)  # references to a patient who was not sent
    identity: PatientIdentity = field(default_factory=PatientIdentity)
    patients: list[ParsedEntry] = field(default_factory=list)
    resource: dict[str, Any] | None = None
    members: set[int] = field(default_factory=set)


def patients_in(bundle: ParsedBundle) -> tuple[PatientGroup, ...]:
    """The patients of a Bundle, in the order of their first entry.

    Raises `BundleRejected` (422, `patient-conflict`) where one identifier stands for two contradictory people.
    """
    return sort_by_patient(bundle).groups


def sort_by_patient(bundle: ParsedBundle) -> Sorted:
    """Every entry with its patient. In a Bundle about one patient, what names nobody is theirs, with an issue.

    Raises `BundleRejected` (422, `patient-conflict`).
    """
    entries = [entry for entry in bundle.entries if entry.resource is not None]
    sorter = _Sorter(entries)
    for entry in entries:
        if entry.type == "Patient":
            sorter.add_patient(entry)
    for entry in entries:
        if entry.type != "Patient":
            sorter.add_subject(entry)
    sorter.add_by_reference()
    issues = sorter.add_rest()
    taken = set().union(*(person.members for person in sorter.people)) if sorter.people else set()
    nobodys = tuple(entry for entry in entries if entry.index not in taken)
    groups = tuple(_group(person, entries) for person in sorter.people)
    return Sorted(groups=tuple(sorted(groups, key=_place)), nobodys=nobodys, issues=issues)


def _place(group: PatientGroup) -> int:
    return min((entry.index for entry in group.entries), default=0)


def _group(person: _Person, entries: Iterable[ParsedEntry]) -> PatientGroup:
    return PatientGroup(
        keys=tuple(dict.fromkeys(person.keys)),
        resource=person.resource,
        identity=person.identity,
        entries=tuple(entry for entry in entries if entry.index in person.members),
    )


class _Sorter:
    def __init__(self, entries: list[ParsedEntry]) -> None:
        self.people: list[_Person] = []
        self.unclear: list[str] = []  # FHIRPaths of subjects that fit nobody in particular
        self._entries = entries
        self._addressed = {
            entry.index: Addressed(index=entry.index, full_url=entry.full_url, resource=entry.resource or {})
            for entry in entries
        }
        self._references = References(self._addressed.values())
        self._elsewhere: set[int] = set()  # whose subject is a Group, a Location, or unclear

    def add_patient(self, entry: ParsedEntry) -> None:
        """A Patient resource: a new person, or one already met under the same identifier or URL."""
        resource = entry.resource or {}
        identity = identity_of(resource, entry.full_url)
        person = self._known(identity) or self._same_place(entry)
        if person is None:
            person = _Person()
            self.people.append(person)
        elif contradict(person.identity, identity):
            raise conflict(*person.patients, entry)
        person.identity = merged(person.identity, identity)
        person.resource = person.resource or resource
        person.patients.append(entry)
        person.members.add(entry.index)
        if entry.full_url:
            person.keys.append(without_version(entry.full_url))
        if string(resource.get("id")) and (self._references.one_server or base_of(entry.full_url) is None):
            person.keys.append(f"Patient/{string(resource.get('id'))}")

    def add_subject(self, entry: ParsedEntry) -> None:
        """A resource that says whose it is."""
        for name in SUBJECT_ELEMENTS:
            for subject in objects((entry.resource or {}).get(name)):
                person = self._person_of(subject, entry, f"Bundle.entry[{entry.index}].resource.{name}")
                if person is not None:
                    person.members.add(entry.index)

    def add_by_reference(self) -> None:
        """Products, people and places belong to whoever refers to them; Provenance to whoever it is about."""
        if len(self.people) == 1:
            return  # all that names nobody is theirs anyway
        for person in self.people:
            waiting = list(person.members)
            while waiting:
                source = self._addressed[waiting.pop()]
                for _, text in every_reference(source.resource, path=""):
                    target = self._references.resolve(text, source)
                    if (
                        isinstance(target, Target)
                        and self._is_free(target.at.index)
                        and target.at.index not in person.members
                    ):
                        person.members.add(target.at.index)
                        waiting.append(target.at.index)
        for entry in self._entries:
            if entry.type == "Provenance":
                self._add_provenance(entry)

    def add_rest(self) -> tuple[Issue, ...]:
        """What is left: theirs, where the Bundle is about one patient; nobody's otherwise."""
        taken = set().union(*(person.members for person in self.people)) if self.people else set()
        rest = [entry for entry in self._entries if entry.index not in taken and entry.index not in self._elsewhere]
        alone = self.people[0] if len(self.people) == 1 else None
        if alone is not None:
            alone.members.update(entry.index for entry in rest)
        silent = [f"Bundle.entry[{entry.index}].resource" for entry in rest if entry.type in _NEEDS_SUBJECT]
        return tuple(_subject_issues(silent, one_patient=alone is not None, unclear=self.unclear))

    def _is_free(self, index: int) -> bool:
        """Whether no subject gave this entry to anyone: only such an entry can belong to several."""
        resource = self._addressed[index].resource
        return (
            index not in self._elsewhere
            and not any(objects(resource.get(name)) for name in SUBJECT_ELEMENTS)
            and (string(resource.get("resourceType")) != "Patient")
        )

    def _add_provenance(self, entry: ParsedEntry) -> None:
        source = self._addressed[entry.index]
        for target in objects((entry.resource or {}).get("target")):
            found = self._references.resolve(string(target.get("reference")), source)
            if isinstance(found, Target):
                for person in self.people:
                    if found.at.index in person.members:
                        person.members.add(entry.index)

    def _person_of(self, subject: dict[str, Any], entry: ParsedEntry, path: str) -> _Person | None:
        text = string(subject.get("reference"))
        if not text:
            identity = logical_identity(subject)
            return self._met(identity, key=None) if identity.identifiers else None
        if text.startswith("#"):
            inner = contained_patient(entry.resource or {}, text)
            return self._met(identity_of(inner, None), key=None) if inner is not None else None
        found = self._references.resolve(unquote(text) if "?" in text else text, self._addressed[entry.index])
        if found == "ambiguous":
            self._elsewhere.add(entry.index)
            self.unclear.append(path)
            return None
        if isinstance(found, Target):
            if string(found.resource.get("resourceType")) != "Patient":
                self._elsewhere.add(entry.index)
                return None
            return next(person for person in self.people if found.at.index in {one.index for one in person.patients})
        return self._outside(unquote(text), entry)

    def _outside(self, text: str, entry: ParsedEntry) -> _Person | None:
        """A patient who is named but was not sent."""
        plain = without_version(text)
        if plain.startswith("Patient?"):
            identity = searched_identity(plain)
            return self._met(identity, key=plain)
        if plain.startswith("urn:"):
            return self._met(PatientIdentity(), key=plain)
        if "Patient/" not in plain:
            self._elsewhere.add(entry.index)
            return None
        if plain.startswith("Patient/"):
            base = base_of(entry.full_url)
            if base is None:
                return self._met(PatientIdentity(local_ids=(plain.removeprefix("Patient/"),)), key=plain)
            plain = f"{base}/{plain}"
        return self._met(PatientIdentity(urls=(plain,)), key=plain)

    def _met(self, identity: PatientIdentity, *, key: str | None) -> _Person:
        person = self._known(identity) or next((one for one in self.people if key in one.named), None)
        if person is None:
            person = _Person()
            self.people.append(person)
        person.identity = merged(person.identity, identity)
        if key:
            person.keys.append(key)
            person.named.add(key)
        return person

    def _known(self, identity: PatientIdentity) -> _Person | None:
        for person in self.people:
            if set(identity.identifiers) & set(person.identity.identifiers) or set(identity.urls) & set(
                person.identity.urls
            ):
                return person
        return None

    def _same_place(self, entry: ParsedEntry) -> _Person | None:
        if not entry.full_url:
            return None
        plain = without_version(entry.full_url)
        return next((one for one in self.people if plain in one.keys), None)


def _subject_issues(silent: list[str], *, one_patient: bool, unclear: list[str]) -> Iterable[Issue]:
    if silent and one_patient:
        text = "This resource does not say whose it is; as the Bundle is about one patient, it was taken as theirs."
        yield grouped(Issue(severity=INFORMATION, code="incomplete", detail="no-subject", text=text), paths=silent)
    elif silent:
        text = "This resource does not say whose it is and was not read: add its subject."
        yield grouped(Issue(severity=WARNING, code="required", detail="no-subject", text=text), paths=silent)
    if unclear:
        text = "This reference fits more than one Patient of the Bundle: use the fullUrl. The resource was not read."
        yield grouped(
            Issue(severity=WARNING, code="multiple-matches", detail="ambiguous-reference", text=text), paths=unclear
        )
