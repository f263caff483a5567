"""This file lists our code systems with the plain words of each code, and writes them as FHIR CodeSystem resources.

Causes, questions, body sites, materials and the words of alerts come from the knowledge base; the rest is fixed here.
FHIR R4 CodeSystem: https://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from correlation.catalogue import Knowledge
from fhir_mappings import canonical
from fhir_mappings.issues import ISSUE_CODES

REPORT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        canonical.REPORT_CODE: "Correlation of filler history with imaging and laboratory findings",
        canonical.OWN_OUTPUT_CODE: "Made by Fillertrace; never evidence for it",
    }
)
REPORT_CATEGORY_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {canonical.CORRELATION_CATEGORY: "Correlation of records made elsewhere"}
)
RESULT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        canonical.FILLER_ATTRIBUTION: "Whether a recorded filler explains the imaging findings",
        canonical.CAUSE_ASSESSMENT: "How well one possible cause fits",
        canonical.FINDING_ATTRIBUTION: "Whether a recorded filler explains this finding",
        canonical.RESULT_ALERT: "Alert",
    }
)
ATTRIBUTION_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "explained": "Explained by a recorded filler",
        "partly": "Partly explained by a recorded filler",
        "not-explained": "Not explained by a recorded filler",
        "indeterminate": "Cannot be determined from the record",
        "not-applicable": "Imaging reports no finding to explain",
    }
)
CATEGORY_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "probable": "Probable",
        "possible": "Possible",
        "unlikely": "Unlikely",
        "unassessable": "Cannot be assessed",
    }
)
REPLY_WORDS: Final[Mapping[str, str]] = MappingProxyType({"yes": "Yes", "no": "No", "not-known": "Not known"})
STRENGTH_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "strong-for": "strong for",
        "moderate-for": "moderate for",
        "supporting-for": "supporting for",
        "none": "no weight",
        "supporting-against": "supporting against",
        "moderate-against": "moderate against",
        "strong-against": "strong against",
    }
)
ALERT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vascular_occlusion_emergency": "Possible vascular occlusion: emergency",
        "hypercalcaemia": "Raised calcium",
        "hypercalcaemia_urgent": "Raised calcium: urgent",
        "calciphylaxis_urgent": "Possible calciphylaxis: urgent",
        "malignancy_history_at_site": "History of malignancy at this site",
        "infection_suspected": "Possible infection",
        "fop_avoid_biopsy": "Possible fibrodysplasia ossificans progressiva: avoid biopsy and trauma",
        "child_not_filler_first": "Child: do not think of a filler first",
        "laterality_conflict": "Records disagree about the side",
        "date_conflict": "Records disagree about the date",
        "product_conflict": "Records disagree about the product",
        "unknown_material": "The injected material is not known",
    }
)
"""Used where the knowledge base names no words for the alert."""

_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        canonical.REPORT: "Reports of Fillertrace",
        canonical.REPORT_CATEGORY: "Categories of Fillertrace's reports",
        canonical.RESULT: "Results of Fillertrace",
        canonical.ATTRIBUTION: "Attribution of imaging findings to recorded fillers",
        canonical.ALERT: "Alerts",
        canonical.CAUSE: "Candidate causes of deposits",
        canonical.QUESTION: "Questions asked of a record",
        canonical.REPLY: "Replies to a question",
        canonical.CATEGORY: "Categories of a candidate cause (words borrowed from WHO-UMC, counts our own)",
        canonical.BODY_SITE: "Body regions",
        canonical.FILLER_MATERIAL: "Filler materials",
        canonical.ISSUE: "What could not be read or had to be guessed",
    }
)


def coding(system: str, code: str, display: str) -> dict[str, Any]:
    """A FHIR Coding."""
    return {"system": system, "code": code, "display": display}


def cause_coding(cause: str, name: str) -> dict[str, Any]:
    """The Coding of one candidate cause."""
    return coding(canonical.CAUSE, cause, name)


def alert_words(code: str, knowledge: Knowledge) -> str:
    """The short name of an alert: the knowledge base's, or ours."""
    rule = knowledge.alerts.get(code)
    return rule.name if rule and rule.name else ALERT_WORDS.get(code, code.replace("_", " "))


def words_of(knowledge: Knowledge, *, issue_words: Mapping[str, str] = ISSUE_CODES) -> dict[str, dict[str, str]]:
    """Every code system of ours as code to plain words, by system address. A door adds codes of its own to `issue`."""
    alerts = dict.fromkeys((*ALERT_WORDS, *knowledge.alerts))
    return {
        canonical.REPORT: dict(REPORT_WORDS),
        canonical.REPORT_CATEGORY: dict(REPORT_CATEGORY_WORDS),
        canonical.RESULT: dict(RESULT_WORDS),
        canonical.ATTRIBUTION: dict(ATTRIBUTION_WORDS),
        canonical.ALERT: {code: alert_words(code, knowledge) for code in alerts},
        canonical.CAUSE: {cause.id: cause.name for cause in knowledge.causes.values()},
        canonical.QUESTION: {
            question.id: question.id.replace("_", " ")
            for cause in knowledge.causes.values()
            for question in cause.questions
        },
        canonical.REPLY: dict(REPLY_WORDS),
        canonical.CATEGORY: dict(CATEGORY_WORDS),
        canonical.BODY_SITE: {region.id: region.name for region in knowledge.regions.values()},
        canonical.FILLER_MATERIAL: {material.id: material.name for material in knowledge.materials.values()},
        canonical.ISSUE: dict(sorted(issue_words.items())),
    }


def code_system_resources(
    knowledge: Knowledge, *, issue_words: Mapping[str, str] = ISSUE_CODES
) -> tuple[dict[str, Any], ...]:
    """Our code systems as complete CodeSystem resources, for a validator, a terminology server or a reader."""
    words_by_system = words_of(knowledge, issue_words=issue_words)
    return tuple(_code_system(url, words, knowledge) for url, words in words_by_system.items() if words)


def _code_system(url: str, words: Mapping[str, str], knowledge: Knowledge) -> dict[str, Any]:
    name = url.rsplit("/", 1)[1]
    return {
        "resourceType": "CodeSystem",
        "id": name,
        "url": url,
        "version": knowledge.edition,
        "name": "Fillertrace" + "".join(part.capitalize() for part in name.split("-")),
        "title": _TITLES[url],
        "status": "draft",
        "experimental": True,
        "publisher": canonical.SOFTWARE_NAME,
        "caseSensitive": True,
        "content": "complete",
        "concept": [{"code": code, "display": display} for code, display in words.items()],
    }
