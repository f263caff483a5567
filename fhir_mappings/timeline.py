"""This file turns one patient's resources into a timeline of facts, with an issue for all that was left out or guessed.

Each resource is read behind a guard: one that cannot be read gives an issue and never costs the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, uuid5

from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import (
    ClinicalCondition,
    FillerInjection,
    ImagingExam,
    LabResult,
    Medication,
    PatientTimeline,
    ResourceRef,
    Withheld,
)
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.condition import read_condition, read_procedure_condition
from fhir_mappings.dates import read_date
from fhir_mappings.elements import mapping, string
from fhir_mappings.imaging import Imaging, read_reports, start_imaging
from fhir_mappings.issues import INFORMATION, Issue, grouped
from fhir_mappings.medication import MEDICATION_TYPES, read_medication
from fhir_mappings.observation import read_observation
from fhir_mappings.own_output import is_own_output
from fhir_mappings.procedure import read_injections
from fhir_mappings.record import KeptResource as KeptResource
from fhir_mappings.record import Record, Source
from fhir_mappings.reference_issues import reference_issues
from fhir_mappings.references import Addressed, References, base_of, without_version
from fhir_mappings.resource_json import digest
from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.unknown_fields import unknown_fields
from fhir_mappings.withheld import masked

_T = TypeVar("_T")
_FAR: Final = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What was read of one patient. `inputs` are the resources that facts were read from, and the Patient."""

    timeline: PatientTimeline
    issues: tuple[Issue, ...]
    patient: dict[str, Any] | None
    inputs: tuple[ResourceRef, ...]


@dataclass(kw_only=True)
class _Facts:
    injections: list[FillerInjection] = field(default_factory=list)
    labs: list[LabResult] = field(default_factory=list)
    conditions: list[ClinicalCondition] = field(default_factory=list)
    medications: list[Medication] = field(default_factory=list)


def timeline_from(
    resources: Sequence[KeptResource], *, as_of: date, knowledge: Knowledge, withheld: Iterable[Withheld] = ()
) -> Mapped:
    """One patient's facts in date order. All resources must be theirs (`patient_groups`); ours is not read.

    `withheld` are the classes of data that are known not to be among the resources, or not wholly.
    """
    issues: list[Issue] = []
    kept = _without_own(resources, issues)
    patients = [one for one in kept if string(one.resource.get("resourceType")) == "Patient"]
    record = _record(kept, patients, as_of=as_of, knowledge=knowledge)
    record.add(issues)
    _look_over(record)
    imaging = start_imaging(record)
    facts = _read(record, imaging)
    exams = tuple(sorted(imaging.finished(), key=lambda exam: (_order(exam.started), exam.source.reference)))
    timeline = PatientTimeline(
        injections=_in_order(facts.injections, lambda one: one.performed),
        labs=_in_order(facts.labs, lambda one: one.collected),
        exams=exams,
        findings=_in_order(imaging.findings, lambda one: one.seen),
        conditions=_in_order(facts.conditions, lambda one: one.onset),
        medications=tuple(sorted(facts.medications, key=lambda one: (one.concept, one.source.reference))),
        sex=record.sex,
        age_years=_age(record.birth, exams, as_of),
        withheld=tuple(sorted({*withheld, *masked(source.resource for source in record.sources)})),
    )
    return Mapped(
        timeline=timeline,
        issues=tuple(dict.fromkeys(record.issues)),
        patient=patients[0].resource if patients else None,
        inputs=_inputs(timeline, record),
    )


def kept_from_bundle(parsed: ParsedBundle, *, entries: Iterable[ParsedEntry] | None = None) -> tuple[KeptResource, ...]:
    """The resources of a Bundle as they came, for reading without a store; references keep the form of the input.

    Of several versions of one resource the newest counts. `entries` narrows it to one patient's.
    """
    usable = [one for one in (parsed.entries if entries is None else entries) if one.type in KEPT_TYPES]
    newest: dict[str, ParsedEntry] = {}
    for entry in usable:
        key = without_version(entry.full_url or "") or _local(entry) or f"entry {entry.index}"
        known = newest.get(key)
        if known is None or _version(entry) > _version(known):
            newest[key] = entry
    local = [_local(entry) for entry in newest.values()]
    return tuple(
        _kept(entry, alone=local.count(_local(entry)) == 1)
        for entry in sorted(newest.values(), key=lambda one: one.index)
    )


def _local(entry: ParsedEntry) -> str | None:
    identity = string((entry.resource or {}).get("id"))
    return f"{entry.type}/{identity}" if identity else None


def _version(entry: ParsedEntry) -> tuple[str, int]:
    meta = mapping((entry.resource or {}).get("meta"))
    version = string(meta.get("versionId"))
    return string(meta.get("lastUpdated")), int(version) if version.isdecimal() else 0


def _kept(entry: ParsedEntry, *, alone: bool) -> KeptResource:
    resource = entry.resource or {}
    sha256 = digest(resource)
    local, full_url = _local(entry), without_version(entry.full_url or "")
    if full_url and (local is None or not alone or base_of(full_url) is None):
        reference = full_url
    else:
        reference = local or f"urn:uuid:{uuid5(NAMESPACE_URL, sha256)}"
    return KeptResource(
        reference=reference,
        resource=resource,
        version=string(mapping(resource.get("meta")).get("versionId")) or None,
        sha256=sha256,
        entry_index=entry.index,
        full_url=full_url or None,
    )


