"""This file writes the DiagnosticReport itself, exactly as the contract has it (section 4).

It is no radiologist's read, is filed under a category of its own, and claims no national profile.
FHIR R4 DiagnosticReport: https://hl7.org/fhir/R4/diagnosticreport.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.words import Words
from fhir_mappings import canonical
from fhir_mappings.code_systems import REPORT_CATEGORY_WORDS, REPORT_WORDS, cause_coding, coding
from fhir_mappings.input_references import input_reference
from fhir_mappings.narrative import write_narrative
from fhir_mappings.report_frame import ReportFrame, fhir_period
from fhir_mappings.result_observations import cause_display, top_cause


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedForms:
    """The worksheet as the two texts that travel in the report."""

    html: str
    text: str


def write_diagnostic_report(
    assessment: Assessment,
    knowledge: Knowledge,
    *,
    frame: ReportFrame,
    observations: Sequence[dict[str, Any]],
    forms: PresentedForms,
) -> dict[str, Any]:
    """The report over `observations`, which are already in the order of `result`."""
    words = knowledge.words
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": frame.identity.report_id,
        "meta": frame.meta(),
        "language": words.code,
        "text": write_narrative(assessment, knowledge, software_version=frame.software_version),
        "extension": [
            {"url": canonical.KNOWLEDGE_EDITION, "valueString": assessment.edition},
            {"url": canonical.KNOWLEDGE_DIGEST, "valueString": assessment.digest},
        ],
        "identifier": [{"system": canonical.REPORT_IDENTIFIER, "value": frame.identity.report_id}],
        "status": frame.identity.status,
        "category": _categories(words),
        "code": {
            "coding": [coding(canonical.REPORT, canonical.REPORT_CODE, REPORT_WORDS[canonical.REPORT_CODE])],
            "text": words.say("result.report"),
        },
        "subject": dict(frame.subject),
    }
    if frame.period is not None:
        report["effectivePeriod"] = fhir_period(frame.period)
    report["issued"] = frame.issued
    report["performer"] = [frame.performer]
    report["result"] = [
        {"reference": frame.own_reference("Observation", item["id"]), "display": item["code"]["text"]}
        for item in observations
    ]
    if studies := _imaging_studies(assessment):
        report["imagingStudy"] = studies
    report["conclusion"] = assessment.conclusion
    top = top_cause(assessment)
    if top is not None:
        report["conclusionCode"] = [
            {"coding": [cause_coding(top.cause, cause_display(top, knowledge))], "text": top.name}
        ]
    report["presentedForm"] = [
        _attachment(forms.html, content_type="text/html", title="result.worksheet", words=words, creation=frame.issued),
        _attachment(
            forms.text, content_type="text/plain", title="result.worksheet_text", words=words, creation=frame.issued
        ),
    ]
    return report


def _categories(words: Words) -> list[dict[str, Any]]:
    ours = coding(
        canonical.REPORT_CATEGORY,
        canonical.CORRELATION_CATEGORY,
        REPORT_CATEGORY_WORDS[canonical.CORRELATION_CATEGORY],
    )
    return [
        {"coding": [ours], "text": words.say("result.category")},
        {"coding": [coding(canonical.DIAGNOSTIC_SERVICE, "OTH", "Other")], "text": words.say("result.other")},
    ]


def _imaging_studies(assessment: Assessment) -> list[dict[str, Any]]:
    """Only what was an ImagingStudy: an exam known from a report alone cannot be referred to as one."""
    references = {
        exam.source.reference: input_reference(exam.source)
        for exam in assessment.timeline.exams
        if exam.source.type == "ImagingStudy" and "#" not in exam.source.reference
    }
    return list(references.values())


def _attachment(text: str, *, content_type: str, title: str, words: Words, creation: str) -> dict[str, Any]:
    """An Attachment with its data; size and SHA-1 are those of the data before base64, as FHIR asks."""
    data = text.encode()
    return {
        "contentType": content_type,
        "language": words.code,
        "data": b64encode(data).decode("ascii"),
        "size": len(data),
        "hash": b64encode(sha1(data, usedforsecurity=False).digest()).decode("ascii"),
        "title": words.say(title),
        "creation": creation,
    }
