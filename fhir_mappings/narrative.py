"""This file writes the narrative `text.div` of the report: its substance in plain XHTML.

Everything from a record is escaped, and characters that XML forbids are dropped.
FHIR R4 narrative: https://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any, Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from fhir_mappings.code_systems import ATTRIBUTION_WORDS, CATEGORY_WORDS, alert_words
from fhir_mappings.result_observations import shown_causes
from fhir_mappings.sentences import sentence
from fhir_mappings.site_words import site_words
from fhir_mappings.statements import ASKED, NOT_A_DIAGNOSIS, NOT_FOR_EMERGENCIES, NOT_REVIEWED, made_by_words

_FORBIDDEN_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(words: str) -> str:
    """Words as XML text or attribute value."""
    return escape(_FORBIDDEN_IN_XML.sub("", words))


def write_narrative(assessment: Assessment, knowledge: Knowledge, *, software_version: str) -> dict[str, Any]:
    """The report's `text`."""
    attribution = ATTRIBUTION_WORDS[assessment.attribution.value] if assessment.attribution else "No imaging on record"
    parts = [
        f"<p>Asked: {xml_text(ASKED)}</p>",
        *_section(
            "Alerts", [f"{alert_words(alert.code, knowledge)}: {sentence(alert.says)}" for alert in assessment.alerts]
        ),
        f"<p><b>{xml_text(attribution)}</b></p>",
        f"<p>{xml_text(assessment.conclusion)}</p>",
        *_section("Findings", _findings(assessment, knowledge)),
        *_section("Causes", _causes(assessment)),
        *_section("Missing", assessment.missing),
        *_section("What would change this", [sentence(change.says) for change in assessment.would_change]),
        *_section("Limitations", [sentence(item) for item in assessment.limitations]),
        f"<p>{xml_text(' '.join((NOT_A_DIAGNOSIS, NOT_FOR_EMERGENCIES, NOT_REVIEWED)))} "
        f"{xml_text(_made_by(assessment, software_version))}</p>",
    ]
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(parts)}</div>'}


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"<li>{xml_text(item)}</li>" for item in items]
    return [f"<h3>{title}</h3><ul>{''.join(lines)}</ul>"] if lines else []


def _alerts(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    return [f"{alert_words(alert.code, knowledge)}: {sentence(alert.says)}" for alert in assessment.alerts]


def _findings(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    return [
        f"{finding.finding.kind.replace('_', ' ')}, {site_words(finding.finding.site, knowledge)}: "
        f"{ATTRIBUTION_WORDS[finding.attribution.value]}. {sentence(finding.because)}"
        for finding in assessment.findings
    ]


def _causes(assessment: Assessment) -> list[str]:
    return [f"{cause.name}: {CATEGORY_WORDS[cause.category.value]}" for cause in shown_causes(assessment)]


def _made_by(assessment: Assessment, software_version: str) -> str:
    return made_by_words(software_version=software_version, edition=assessment.edition, digest=assessment.digest)
