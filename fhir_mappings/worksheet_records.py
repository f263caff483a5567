"""This file lays out the records behind an assessment for the worksheet: studies, fillers, laboratory results."""

from __future__ import annotations

from typing import Any

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import FillerInjection, ImagingExam
from fhir_mappings.citations import Citations
from fhir_mappings.lab_words import lab_state, range_words, test_words, value_words, worth_showing
from fhir_mappings.site_words import sites_words


def when_words(range_: DateRange | None) -> str:
    """A date as it is known, or that it is not."""
    return str(range_) if range_ else "date not known"


def exam_rows(assessment: Assessment, citations: Citations) -> list[dict[str, Any]]:
    """Every study, and whether its report was there to read."""
    return [
        {
            "when": when_words(exam.started),
            "what": _exam_words(exam),
            "reported": exam.reported,
            "records": citations.of_records([exam.source, *exam.reports]),
        }
        for exam in assessment.timeline.exams
    ]


def _exam_words(exam: ImagingExam) -> str:
    """The modality before the description, unless that says it already."""
    said = exam.description.upper()
    modalities = [code for code in sorted(exam.modalities) if not said.startswith(code)]
    return " ".join([*modalities, exam.description]).strip() or "study"


def filler_rows(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> list[dict[str, Any]]:
    """Every filler that was read, whether it was used, and why not."""
    return [_filler(item, assessment, knowledge, citations) for item in assessment.timeline.injections]


def _filler(
    injection: FillerInjection, assessment: Assessment, knowledge: Knowledge, citations: Citations
) -> dict[str, Any]:
    material = knowledge.materials.get(injection.material)
    return {
        "when": when_words(injection.performed),
        "product": injection.product or "product not stated",
        "material": material.name if material else injection.material.replace("_", " "),
        "sites": sites_words(injection.sites, knowledge),
        "details": _filler_details(injection),
        "used": _use_words(injection, assessment),
        "by": injection.recognised_by,
        "quote": injection.quote,
        "records": citations.of_records([injection.source, *injection.also_from]),
    }


def _use_words(injection: FillerInjection, assessment: Assessment) -> str:
    """Whether an injection was used, and why not."""
    if injection.ignored_because:
        return f"not counted: {injection.ignored_because}"
    if any(injection in finding.injections for finding in assessment.findings):
        return "used: fits a finding"
    why = next((fact.why for fact in assessment.unused if fact.source == injection.source), "")
    return f"not used: {why}" if why else "fits no finding"


def _filler_details(injection: FillerInjection) -> str:
    parts = []
    if injection.volume_ml is not None:
        parts.append(f"{injection.volume_ml} mL")
    if injection.dilution is not None:
        parts.append(f"diluted 1:{injection.dilution}")
    if injection.source_certainty != "recorded":
        parts.append(injection.source_certainty)
    return ", ".join(parts)


def lab_rows(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> dict[str, Any]:
    """The results worth showing, and how many others there are."""
    shown, hidden = worth_showing(assessment.timeline.labs)
    rows = [
        {
            "test": test_words(lab, knowledge),
            "value": value_words(lab),
            "range": range_words(lab),
            "state": lab_state(lab),
            "note": "; ".join(filter(None, ["preliminary" if lab.preliminary else "", lab.unusable_because or ""])),
            "when": when_words(lab.collected),
            "records": citations.of_records([lab.source]),
        }
        for lab in shown
    ]
    return {"labs": rows, "labs_hidden": hidden}
