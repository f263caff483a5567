"""This file puts imaging together: studies, reports and coded findings, each finding with its exam.

An exam is `reported` when the words of a report or a coded finding of it are in reach; without, nothing is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from correlation.timeline import ImagingExam, ImagingFinding, ResourceRef
from fhir_mappings.code_tables import code_table
from fhir_mappings.coded_finding import finding_kind, read_coded_finding
from fhir_mappings.elements import codings, concept_text, notes, objects, string
from fhir_mappings.imaging_report import ImagingReport, exams_of_report, imaging_reports, own_exam, same_day
from fhir_mappings.imaging_study import read_imaging_study
from fhir_mappings.record import Record, Source
from fhir_mappings.report_text import read_report
from fhir_mappings.report_words import report_text

_LEFT_OUT: Final = ("entered-in-error", "cancelled", "registered")
_OTHER_CATEGORIES: Final = frozenset({"laboratory", "vital-signs", "survey", "social-history"})


@dataclass(kw_only=True)
class Imaging:
    """Exams and findings while they are put together. `exams` are by the place of the resource they stand for."""

    record: Record
    exams: dict[int, ImagingExam] = field(default_factory=dict)
    findings: list[ImagingFinding] = field(default_factory=list)
    reported: dict[int, list[ResourceRef]] = field(default_factory=dict)
    exam_of_result: dict[int, int] = field(default_factory=dict)  # Observation's place -> exam's place

    def mark(self, exam: int, ref: ResourceRef | None) -> None:
        """An exam has a report or a coded finding in reach."""
        refs = self.reported.setdefault(exam, [])
        if ref is not None and ref not in refs:
            refs.append(ref)

    def finished(self) -> list[ImagingExam]:
        """The exams with what is known of their reports."""
        return [
            replace(exam, reported=index in self.reported, reports=tuple(self.reported.get(index, ())))
            for index, exam in self.exams.items()
        ]


def start_imaging(record: Record) -> Imaging:
    """Begin with the reports and which exams they are about; a report without study makes an exam of its own."""
    imaging = Imaging(record=record)
    for source in record.of_type("ImagingStudy"):
        exam = record.guarded(partial(read_imaging_study, source, record), path=source.path, otherwise=None)
        if exam is not None:
            imaging.exams[source.index] = exam
    return imaging


def read_reports(imaging: Imaging) -> None:
    """Read the words of every imaging report; a preliminary one only where no settled one of the same exam exists."""
    record = imaging.record
    placed = [(report, _exams(report, imaging)) for report in imaging_reports(record)]
    settled = {index for report, indexes in placed if report.settled for index in indexes}
    for report, indexes in placed:
        for found in record.follow_all(report.source.resource.get("result"), report.source):
            imaging.exam_of_result.setdefault(found.source.index, indexes[0])
        if report.settled or not settled & set(indexes):
            read = partial(_read_words, report, indexes, imaging)
            record.guarded(read, path=report.source.path, otherwise=None)


def _exams(report: ImagingReport, imaging: Imaging) -> list[int]:
    indexes = exams_of_report(report, imaging.exams, imaging.record)
    if indexes:
        return indexes
    imaging.exams[report.source.index] = own_exam(report, imaging.record)
    return [report.source.index]


def _read_words(report: ImagingReport, indexes: list[int], imaging: Imaging) -> None:
    record, source = imaging.record, report.source
    text, language = report_text(source, record)
    if not text:
        words = "This report came without words: send conclusion or presentedForm."
        record.warn("report-not-available", words, f"{source.path}.conclusion", code="incomplete")
        return
    imaging.findings += read_words(text, source, imaging.exams[indexes[0]], record, language=language)
    for index in indexes:  # only now: a report that could not be read must not look like one without findings
        imaging.mark(index, source.ref)


def read_words(
    text: str, source: Source, exam: ImagingExam | None, record: Record, *, language: str | None = None
) -> list[ImagingFinding]:
    """The findings in a radiologist's words, tied to their exam."""
    reading = read_report(text, source=source.ref, exam=exam, knowledge=record.knowledge, language=language)
    return [_tied(finding, exam) for finding in reading.findings]


def _tied(finding: ImagingFinding, exam: ImagingExam | None) -> ImagingFinding:
    if exam is None:
        return finding
    return replace(
        finding,
        exam=finding.exam or exam.source,
        seen=finding.seen or exam.started,
        modalities=finding.modalities or exam.modalities,
    )


def read_imaging_observation(source: Source, imaging: Imaging) -> bool:
    """Read one Observation as an imaging finding. False where it is none."""
    record, resource = imaging.record, source.resource
    linked = _linked_exam(source, imaging)
    if not _is_imaging(resource, linked=linked is not None):
        return False
    if string(resource.get("status")) in _LEFT_OUT:
        text = "The status of this finding forbids using it; it was left out."
        record.inform("not-counted", text, f"{source.path}.status")
        return True
    kind = finding_kind(resource.get("code"))
    words = _own_words(resource, understood=kind is not None)
    if kind is None and not words:
        text = "This imaging observation was not understood: name the finding in code.text or valueString."
        record.inform("unknown-code", text, f"{source.path}.code", code="not-supported")
        return True
    index = linked if linked is not None else _exam_of_day(source, imaging)
    exam = imaging.exams[index]
    if words:
        imaging.findings += read_words(words, source, exam, record)
    elif kind is not None:
        imaging.findings += read_coded_finding(source, kind, exam, record)
    imaging.mark(index, source.ref)
    return True


def _own_words(resource: dict[str, Any], *, understood: bool) -> str:
    """The prose of an Observation without parts: its string value, else its notes where its code says nothing."""
    value = string(resource.get("valueString"))
    if understood and (objects(resource.get("component")) or resource.get("bodySite") or len(value.split()) < 4):
        return ""
    prose = value or concept_text(resource.get("valueCodeableConcept")) or " ".join(notes(resource))
    return f"{concept_text(resource.get('code'))}: {prose}" if prose else ""


def _linked_exam(source: Source, imaging: Imaging) -> int | None:
    record = imaging.record
    for name in ("derivedFrom", "partOf"):
        for found in record.follow_all(source.resource.get(name), source):
            if found.source.index in imaging.exams:
                return found.source.index
    return imaging.exam_of_result.get(source.index)


def _is_imaging(resource: dict[str, Any], *, linked: bool) -> bool:
    categories = {one.code for category in objects(resource.get("category")) for one in codings(category)}
    if "imaging" in categories:
        return True
    if categories & _OTHER_CATEGORIES:
        return False
    known = code_table("imaging_findings")["kind_codes"]
    return linked or any(coding.code in known for coding in codings(resource.get("code")))


def _exam_of_day(source: Source, imaging: Imaging) -> int:
    """The only exam of the Observation's day, else an exam of its own, shared by the Observations of that day."""
    when = imaging.record.when(source, stem="effective", what="This imaging finding")
    fitting = same_day(when, frozenset(), imaging.exams)
    if fitting:
        return fitting[0]
    imaging.exams[source.index] = ImagingExam(source=source.ref, started=when)
    return source.index
