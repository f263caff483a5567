"""This file puts the facts of a timeline into one fixed order, so that the order of a bundle never matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from correlation.dates import DateRange
from correlation.timeline import (
    BodySite,
    ClinicalCondition,
    FillerInjection,
    ImagingExam,
    ImagingFinding,
    LabResult,
    Medication,
    PatientTimeline,
)

Day = tuple[date, date]
LAST: Day = (date.max, date.max)
LAST_SIDE = "~"  # behind every letter: a site without a side comes after those with one


def in_order(timeline: PatientTimeline) -> PatientTimeline:
    """The same facts by date, unknown dates last, then by what they say, then by reference."""
    return replace(
        timeline,
        injections=tuple(sorted(timeline.injections, key=injection_order)),
        labs=tuple(sorted(timeline.labs, key=_lab_order)),
        exams=tuple(sorted(timeline.exams, key=_exam_order)),
        findings=tuple(sorted(timeline.findings, key=finding_order)),
        conditions=tuple(sorted(timeline.conditions, key=_condition_order)),
        medications=tuple(sorted(timeline.medications, key=_medication_order)),
    )


def day_order(when: DateRange | None) -> Day:
    """Earliest and latest day, to sort by; an unknown date is last."""
    return LAST if when is None else (when.earliest, when.latest)


def _site_order(site: BodySite) -> str:
    return f"{site.region} {','.join(sorted(site.sides)) or LAST_SIDE}]"


def injection_order(item: FillerInjection) -> tuple[Day, str, str, str, str]:
    """By the day it was finished at the latest, then material, product, sites and reference."""
    earliest, latest = day_order(item.performed)
    sites = " ".join(_site_order(site) for site in item.sites)
    return (latest, earliest), item.material, item.product, sites, item.source.reference


def finding_order(item: ImagingFinding) -> tuple[Day, str, str, str]:
    """By the study's date, then by what was described, then by reference."""
    site = _site_order(item.site) if item.site else ""
    described = (
        f"{item.kind} {site} {item.tissue} {sorted(item.morphology)} {item.density} {item.certainty} {item.change} "
        f"{item.size_mm} {item.count} {item.on_bone} {sorted(item.modalities)}"
    )
    return day_order(item.seen), described, item.quote, item.source.reference


def _lab_order(item: LabResult) -> tuple[Day, str, str, str, str]:
    return day_order(item.collected), item.test, str(item.value), item.as_written, item.source.reference


def _exam_order(item: ImagingExam) -> tuple[Day, str, str, str]:
    return day_order(item.started), " ".join(sorted(item.modalities)), item.description, item.source.reference


def _condition_order(item: ClinicalCondition) -> tuple[str, str, Day, str]:
    return item.concept, item.text, day_order(item.onset), item.source.reference


def _medication_order(item: Medication) -> tuple[str, str, str]:
    return item.concept, item.text, item.source.reference
