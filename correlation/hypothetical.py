"""This file works out the patient's attribution again as if some unknown questions had an answer (`would_change`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from correlation.assessment import Answer, Attribution, CauseAssessment, FindingAssessment, Reply, Strength
from correlation.attribution import attribute_finding, attribute_patient, filler_verdicts
from correlation.catalogue import Cause
from correlation.category import counts_of
from correlation.chart import Chart
from correlation.injections import UNKNOWN_MATERIAL
from correlation.verdict import DECIDING, NEEDED, Verdict
from correlation.weighing import Weighing, strength_of

CALCIUM_FILLER = "filler_caha"
RECORDED = "filler_recorded"
MINERAL = "mineral_metabolism_normal"
# What a fitting record would settle at once: its date, place and product come with it.
COMES_WITH_A_RECORD = (*NEEDED, "still_expected", "side_matches")
ASKED_AGAIN = frozenset({*DECIDING, *NEEDED, "side_matches", "shrinks_on_follow_up"})


def open_questions(chart: Chart, findings: Sequence[FindingAssessment]) -> dict[str, str]:
    """The unknown questions that may move the patient's attribution, with their words."""
    asked: dict[str, str] = {}
    for finding in findings:
        for item in finding.differential:
            if item.from_filler and _on_record(chart, item):
                asked |= {answer.question: answer.ask for answer in item.answers if _open(answer)}
            if item.cause == CALCIUM_FILLER and _reply(item, RECORDED) is not Reply.YES:
                asked[RECORDED] = "Is a calcium filler on record that fits in date, place and side?"
            if item.cause == CALCIUM_FILLER:
                asked |= {answer.question: answer.ask for answer in item.answers if _open_mineral(answer)}
    return dict(sorted(asked.items()))


def _on_record(chart: Chart, item: CauseAssessment) -> bool:
    materials = chart.knowledge.causes[item.cause].materials
    return any(injection.material in materials for injection in chart.counted)


def _open(answer: Answer) -> bool:
    return answer.reply is Reply.NOT_KNOWN and answer.question in ASKED_AGAIN


def _open_mineral(answer: Answer) -> bool:
    return answer.reply is Reply.NOT_KNOWN and answer.question == MINERAL


def _reply(item: CauseAssessment, question: str) -> Reply:
    return next((answer.reply for answer in item.answers if answer.question == question), Reply.NOT_KNOWN)


def attribution_if(
    chart: Chart, weighing: Weighing, findings: Sequence[FindingAssessment], *, other_reason: str
) -> Callable[[Mapping[str, Reply]], Attribution]:
    """A function from supposed answers to the patient's attribution."""

    def suppose(answers: Mapping[str, Reply]) -> Attribution:
        given = [(item.finding.key, _finding_if(chart, weighing, item, answers)) for item in findings]
        reason = other_reason or ("supposed" if answers.get(MINERAL) is Reply.NO else "")
        return attribute_patient(given, other_reason=reason)[0]

    return suppose


def _finding_if(
    chart: Chart, weighing: Weighing, item: FindingAssessment, supposed: Mapping[str, Reply]
) -> Attribution:
    differential = tuple(
        _cause_if(weighing, cause, chart.knowledge.causes[cause.cause], supposed) if cause.from_filler else cause
        for cause in item.differential
    )
    verdicts = filler_verdicts(chart, item.finding, differential)
    if supposed.get(RECORDED) is Reply.YES:
        verdicts = tuple(verdict for verdict in verdicts if verdict.cause != UNKNOWN_MATERIAL)
    if all(verdict.judged.verdict is Verdict.ABSENT for verdict in verdicts):
        return item.attribution
    return attribute_finding(chart, item.finding, differential, verdicts=verdicts)[0]


def _cause_if(
    weighing: Weighing, item: CauseAssessment, cause: Cause, supposed: Mapping[str, Reply]
) -> CauseAssessment:
    new_record = (
        cause.id == CALCIUM_FILLER and supposed.get(RECORDED) is Reply.YES and _reply(item, RECORDED) is not Reply.YES
    )
    answers = []
    moved = False
    for answer, question in zip(item.answers, cause.questions, strict=True):
        reply = supposed.get(answer.question)
        if new_record and answer.question in COMES_WITH_A_RECORD:
            reply = Reply.YES
        elif answer.reply is not Reply.NOT_KNOWN or answer.question == RECORDED:
            reply = None
        if reply is None:
            answers.append(answer)
            continue
        moved = True
        answers.append(replace(answer, reply=reply, strength=strength_of(question, reply)))
    if not moved:
        return item
    strengths: list[Strength] = [answer.strength for answer in answers]
    return replace(item, answers=tuple(answers), category=weighing.category(counts_of(strengths)))
