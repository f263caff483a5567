"""This file knows which DiagnosticReports are a radiologist's, and to which exams they belong.

FHIR R4 DiagnosticReport: https://hl7.org/fhir/R4/diagnosticreport.html; sections: v2-0074.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from correlation.dates import DateRange
from correlation.timeline import ImagingExam
from fhir_mappings.body_sites import united
from fhir_mappings.code_tables import code_table
from fhir_mappings.codes import LOINC, SNOMED, words_of
from fhir_mappings.elements import codings, concept_text, concept_words, objects, plain, string
from fhir_mappings.imaging_words import coded_modalities, modalities_of_concepts, worded_modalities
from fhir_mappings.record import Record, Source
from fhir_mappings.text_sites import sites_in_text

_LEFT_OUT: Final = ("entered-in-error", "cancelled", "registered")
SETTLED: Final = ("final", "amended", "corrected", "appended")
_SECTIONS: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingReport:
    """One radiologist's report before its words are read: when, what kind of imaging, and whether it is settled."""

    source: Source
    when: DateRange | None
    modalities: frozenset[str]
    settled: bool


def imaging_reports(record: Record) -> list[ImagingReport]:
    """The radiologists' reports of the record. Those entered in error, cancelled or only registered are left out."""
    found = (
        record.guarded(partial(_report, source, record), path=source.path, otherwise=None)
        for source in record.of_type("DiagnosticReport")
    )
    return [report for report in found if report is not None]


def _report(source: Source, record: Record) -> ImagingReport | None:
    if not is_imaging_report(source.resource):
        return None
    status = string(source.resource.get("status"))
    if status in _LEFT_OUT:
        text = "The status of this report forbids using it; it was left out."
        record.inform("not-counted", text, f"{source.path}.status")
        return None
    return ImagingReport(
        source=source,
        when=record.quiet_when(source, stem="effective"),
        modalities=modalities_of_concepts(source.resource.get("code")),
        settled=status in SETTLED,
    )


def is_imaging_report(resource: dict[str, Any]) -> bool:
    """Whether a DiagnosticReport is about imaging: by category, studies, code, or the words of its code."""
    table = code_table("imaging")
    code = resource.get("code")
    categories = objects(resource.get("category"))
    said = {(one.system, one.code) for category in categories for one in codings(category)}
    sections = {name for system, name in said if system in ("", _SECTIONS)}
    notes = {one.code for concept in (code, *categories) for one in codings(concept) if one.system in ("", LOINC)}
    if notes & set(table["not_imaging"]["loinc"]):
        return False
    if sections & set(table["report_sections"]) or resource.get("imagingStudy"):
        return True
    if (LOINC, table["report_loinc_categories"][0]) in said or (SNOMED, table["report_snomed_categories"][0]) in said:
        return True
    if any(words_of("imaging", "report_category_words").search(plain(concept_text(one))) for one in categories):
        return True
    if sections & set(table["other_sections"]) or not (resource.get("conclusion") or resource.get("presentedForm")):
        return coded_modalities(codings(code)) is not None and not sections
    if any(words_of("imaging", "not_imaging", "words").search(plain(text)) for text in concept_words(code)):
        return False
    return coded_modalities(codings(code)) is not None or bool(worded_modalities(concept_words(code)))


def exams_of_report(report: ImagingReport, exams: dict[int, ImagingExam], record: Record) -> list[int]:
    """The exams a report is about, by their study's place: named, ordered together, or the only one of its day."""
    source = report.source
    named = [found.source.index for found in record.follow_all(source.resource.get("imagingStudy"), source)]
    named += [found.source.index for found in record.follow_all(source.resource.get("basedOn"), source)]
    direct = [index for index in dict.fromkeys(named) if index in exams]
    if direct:
        return direct
    orders = _orders(source, record)
    together = [index for index in exams if orders & _orders(record.sources[index], record)]
    return together or same_day(report.when, report.modalities, exams)


def _orders(source: Source, record: Record) -> set[str]:
    return record.meant(source.resource.get("basedOn"), source)


def same_day(when: DateRange | None, modalities: frozenset[str], exams: dict[int, ImagingExam]) -> list[int]:
    """The only exam of that very day whose modality does not speak against it; none where there are several."""
    if when is None or not when.is_one_day:
        return []
    fitting = [
        index
        for index, exam in exams.items()
        if exam.started == when and (not modalities or not exam.modalities or bool(modalities & exam.modalities))
    ]
    return fitting if len(fitting) == 1 else []


def own_exam(report: ImagingReport, record: Record) -> ImagingExam:
    """The exam that a report without an ImagingStudy stands for."""
    source = report.source
    if report.when is None:
        text = "This report has no date: send effective[x]. Until then the date of the exam counts as not known."
        record.warn("no-date", text, f"{source.path}.effective", code="required")
    title = concept_text(source.resource.get("code"))
    return ImagingExam(
        source=source.ref,
        started=report.when,
        modalities=report.modalities,
        description=title,
        regions=united(_sites(title, record)),
    )


def _sites(title: str, record: Record) -> Iterable[Any]:
    return sites_in_text(title, record.knowledge) if title else ()
