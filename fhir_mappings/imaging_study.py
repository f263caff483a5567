"""This file reads ImagingStudies as exams: when, which modalities, which part of the body. No picture is looked at.

FHIR R4 ImagingStudy: https://hl7.org/fhir/R4/imagingstudy.html; DICOM modalities: PS3.16 CID 29 and 33.
"""

from __future__ import annotations

from typing import Final

from correlation.dates import DateRange
from correlation.timeline import BodySite, ImagingExam
from fhir_mappings.body_sites import is_wide, side_of, sites_of, united, with_sides
from fhir_mappings.dates import read_date
from fhir_mappings.elements import codings, concept_text, objects, string
from fhir_mappings.imaging_words import modalities_of_concepts, modality_codes
from fhir_mappings.record import Record, Source
from fhir_mappings.text_sites import sites_in_text

_LEFT_OUT: Final = ("entered-in-error", "cancelled")


def read_imaging_study(source: Source, record: Record) -> ImagingExam | None:
    """One study as an exam, not yet reported; `None` where its status says that it never took place."""
    resource = source.resource
    if string(resource.get("status")) in _LEFT_OUT:
        record.inform(
            "not-counted", "The status of this study forbids using it; it was left out.", f"{source.path}.status"
        )
        return None
    series = objects(resource.get("series"))
    if not series:
        text = "This ImagingStudy has no series: modality and body part were taken from its own fields and words."
        record.inform("no-series", text, f"{source.path}.series", code="incomplete")
    _say_counts(source, record)
    by_code = modality_codes(resource.get("modality"))
    by_code |= frozenset(code for one in series for code in modality_codes(one.get("modality")))
    titles = [string(resource.get("description")), *(string(one.get("description")) for one in series)]
    return ImagingExam(
        source=source.ref,
        started=_started(source, record),
        modalities=by_code or modalities_of_concepts(resource.get("procedureCode"), titles=titles),
        description=titles[0]
        or next((text for one in objects(resource.get("procedureCode")) if (text := concept_text(one))), ""),
        regions=_regions(source, record),
    )


def _say_counts(source: Source, record: Record) -> None:
    """An issue for each count that is not that of what was sent: a study may be sent in part."""
    series = objects(source.resource.get("series"))
    counts = [(source.resource.get("numberOfSeries"), series, f"{source.path}.numberOfSeries")]
    for at, one in enumerate(series):
        counts.append(
            (
                one.get("numberOfInstances"),
                objects(one.get("instance")),
                f"{source.path}.series[{at}].numberOfInstances",
            )
        )
    for said, there, path in counts:
        if there and isinstance(said, int) and said != len(there):
            text = (
                "This count is not that of what was sent. What was sent was read: send the rest, or correct the count."
            )
            record.inform("count-mismatch", text, path, code="incomplete")


def _started(source: Source, record: Record) -> DateRange | None:
    resource = source.resource
    path = f"{source.path}.started"
    started = read_date(resource.get("started"))
    if started is None:
        dates = [when for one in objects(resource.get("series")) if (when := read_date(one.get("started"))) is not None]
        started = min(dates, key=lambda when: when.earliest, default=None)
    if started is None:
        text = "This ImagingStudy has no date that can be read: send started. Until then its date counts as not known."
        record.warn("no-date", text, path, code="required")
    return record.checked(started, path=path)


def _regions(source: Source, record: Record) -> tuple[BodySite, ...]:
    resource, knowledge = source.resource, record.knowledge
    found: list[BodySite] = []
    for one in objects(resource.get("series")):
        site = {"coding": [one["bodySite"]]} if codings(one.get("bodySite")) else None
        sides = side_of({"coding": [one["laterality"]]}) if codings(one.get("laterality")) else frozenset()
        if site is not None:
            found += with_sides(sites_of(site, knowledge), sides)
    titles = [string(resource.get("description"))]
    titles += [concept_text(one) for one in objects(resource.get("procedureCode"))]
    found += [site for title in titles if title for site in sites_in_text(title, knowledge)]
    return tuple(sorted(united(found), key=lambda site: is_wide(site, knowledge)))
