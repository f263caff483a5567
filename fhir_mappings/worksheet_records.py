"""This file lays out the records behind an assessment for the worksheet: studies, fillers, laboratory results."""

from __future__ import annotations

from typing import Any

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import FillerInjection, ImagingExam, LabResult
from correlation.words import Words
from fhir_mappings.citations import Citations
from fhir_mappings.lab_words import lab_state, range_words, state_words, test_words, value_words, worth_showing
from fhir_mappings.site_words import sites_words


def exam_rows(assessment: Assessment, words: Words, citations: Citations) -> list[dict[str, Any]]:
    """Every study, and whether its report was there to read."""
    return [
        {
            "when": words.day(exam.started),
            "what": _exam_words(exam, words),
            "reported": exam.reported,
            "records": citations.of_records([exam.source, *exam.reports]),
        }
        for exam in assessment.timeline.exams
    ]


def _exam_words(exam: ImagingExam, words: Words) -> str:
    """The modality before the description, unless that says it already."""
    said = exam.description.upper()
    modalities = [words.modality(code) for code in sorted(exam.modalities) if not said.startswith(code)]
    return ": ".join(filter(None, (" ".join(modalities), exam.description))) or words.say("study.imaging")


def filler_rows(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> list[dict[str, Any]]:
    """Every filler that was read, whether it was used, and why not."""
    return [_filler(item, assessment, knowledge, citations) for item in assessment.timeline.injections]


def _filler(
    injection: FillerInjection, assessment: Assessment, knowledge: Knowledge, citations: Citations
) -> dict[str, Any]:
    words = knowledge.words
    return {
        "when": words.day(injection.performed),
        "product": injection.product or words.say("page.no_product"),
        "material": words.material(injection.material),
        "sites": sites_words(injection.sites, knowledge),
        "details": _filler_details(injection, words),
        "used": _use_words(injection, assessment, words),
        "by": injection.recognised_by,
        "quote": injection.quote,
        "records": citations.of_records([injection.source, *injection.also_from]),
    }


def _use_words(injection: FillerInjection, assessment: Assessment, words: Words) -> str:
    """Whether an injection was used, and why not."""
    if injection.ignored_because:
        return words.say("page.not_counted", why=injection.ignored_because)
    if any(injection in finding.injections for finding in assessment.findings):
        return words.say("page.used")
    # One record may hold several injections: the words tell which of them was left out.
    told = words.injection(injection)
    why = next((one.why for one in assessment.unused if (one.source, one.what) == (injection.source, told)), "")
    return words.say("page.not_used", why=why) if why else words.say("page.fits_none")


def _filler_details(injection: FillerInjection, words: Words) -> str:
    parts = []
    if injection.volume_ml is not None:
        parts.append(f"{injection.volume_ml} mL")
    if injection.dilution is not None:
        parts.append(words.say("page.diluted", parts=injection.dilution))
    if injection.source_certainty != "recorded":
        parts.append(words.say("page.patient_reported"))
    return ", ".join(parts)


def lab_rows(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> dict[str, Any]:
    """The results worth showing, and how many others there are."""
    shown, hidden = worth_showing(assessment.timeline.labs)
    return {"labs": [_lab(lab, knowledge, citations) for lab in shown], "labs_hidden": hidden}


def _lab(lab: LabResult, knowledge: Knowledge, citations: Citations) -> dict[str, Any]:
    words = knowledge.words
    preliminary = words.say("sheet.preliminary_result") if lab.preliminary else ""
    return {
        "test": test_words(lab, knowledge),
        "value": words.result(value_words(lab)),
        "range": range_words(lab, words),
        "style": lab_state(lab).replace(" ", "-"),
        "state": state_words(lab, words),
        "note": "; ".join(filter(None, [preliminary, lab.unusable_because or ""])),
        "when": words.day(lab.collected),
        "records": citations.of_records([lab.source]),
    }
