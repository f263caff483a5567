"""This file writes the result Observations of a report, in the contract's order (section 4).

First whether a filler explains the findings, then each cause that is probable or possible and always `filler_caha`,
then each finding, then each alert. Every id is made from the report's id and a key, so it is the same in all versions.
FHIR R4 Observation: https://hl7.org/fhir/R4/observation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from correlation.assessment import (
    Alert,
    Answer,
    Assessment,
    Attribution,
    Category,
    CauseAssessment,
    FindingAssessment,
)
from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import ResourceRef
from correlation.words import Words
from fhir_mappings import canonical
from fhir_mappings.code_systems import (
    ATTRIBUTION_WORDS,
    CATEGORY_WORDS,
    REPLY_WORDS,
    RESULT_WORDS,
    alert_words,
    cause_coding,
    coding,
)
from fhir_mappings.input_references import derived_from, evidence_extensions
from fhir_mappings.report_frame import ReportFrame, fhir_period, spanning
from fhir_mappings.sentences import sentence
from fhir_mappings.site_words import body_site, site_words

ALWAYS_SHOWN: Final = "filler_caha"
NO_TARGET_FINDING: Final = "no_target_finding"
RANKED: Final = frozenset({Category.PROBABLE, Category.POSSIBLE})


def shown_causes(assessment: Assessment) -> tuple[CauseAssessment, ...]:
    """The causes that get an Observation: the ranked ones best first, and `filler_caha` whatever its category."""
    ranked = tuple(cause for cause in assessment.differential if cause.category in RANKED)
    if any(cause.cause == ALWAYS_SHOWN for cause in ranked):
        return ranked
    return ranked + tuple(cause for cause in assessment.differential if cause.cause == ALWAYS_SHOWN)


def cause_display(cause: CauseAssessment, knowledge: Knowledge) -> str:
    """The cause's name as its code is displayed, whatever the language of the report."""
    known = knowledge.base.causes.get(cause.cause)
    return known.name if known else cause.name


def top_cause(assessment: Assessment) -> CauseAssessment | None:
    """The best ranked cause; without one, `no_target_finding` where imaging reports nothing to explain, else `None`."""
    for cause in assessment.differential:
        if cause.category in RANKED:
            return cause
    if assessment.attribution is not Attribution.NOT_APPLICABLE:
        return None
    return next((cause for cause in assessment.differential if cause.cause == NO_TARGET_FINDING), None)


def write_observations(assessment: Assessment, knowledge: Knowledge, *, frame: ReportFrame) -> list[dict[str, Any]]:
    """All result Observations, in the order of `DiagnosticReport.result`."""
    default = _effective(frame.period, assessment)
    written = [
        _attribution(assessment, knowledge, frame, default),
        *(_cause(cause, knowledge, frame, default) for cause in shown_causes(assessment)),
        *(_finding(finding, knowledge, frame, default) for finding in assessment.findings),
        *_alerts(assessment.alerts, knowledge, frame, default),
    ]
    return [{**item, "language": knowledge.words.code} for item in written]


def _attribution(
    assessment: Assessment, knowledge: Knowledge, frame: ReportFrame, effective: dict[str, Any]
) -> dict[str, Any]:
    words = knowledge.words
    attribution = assessment.attribution or Attribution.INDETERMINATE
    observation = _observation(
        frame,
        key=canonical.FILLER_ATTRIBUTION,
        code=_result_code(canonical.FILLER_ATTRIBUTION, words.say("result.filler_attribution")),
        value=_attribution_value(attribution, words),
        effective=effective,
    )
    evidence = [ref for finding in assessment.findings for ref in _finding_evidence(finding)]
    evidence.extend(exam.source for exam in assessment.timeline.exams)
    return _with_evidence(_with_notes(observation, [assessment.because]), evidence)


def _cause(
    cause: CauseAssessment, knowledge: Knowledge, frame: ReportFrame, effective: dict[str, Any]
) -> dict[str, Any]:
    words = knowledge.words
    code = {
        "coding": [
            cause_coding(cause.cause, cause_display(cause, knowledge)),
            coding(canonical.RESULT, canonical.CAUSE_ASSESSMENT, RESULT_WORDS[canonical.CAUSE_ASSESSMENT]),
        ],
        "text": words.say("result.cause", cause=cause.name),
    }
    category = cause.category.value
    observation = _observation(
        frame,
        key=f"cause:{cause.cause}",
        code=code,
        value=_value(
            canonical.CATEGORY,
            category,
            CATEGORY_WORDS.get(category, category),
            text=words.say(f"category.{category}"),
        ),
        effective=effective,
    )
    _with_notes(observation, [cause.next_step, *(change.says for change in cause.would_change)])
    sources = derived_from(ref for answer in cause.answers for ref in answer.evidence)
    if sources:
        observation["derivedFrom"] = sources
    if cause.answers:
        observation["component"] = [_component(answer) for answer in cause.answers]
    return observation


