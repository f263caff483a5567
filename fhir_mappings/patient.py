"""This file finds out whose each resource of a Bundle is, and by what a patient can be known again.

Same patient: the same identifier with its system, the same absolute URL, or our own id (contract, section 3).
A relative or urn reference means something only inside its Bundle; an identifier without system never matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_mappings.bundle import BundleRejected, ParsedEntry
from fhir_mappings.elements import mapping, objects, string
from fhir_mappings.issues import ERROR, Issue
from fhir_mappings.references import base_of, without_version

_TEMPORARY_USE = "temp"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """By what a patient is known outside one Bundle.

    `identifiers` are pairs of system and value; `urls` absolute URLs of the Patient; `birth_date` as written, perhaps a
    year alone; `sex` is the administrative gender as written. `local_ids` are ids that a relative reference without a
    Patient in the Bundle names: they mean our own Patient of that id, where there is one.
    """

    identifiers: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()
    birth_date: str | None = None
    sex: str | None = None
    local_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientGroup:
    """One patient of a Bundle: the references that mean them, the Patient where it was sent, and all that is theirs.

    `entries` are in the Bundle's order and include the Patient's own. A Device or Organization that resources of two
    patients refer to stands in both groups.
    """

    keys: tuple[str, ...]
    resource: dict[str, Any] | None
    identity: PatientIdentity
    entries: tuple[ParsedEntry, ...]


def identity_of(patient: dict[str, Any], full_url: str | None) -> PatientIdentity:
    """By what this Patient resource can be known again. Temporary identifiers and those without system are left out."""
    pairs = (
        (string(one.get("system")), string(one.get("value")))
        for one in objects(patient.get("identifier"))
        if string(one.get("use")) != _TEMPORARY_USE
    )
    return PatientIdentity(
        identifiers=tuple(dict.fromkeys(pair for pair in pairs if all(pair))),
        urls=(without_version(full_url),) if full_url and base_of(full_url) else (),
        birth_date=string(patient.get("birthDate")) or None,
        sex=string(patient.get("gender")) or None,
    )


def contradict(one: PatientIdentity, other: PatientIdentity) -> bool:
    """Whether two identities cannot be one person: different birth dates, or female against male.

    A year fits every day of it. `other`, `unknown` and a missing sex contradict nothing.

    >>> contradict(PatientIdentity(birth_date="1971"), PatientIdentity(birth_date="1971-03-28"))
    False
    """
    births = (one.birth_date, other.birth_date)
    if births[0] and births[1] and not (births[0].startswith(births[1]) or births[1].startswith(births[0])):
        return True
    return {one.sex, other.sex} == {"female", "male"}


def merged(one: PatientIdentity, other: PatientIdentity) -> PatientIdentity:
    """Two identities of one person as one; the more precise birth date is kept."""
    births = sorted(filter(None, (one.birth_date, other.birth_date)), key=len)
    return PatientIdentity(
        identifiers=tuple(dict.fromkeys((*one.identifiers, *other.identifiers))),
        urls=tuple(dict.fromkeys((*one.urls, *other.urls))),
        birth_date=births[-1] if births else None,
        sex=one.sex if one.sex in ("female", "male") else other.sex or one.sex,
        local_ids=tuple(dict.fromkeys((*one.local_ids, *other.local_ids))),
    )


def one_patient(groups: tuple[PatientGroup, ...]) -> PatientGroup:
    """The only patient of a Bundle. Raises `BundleRejected` (422) where there is none or more than one."""
    if not groups:
        text = "No resource says whose it is: add the Patient, or a subject reference to one."
        issue = Issue(severity=ERROR, code="required", detail="no-patient", text=text, expression=("Bundle.entry",))
        raise BundleRejected(issue, status=422)
    if len(groups) > 1:
        text = "This Bundle is about more than one patient: send one Bundle for each."
        paths = tuple(_first_path(group) for group in groups[:20])
        issue = Issue(severity=ERROR, code="business-rule", detail="two-patients", text=text, expression=paths)
        raise BundleRejected(issue, status=422)
    return groups[0]


def conflict(*entries: ParsedEntry) -> BundleRejected:
    """The refusal of Patients that share an identifier and cannot be one person: nothing is merged."""
    text = "These Patients share an identifier but not birth date or sex: correct them. Nothing was stored or merged."
    paths = tuple(f"Bundle.entry[{entry.index}].resource" for entry in entries)
    issue = Issue(severity=ERROR, code="conflict", detail="patient-conflict", text=text, expression=paths)
    return BundleRejected(issue, status=422)


def _first_path(group: PatientGroup) -> str:
    first = group.entries[0]
    if group.resource is not None:
        first = next((entry for entry in group.entries if entry.resource is group.resource), first)
    suffix = ".resource" if first.type == "Patient" else ".resource.subject"
    return f"Bundle.entry[{first.index}]{suffix}"


def contained_patient(resource: dict[str, Any], reference: str) -> dict[str, Any] | None:
    """The Patient contained in a resource under `#id`, if it is one."""
    for inner in objects(resource.get("contained")):
        if f"#{string(inner.get('id'))}" == reference and string(inner.get("resourceType")) == "Patient":
            return inner
    return None


def logical_identity(subject: dict[str, Any]) -> PatientIdentity:
    """The identity in a Reference by identifier alone; empty where the identifier has no system."""
    identifier = mapping(subject.get("identifier"))
    pair = (string(identifier.get("system")), string(identifier.get("value")))
    return PatientIdentity(identifiers=(pair,) if all(pair) else ())


def searched_identity(reference: str) -> PatientIdentity:
    """The identity in a conditional reference, `Patient?identifier=system|value`; empty for any other search."""
    _, _, query = reference.partition("?identifier=")
    system, bar, value = query.partition("&")[0].partition("|")
    return PatientIdentity(identifiers=((system, value),) if bar and system and value else ())
