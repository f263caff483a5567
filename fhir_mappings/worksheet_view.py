"""This file lays an assessment out as the rows that the HTML worksheet shows; the template only places them.

Nothing is decided here. What is left out for length (earlier results in range) is counted and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from correlation.assessment import (
    Answer,
    Assessment,
    Category,
    CauseAssessment,
    Change,
    FindingAssessment,
    Reply,
    Strength,
)
from correlation.catalogue import Knowledge
from correlation.timeline import Certainty, ImagingFinding
from correlation.words import Words
from fhir_mappings.citations import Citations
from fhir_mappings.code_systems import alert_words
from fhir_mappings.narrative import attribution_words
from fhir_mappings.result_observations import shown_causes
from fhir_mappings.sentences import sentence
from fhir_mappings.site_table import site_table
from fhir_mappings.site_words import regions_words, site_words, sites_words
from fhir_mappings.statements import asked_words, made_by_words, statement_words
from fhir_mappings.timeline_events import not_drawn, timeline_events
from fhir_mappings.timeline_svg import draw_timeline
from fhir_mappings.worksheet_records import exam_rows, filler_rows, lab_rows

_FOR: Final = frozenset({Strength.STRONG_FOR, Strength.MODERATE_FOR, Strength.SUPPORTING_FOR})
_AGAINST: Final = frozenset({Strength.STRONG_AGAINST, Strength.MODERATE_AGAINST, Strength.SUPPORTING_AGAINST})
_LIKELY: Final = (Category.PROBABLE, Category.POSSIBLE)  # a next step of another would send a reader astray
_SHORT: Final = 110
"""Letters of a reason in the table of other causes."""

_HEAVIEST_FIRST: Final = {
    Strength.STRONG_FOR: 0,
    Strength.STRONG_AGAINST: 0,
    Strength.MODERATE_FOR: 1,
    Strength.MODERATE_AGAINST: 1,
    Strength.SUPPORTING_FOR: 2,
    Strength.SUPPORTING_AGAINST: 2,
    Strength.NONE: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksheetHeader:
    """What the sheet says of itself. `report_id` and `issued` are `None` where there is no report."""

    subject: str
    software_version: str
    status: str = "preliminary"
    report_id: str | None = None
    issued: str | None = None


def worksheet_view(assessment: Assessment, knowledge: Knowledge, *, header: WorksheetHeader) -> dict[str, Any]:
    """Everything the template names."""
    words = knowledge.words
    withheld = words.withheld(assessment.timeline.withheld)
    citations = Citations()
    shown = shown_causes(assessment)
    shown_ids = {cause.cause for cause in shown}
    view = {
        "header": header,
        "language": words.code,
        "issued": _moment(header.issued),
        "status": words.say(f"status.{header.status.replace(' ', '-')}"),
        "say": words.say,
        "asked": asked_words(words),
        "attribution": assessment.attribution.value if assessment.attribution else "none",
        "attribution_words": attribution_words(assessment.attribution, words),
        "because": sentence(assessment.because),
        "conclusion": assessment.conclusion,
        "as_of": assessment.as_of.isoformat(),
        "alerts": _alerts(assessment, knowledge, citations),
        "findings": _findings(assessment, knowledge),
        "quotes": _quotes(assessment, knowledge, citations),
        "not_assessed": _not_assessed(assessment, knowledge, citations),
        "exams": exam_rows(assessment, words, citations),
        "sites": site_table(assessment, knowledge),
        "timeline": draw_timeline(timeline_events(assessment, knowledge), as_of=assessment.as_of, words=words),
        "not_drawn": not_drawn(assessment, knowledge),
        "fillers": filler_rows(assessment, knowledge, citations),
        **lab_rows(assessment, knowledge, citations),
        "missing": [fact for fact in assessment.missing if fact not in withheld],  # that has a place of its own
        "causes": [_cause(cause, knowledge, citations) for cause in shown],
        "others": [_other(cause, words) for cause in assessment.differential if cause.cause not in shown_ids],
        "changes": _changes(assessment.would_change),
        "separating": assessment.separating_question.says if assessment.separating_question else "",
        "unused": [
            {"what": fact.what, "why": fact.why, "records": citations.of_records([fact.source])}
            for fact in assessment.unused
            if fact.source not in {injection.source for injection in assessment.timeline.injections}
        ],
        "withheld": withheld,
        "limitations": [sentence(item) for item in assessment.limitations],
        "statements": statement_words(words),
        "knowledge_status": knowledge.status,
        "made_by": made_by_words(
            words, software_version=header.software_version, edition=assessment.edition, digest=assessment.digest
        ),
        "digest": assessment.digest,
    }
    view["sources"] = [_source(number, id_, knowledge) for id_, number in citations.sources.items()]
    view["records"] = [
        {"number": number, "type": ref.type, "reference": ref.reference, "version": ref.version}
        for number, ref in citations.records.values()
    ]
    return view


def _moment(issued: str | None) -> str:
    """A FHIR instant in UTC as people read it, to the minute; any other form as it is."""
    if issued is None or not issued.endswith("Z"):
        return issued or ""
    return f"{issued[:16].replace('T', ' ')} UTC"


def _alerts(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> list[dict[str, Any]]:
    return [
        {
            "words": alert_words(alert.code, knowledge),
            "says": sentence(alert.says),
            "records": citations.of_records(alert.evidence),
            "sources": citations.of_sources(alert.sources),
        }
        for alert in assessment.alerts
    ]


def _findings(assessment: Assessment, knowledge: Knowledge) -> list[dict[str, Any]]:
    """One row per finding; those of one kind with the very same answer share a row."""
    rows: dict[tuple[str, ...], list[FindingAssessment]] = {}
    for finding in assessment.findings:
        course = finding.finding
        same = (course.kind, finding.attribution.value, sentence(finding.because), sentence(course.course))
        rows.setdefault(same, []).append(finding)
    return [
        {
            "kind": knowledge.words.term(kind),
            "sites": sites_words([item.finding.site for item in alike], knowledge),
            "attribution": attribution,
            "attribution_words": knowledge.words.say(f"attributed.{attribution}"),
            "because": because,
            "course": course,
        }
        for (kind, attribution, because, course), alike in rows.items()
    ]


def _quotes(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> list[dict[str, Any]]:
    """What the findings were read from, word for word, each sentence once with the regions it speaks of."""
    grouped: dict[tuple[str, str, str], list[ImagingFinding]] = {}
    for finding in assessment.findings:
        for seen in finding.finding.seen:
            grouped.setdefault((seen.source.reference, knowledge.words.day(seen.seen), seen.quote), []).append(seen)
    return [
        {
            "when": when,
            "quote": quote,
            "by": alike[0].recognised_by,
            "regions": regions_words((seen.site for seen in alike), knowledge),
            "records": citations.of_records(
                ref for seen in alike for ref in (seen.source, seen.exam) if ref is not None
            ),
        }
        for (_, when, quote), alike in sorted(grouped.items(), key=_reports_first)
    ]


def _reports_first(group: tuple[tuple[str, str, str], list[ImagingFinding]]) -> tuple[str, bool]:
    """By date, and on one day a radiologist's sentences before codes."""
    (_, when, _), alike = group
    return when, alike[0].source.type != "DiagnosticReport"