def _component(answer: Answer) -> dict[str, Any]:
    """One question with its reply; Observations and studies it rests on stand in the Observation's `derivedFrom`."""
    strength = {"url": canonical.ANSWER_STRENGTH, "valueCode": answer.strength.value}
    reply = answer.reply.value
    return {
        "extension": [strength, *evidence_extensions(answer.evidence)],
        "code": {
            "coding": [coding(canonical.QUESTION, answer.question, answer.question.replace("_", " "))],
            "text": answer.ask,
        },
        "valueCodeableConcept": _value(canonical.REPLY, reply, REPLY_WORDS[reply], text=sentence(answer.because)),
    }


def _finding(
    finding: FindingAssessment, knowledge: Knowledge, frame: ReportFrame, default: dict[str, Any]
) -> dict[str, Any]:
    course = finding.finding
    words = knowledge.words
    what = f"{words.term(course.kind)}, {site_words(course.site, knowledge)}"
    seen = spanning([course.first_seen, *(item.seen for item in course.seen)])
    observation = _observation(
        frame,
        key=f"finding:{course.key}",
        code=_result_code(canonical.FINDING_ATTRIBUTION, words.say("result.finding", finding=what)),
        value=_attribution_value(finding.attribution, words),
        effective=_effective_range(seen) if seen else default,
    )
    observation["bodySite"] = body_site(course.site, knowledge)
    quotes = [f"“{item.quote}”" for item in course.seen if item.quote]
    _with_notes(observation, [finding.because, course.course, *quotes])
    return _with_evidence(observation, _finding_evidence(finding))


def _alerts(
    alerts: Sequence[Alert], knowledge: Knowledge, frame: ReportFrame, effective: dict[str, Any]
) -> list[dict[str, Any]]:
    seen: dict[str, int] = {}
    written = []
    for alert in alerts:
        seen[alert.code] = count = seen.get(alert.code, 0) + 1
        name = alert_words(alert.code, knowledge)
        observation = _observation(
            frame,
            key=f"alert:{alert.code}" if count == 1 else f"alert:{alert.code}:{count}",
            code=_result_code(canonical.RESULT_ALERT, knowledge.words.say("result.alert", alert=name)),
            value=_value(
                canonical.ALERT, alert.code, alert_words(alert.code, knowledge.base), text=sentence(alert.says)
            ),
            effective=effective,
        )
        written.append(_with_evidence(observation, alert.evidence))
    return written


def _observation(
    frame: ReportFrame, *, key: str, code: dict[str, Any], value: dict[str, Any], effective: dict[str, Any]
) -> dict[str, Any]:
    """What every result Observation has."""
    id_ = canonical.id_within(frame.identity.report_id, key)
    return {
        "resourceType": "Observation",
        "id": id_,
        "meta": frame.meta(),
        "identifier": [{"system": canonical.RESULT_IDENTIFIER, "value": id_}],
        "status": frame.identity.status,
        "code": code,
        "subject": dict(frame.subject),
        **effective,
        "issued": frame.issued,
        "performer": [frame.performer],
        "valueCodeableConcept": value,
        "device": frame.device,
    }


def _result_code(code: str, text: str) -> dict[str, Any]:
    return {"coding": [coding(canonical.RESULT, code, RESULT_WORDS[code])], "text": text}


def _value(system: str, code: str, display: str, *, text: str = "") -> dict[str, Any]:
    return {"coding": [coding(system, code, display)], "text": text or display}


def _attribution_value(attribution: Attribution, words: Words) -> dict[str, Any]:
    code = attribution.value
    return _value(canonical.ATTRIBUTION, code, ATTRIBUTION_WORDS[code], text=words.say(f"attributed.{code}"))


def _finding_evidence(finding: FindingAssessment) -> list[ResourceRef]:
    evidence = []
    for seen in finding.finding.seen:
        evidence.append(seen.source)
        if seen.exam is not None:
            evidence.append(seen.exam)
    evidence.extend(injection.source for injection in finding.injections)
    return evidence


def _with_evidence(observation: dict[str, Any], evidence: Iterable[ResourceRef]) -> dict[str, Any]:
    refs = tuple(evidence)
    if sources := derived_from(refs):
        observation["derivedFrom"] = sources
    if extensions := evidence_extensions(refs):
        observation["extension"] = extensions
    return observation


def _with_notes(observation: dict[str, Any], notes: Iterable[str]) -> dict[str, Any]:
    texts = [sentence(text) for text in dict.fromkeys(notes) if text.strip()]
    if texts:
        observation["note"] = [{"text": text} for text in texts]
    return observation


def _effective(period: DateRange | None, assessment: Assessment) -> dict[str, Any]:
    """The report's own period; where no input has a date, the day the report speaks of."""
    return _effective_range(period or DateRange.day(assessment.as_of))


def _effective_range(range_: DateRange) -> dict[str, Any]:
    if range_.is_one_day:
        return {"effectiveDateTime": range_.earliest.isoformat()}
    return {"effectivePeriod": fhir_period(range_)}