def _without_own(resources: Sequence[KeptResource], issues: list[Issue]) -> list[KeptResource]:
    own = [one for one in resources if is_own_output(one.resource)]
    if own:
        text = "Made by Fillertrace: never evidence for it, and left out."
        issue = Issue(severity=INFORMATION, code="informational", detail="own-output", text=text)
        issues.append(grouped(issue, paths=[_path(one) for one in own]))
    return [one for one in resources if one not in own] if own else list(resources)


def _path(kept: KeptResource) -> str:
    """The FHIRPath of a resource: its entry in the Bundle it came in, else its type and id."""
    if kept.entry_index is not None:
        return f"Bundle.entry[{kept.entry_index}].resource"
    kind, identity = string(kept.resource.get("resourceType")), string(kept.resource.get("id"))
    return f"{kind}.where(id = '{identity}')" if identity else kind


def _record(
    kept: Sequence[KeptResource], patients: Sequence[KeptResource], *, as_of: date, knowledge: Knowledge
) -> Record:
    sources = [_source(at, one) for at, one in enumerate(kept)]
    addressed = {at: Addressed(index=at, full_url=_address(one), resource=one.resource) for at, one in enumerate(kept)}
    births = [when for one in patients if (when := read_date(one.resource.get("birthDate"))) is not None]
    sexes = [sex for one in patients if (sex := string(one.resource.get("gender"))) in ("female", "male")]
    return Record(
        sources=sources,
        references=References(addressed.values()),
        addressed=addressed,
        knowledge=knowledge,
        as_of=as_of,
        birth=min(births, key=lambda when: (when.latest - when.earliest, when.earliest), default=None),
        sex=sexes[0] if sexes else None,
    )


def _source(at: int, kept: KeptResource) -> Source:
    ref = ResourceRef(
        type=string(kept.resource.get("resourceType")),
        reference=kept.reference,
        version=kept.version,
        sha256=kept.sha256,
    )
    return Source(resource=kept.resource, ref=ref, path=_path(kept), index=at)


def _address(kept: KeptResource) -> str | None:
    return kept.full_url or (kept.reference if kept.reference.startswith(("urn:", "http")) else None)


def _look_over(record: Record) -> None:
    """What can be said of the resources before they are read."""
    for source in record.sources:
        record.add(unknown_fields(source.resource, kind=source.type, path=source.path))
        if (
            source.type == "Patient"
            and "birthDate" in source.resource
            and read_date(source.resource["birthDate"]) is None
        ):
            text = "The birth date cannot be read: send YYYY, YYYY-MM or YYYY-MM-DD. The age counts as not known."
            record.warn("no-date", text, f"{source.path}.birthDate", code="value")
        if source.type == "Patient" and record.birth is not None and record.birth.earliest > record.as_of:
            text = "The birth date lies in the future: correct it."
            record.warn("impossible-date", text, f"{source.path}.birthDate")
    record.add(reference_issues(record))


def _read(record: Record, imaging: Imaging) -> _Facts:
    read_reports(imaging)
    facts = _Facts(injections=read_injections(record))
    for source in record.sources:
        record.guarded(partial(_read_one, source, record, imaging, facts), path=source.path, otherwise=None)
    return facts


def _read_one(source: Source, record: Record, imaging: Imaging, facts: _Facts) -> None:
    if source.type == "Observation":
        facts.labs += read_observation(source, imaging)
    elif source.type == "Condition":
        facts.conditions += read_condition(source, record)
    elif source.type == "Procedure":
        facts.conditions += read_procedure_condition(source, record)
    elif source.type in MEDICATION_TYPES:
        medications, injections = read_medication(source, record)
        facts.medications += medications
        facts.injections += injections


def _order(when: DateRange | None) -> tuple[date, date]:
    return (when.earliest, when.latest) if when is not None else (_FAR, _FAR)


def _in_order(facts: Iterable[_T], when: Callable[[_T], DateRange | None]) -> tuple[_T, ...]:
    """In date order, unknown dates last; then by reference, so that the order in the Bundle does not matter."""
    return tuple(sorted(facts, key=lambda fact: (_order(when(fact)), _reference(fact))))


def _reference(fact: object) -> str:
    source = getattr(fact, "source", None)
    return source.reference if isinstance(source, ResourceRef) else ""


def _age(birth: DateRange | None, exams: Sequence[ImagingExam], as_of: date) -> tuple[int, int] | None:
    """The least and greatest age on the day of the newest imaging, or today; `None` where no birth date is known."""
    if birth is None:
        return None
    days = [exam.started for exam in exams if exam.started is not None]
    day = max(days, key=lambda when: when.latest, default=DateRange.day(as_of))
    youngest, oldest = _years(birth.latest, day.earliest), _years(birth.earliest, day.latest)
    return (max(youngest, 0), oldest) if oldest >= 0 else None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _inputs(timeline: PatientTimeline, record: Record) -> tuple[ResourceRef, ...]:
    found = {one.source for one in timeline.injections}
    found |= {one.source for one in timeline.labs}
    found |= {one.source for one in timeline.exams}
    found |= {one.source for one in timeline.findings}
    found |= {one.source for one in timeline.conditions}
    found |= {one.source for one in timeline.medications}
    found |= {ref for injection in timeline.injections for ref in injection.also_from}
    found |= {ref for exam in timeline.exams for ref in exam.reports}
    found |= {source.ref for source in record.sources if source.type == "Patient"}
    return tuple(sorted(found, key=lambda ref: (ref.type, ref.reference)))
