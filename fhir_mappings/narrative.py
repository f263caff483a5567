"""This file writes the narrative `text.div` of the report: its substance in plain XHTML.

Everything from a record is escaped, and characters that XML forbids are dropped.
FHIR R4 narrative: https://hl7.org/fhir/R4/narrative.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any, Final

from correlation.assessment import Assessment, Attribution
from correlation.catalogue import Knowledge
from correlation.words import Words
from fhir_mappings.code_systems import alert_words
from fhir_mappings.result_observations import shown_causes
from fhir_mappings.sentences import sentence
from fhir_mappings.site_words import site_words
from fhir_mappings.statements import asked_words, made_by_words, statement_words

_FORBIDDEN_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(words: str) -> str:
    """Words as XML text or attribute value."""
    return escape(_FORBIDDEN_IN_XML.sub("", words))


def attribution_words(attribution: Attribution | None, words: Words) -> str:
    """The attribution as a heading."""
    return words.say(f"attributed.{attribution.value}" if attribution else "attributed.none")


def write_narrative(assessment: Assessment, knowledge: Knowledge, *, software_version: str) -> dict[str, Any]:
    """The report's `text`."""
    words = knowledge.words
    parts = [
        f"<p>{xml_text(words.say('page.asked', asked=asked_words(words)))}</p>",
        *_section(
            words.say("sheet.alerts"),
            [f"{alert_words(alert.code, knowledge)}: {sentence(alert.says)}" for alert in assessment.alerts],
        ),
        *_section(words.say("page.withheld"), words.withheld(assessment.timeline.withheld)),
        f"<p><b>{xml_text(attribution_words(assessment.attribution, words))}</b></p>",
        f"<p>{xml_text(assessment.conclusion)}</p>",
        *_section(words.say("page.findings"), _findings(assessment, knowledge)),
        *_section(words.say("page.causes"), _causes(assessment, words)),
        *_section(words.say("page.missing_title"), assessment.missing),
        *_section(words.say("page.changes"), [sentence(change.says) for change in assessment.would_change]),
        *_section(words.say("sheet.limitations"), [sentence(item) for item in assessment.limitations]),
        f"<p>{xml_text(' '.join((*statement_words(words), _made_by(assessment, words, software_version))))}</p>",
    ]
    language = f'lang="{words.code}" xml:lang="{words.code}"'
    div = f'<div xmlns="http://www.w3.org/1999/xhtml" {language}>{"".join(parts)}</div>'
    return {"status": "generated", "div": div}


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"<li>{xml_text(item)}</li>" for item in items]
    return [f"<h3>{xml_text(title)}</h3><ul>{''.join(lines)}</ul>"] if lines else []


def _findings(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    return [
        f"{knowledge.words.term(finding.finding.kind)}, {site_words(finding.finding.site, knowledge)}: "
        f"{attribution_words(finding.attribution, knowledge.words)}. {sentence(finding.because)}"
        for finding in assessment.findings
    ]


def _causes(assessment: Assessment, words: Words) -> list[str]:
    return [f"{cause.name}: {words.say(f'category.{cause.category.value}')}" for cause in shown_causes(assessment)]


def _made_by(assessment: Assessment, words: Words, software_version: str) -> str:
    return made_by_words(words, software_version=software_version, edition=assessment.edition, digest=assessment.digest)