def _not_assessed(assessment: Assessment, knowledge: Knowledge, citations: Citations) -> list[dict[str, Any]]:
    """What reports also say: things looked for and not seen, and things that only resemble a deposit."""
    words = knowledge.words
    assessed = {id(seen) for finding in assessment.findings for seen in finding.finding.seen}
    return [
        {
            "what": f"{words.term(item.kind.value)}, {site_words(item.site, knowledge)}",
            "why": words.say("page.absent" if item.certainty is Certainty.NEGATED else "page.not_assessed"),
            "quote": item.quote,
            "when": words.day(item.seen),
            "records": citations.of_records([item.source]),
        }
        for item in assessment.timeline.findings
        if id(item) not in assessed
    ]


def _cause(cause: CauseAssessment, knowledge: Knowledge, citations: Citations) -> dict[str, Any]:
    words = knowledge.words
    known = knowledge.causes.get(cause.cause)
    return {
        "id": cause.cause,
        "name": cause.name,
        "category": cause.category.value,
        "category_words": words.say(f"category.{cause.category.value}"),
        "summary": sentence(known.summary) if known else "",
        "groups": [
            (group, words.say(f"page.{group}"), [_answer(answer, words, citations) for answer in answers])
            for group, answers in _groups(cause)
            if answers
        ],
        "changes": _changes(cause.would_change),
        "next_step": sentence(cause.next_step) if cause.category in _LIKELY else "",
        "sources": citations.of_sources(known.sources if known else ()),
    }


def _groups(cause: CauseAssessment) -> tuple[tuple[str, list[Answer]], ...]:
    """Answers for, against, known but without weight, and not known; the heaviest first."""
    known = [answer for answer in cause.answers if answer.reply is not Reply.NOT_KNOWN]
    return (
        ("for", _heaviest_first([answer for answer in known if answer.strength in _FOR])),
        ("against", _heaviest_first([answer for answer in known if answer.strength in _AGAINST])),
        ("no_weight", [answer for answer in known if answer.strength is Strength.NONE]),
        ("not_known", [answer for answer in cause.answers if answer.reply is Reply.NOT_KNOWN]),
    )


def _heaviest_first(answers: list[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda answer: _HEAVIEST_FIRST[answer.strength])


def _answer(answer: Answer, words: Words, citations: Citations) -> dict[str, Any]:
    return {
        "ask": answer.ask,
        "reply": words.term(answer.reply.value),
        "weight": "" if answer.reply is Reply.NOT_KNOWN else words.term(answer.strength.value),
        "because": sentence(answer.because),
        "records": citations.of_records(answer.evidence),
        "sources": citations.of_sources(answer.sources),
    }


def _other(cause: CauseAssessment, words: Words) -> dict[str, Any]:
    """A cause that is not ranked, in one row: its weightiest reasons, and how many answers stand on each side."""
    groups = dict(_groups(cause))
    return {
        "name": cause.name,
        "category_words": words.term(cause.category.value),
        "against": _weightiest(groups["against"]),
        "for": _weightiest(groups["for"]),
        "counts": " / ".join(str(len(groups[side])) for side in ("for", "against", "not_known")),
    }


def _weightiest(answers: Sequence[Answer]) -> str:
    if not answers:
        return ""
    words = sentence(answers[0].because or answers[0].ask)
    return words if len(words) <= _SHORT else f"{words[:_SHORT].rsplit(' ', 1)[0]} …"


def _changes(changes: Sequence[Change]) -> list[str]:
    return list(dict.fromkeys(sentence(change.says) for change in changes))


def _source(number: int, id_: str, knowledge: Knowledge) -> dict[str, Any]:
    known = knowledge.sources.get(id_)
    if known is None:
        return {"number": number, "title": id_, "kind": "", "reference": "", "checked": ""}
    return {
        "number": number,
        "title": known.title,
        "kind": known.kind,
        "reference": known.reference,
        "checked": known.checked,
    }
