"""This file works out the patient's attribution again as if some unknown questions had an answer (`would_change`).

Only the fillers' own answers can move it, so only these are weighed again, each set of answers once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from correlation.assessment import Attribution, FindingAssessment, FindingCourse, Reply
from correlation.attribution import (
    FillerVerdict,
    attribute_finding,
    attribute_patient,
    filler_verdict,
    filler_verdicts,
    unknown_material,
)
from correlation.chart import Chart
from correlation.verdict import DECIDING, NEEDED, Verdict
from correlation.weighing import Weighed, Weighing
from correlation.withheld import allowed_attribution

CALCIUM_FILLER = "filler_caha"
RECORDED = "filler_recorded"
MINERAL = "mineral_metabolism_normal"
# What a fitting record would settle at once: its date, place and product come with it.
COMES_WITH_A_RECORD = (*NEEDED, "still_expected", "side_matches")
ASKED_AGAIN = frozenset({*DECIDING, *NEEDED, "side_matches", "shrinks_on_follow_up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One finding as far as was seen: its differential, what each filler is to it, and its attribution."""

    finding: FindingCourse
    attribution: Attribution
    differential: tuple[Weighed, ...]
    verdicts: tuple[FillerVerdict, ...]


def standing_of(chart: Chart, item: FindingAssessment, differential: tuple[Weighed, ...]) -> Standing:
    """What `attribution_if` starts from."""
    return Standing(
        finding=item.finding,
        attribution=item.attribution,
        differential=differential,
        verdicts=filler_verdicts(chart, item.finding, differential),
    )


def open_questions(chart: Chart, differentials: Sequence[Sequence[Weighed]]) -> dict[str, str]:
    """The unknown questions that may move the patient's attribution, with their words."""
    asked: dict[str, str] = {}
    for differential in differentials:
        for item in differential:
            if item.cause.from_filler and _on_record(chart, item):
                asked |= _unknown(item, ASKED_AGAIN)
            if item.cause.id == CALCIUM_FILLER:
                if item.reply(RECORDED) is not Reply.YES:
                    asked[RECORDED] = chart.words.say("change.fitting_record")
                asked |= _unknown(item, frozenset({MINERAL}))
    return dict(sorted(asked.items()))


def _on_record(chart: Chart, item: Weighed) -> bool:
    return any(injection.material in item.cause.materials for injection in chart.counted)


def _unknown(item: Weighed, wanted: frozenset[str]) -> dict[str, str]:
    return {
        question.id: question.ask
        for question in item.cause.questions
        if question.id in wanted and item.reply(question.id) is Reply.NOT_KNOWN
    }


def attribution_if(
    chart: Chart, weighing: Weighing, standings: Sequence[Standing], *, other_reason: str
) -> Callable[[Mapping[str, Reply]], Attribution]:
    """A function from supposed answers to the attribution that could then be said of the patient."""

    def suppose(answers: Mapping[str, Reply]) -> Attribution:
        given = [(item.finding.key, _finding_if(chart, weighing, item, answers)) for item in standings]
        reason = other_reason or ("supposed" if answers.get(MINERAL) is Reply.NO else "")
        return allowed_attribution(attribute_patient(given, other_reason=reason)[0], chart.timeline.withheld)

    return suppose


def _finding_if(chart: Chart, weighing: Weighing, item: Standing, supposed: Mapping[str, Reply]) -> Attribution:
    differential, verdicts, place = [], [], 0
    for cause in item.differential:
        if cause.cause.from_filler:
            moved = _cause_if(weighing, cause, supposed)
            verdicts.append(item.verdicts[place] if moved is cause else filler_verdict(chart, item.finding, moved))
            differential.append(moved)
            place += 1
        else:
            differential.append(cause)
    if supposed.get(RECORDED) is not Reply.YES:
        verdicts.append(unknown_material(chart, item.finding, differential))
    if all(verdict.verdict is Verdict.ABSENT for verdict in verdicts):
        return item.attribution
    found = attribute_finding(chart, item.finding, differential, verdicts=verdicts)[0]
    if supposed.get(RECORDED) is Reply.YES and found is Attribution.NOT_EXPLAINED:
        return item.attribution  # a record of a calcium filler says nothing of a finding that it cannot look like
    return found


def _cause_if(weighing: Weighing, item: Weighed, supposed: Mapping[str, Reply]) -> Weighed:
    """The cause with the supposed answers to what it does not know; the very same one where it does not ask for any."""
    new_record = (
        item.cause.id == CALCIUM_FILLER
        and supposed.get(RECORDED) is Reply.YES
        and item.reply(RECORDED) is not Reply.YES
    )
    places = item.plan.places
    replies = {
        question: reply
        for question, reply in supposed.items()
        if question != RECORDED and question in places and item.reply(question) is Reply.NOT_KNOWN
    }
    if new_record:
        replies |= {question: Reply.YES for question in COMES_WITH_A_RECORD if question in places}
    return weighing.supposed(item, replies) if replies else item
