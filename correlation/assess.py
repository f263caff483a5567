"""This file tells the whole story of one assessment: facts in, findings, differential, attribution, alerts, words out.

What was seen is weighed as if it were all; what is said of it is no surer than what is withheld allows.

Pure: the same timeline, knowledge and day give the same answer. Nothing here raises on a patient's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from correlation.alerts import raise_alerts
from correlation.assessment import Assessment, Attribution, CauseAssessment, Change, FindingAssessment, WhenRead
from correlation.attribution import as_allowed, assess_finding, attribute_patient, other_reason
from correlation.biochemistry import laboratory_near, newest_laboratory
from correlation.catalogue import Knowledge
from correlation.category import LIKELY
from correlation.chart import Chart, Memory, written
from correlation.conflicts import shared_records
from correlation.findings import find_courses
from correlation.hypothetical import attribution_if, open_questions, standing_of
from correlation.injections import counted_injections
from correlation.look import look_of
from correlation.missing import missing_facts, unused_facts
from correlation.ordering import in_order
from correlation.questionnaire import questionnaire_of
from correlation.separating import separating_question
from correlation.timeline import ClinicalCondition, PatientTimeline
from correlation.weighing import Weighed, Weighing, by_shown
from correlation.withheld import allowed_attribution, but_withheld
from correlation.wording import conclusion_words, limitation_words
from correlation.would_change import patient_changes, when_seen, with_changes

KEPT_MEMORIES = 4
_MEMORIES: list[tuple[Knowledge, Memory]] = []  # only what follows from the knowledge, never from a patient

# Sentences of the catalogue
NO_IMAGING = "attribution.no_imaging"
NO_REPORT = "attribution.no_report"
NO_TARGET = "attribution.no_target"


def assess(timeline: PatientTimeline, knowledge: Knowledge, *, as_of: date, would_change: bool = True) -> Assessment:
    """Everything the record of one patient says about deposits and fillers, as known on `as_of`.

    Without `would_change`, what would move the conclusions and separate the best causes is left out: half of the work.
    """
    chart = read_chart(timeline, knowledge, as_of=as_of)
    weighing = Weighing(chart)
    weighed = [weighing.differential(finding) for finding in chart.findings]
    seen = tuple(map(partial(assess_finding, chart), chart.findings, weighed))
    ranked = weighing.over_all(weighed) if weighed else weighing.differential(None)
    other = other_reason(chart, ranked)
    as_seen, because = _attribution(chart, seen, other=other)
    withheld = timeline.withheld
    attribution = as_seen and allowed_attribution(as_seen, withheld)
    because = but_withheld(because, withheld, chart.words)
    findings = tuple(as_allowed(chart, item) for item in seen)
    if withheld:
        ranked = weighing.over_all(weighed or [ranked], by=by_shown)
    changes: tuple[Change, ...] = ()
    separating = None
    if would_change and as_seen is not None:
        changes = _changes(weighing, seen, weighed, as_seen=as_seen, other=other)
        separating = separating_question(ranked, weighed, chart.memory.questionnaire, chart.words)
    alerts = raise_alerts(chart)
    differential: Sequence[CauseAssessment]
    if would_change:
        differential = tuple(with_changes(weighing, item) for item in ranked)
    else:
        differential = WhenRead(lambda: tuple(item.assessment(knowledge.words) for item in ranked))
    likely = [item.assessment(knowledge.words) for item in ranked if item.shown in LIKELY]
    missing = missing_facts(chart)
    return Assessment(
        attribution=attribution,
        because=because,
        findings=findings,
        differential=differential,
        alerts=alerts,
        missing=missing,
        unused=WhenRead(lambda: unused_facts(chart, findings)),
        would_change=changes,
        separating_question=separating,
        conclusion=conclusion_words(
            attribution,
            because=because,
            findings=findings,
            differential=likely,
            alerts=alerts,
            missing=missing,
            knowledge=knowledge,
        ),
        limitations=limitation_words(knowledge, chart),
        timeline=chart.timeline,
        as_of=as_of,
        edition=knowledge.edition,
        digest=knowledge.digest,
    )


def read_chart(timeline: PatientTimeline, knowledge: Knowledge, *, as_of: date) -> Chart:
    """The facts read together: findings grouped, injections that count, the laboratory near the imaging."""
    memory = _memory_of(knowledge)
    timeline = in_order(timeline)
    courses = find_courses(timeline, knowledge=knowledge, wide=memory.parts)
    seen = {mention.seen for course in courses for mention in course.seen if mention.seen}
    seen |= {exam.started for exam in timeline.exams if exam.started and not courses}
    anchors = sorted({day for when in seen for day in (when.earliest, when.latest)})
    counted = counted_injections(timeline.injections)
    return Chart(
        timeline=timeline,
        knowledge=knowledge,
        as_of=as_of,
        findings=courses,
        counted=counted,
        materials=frozenset(item.material for item in counted),
        shared=shared_records(counted),
        laboratory=laboratory_near(timeline, measures=knowledge.measures, anchors=anchors),
        newest=newest_laboratory(timeline, measures=knowledge.measures),
        conditions=_by_concept(timeline.conditions),
        memory=memory,
        looks={course.key: look_of(course, measures=knowledge.measures) for course in courses},
    )


def _memory_of(knowledge: Knowledge) -> Memory:
    """The memory of this very knowledge base; a few are kept, so that tests with their own do not mix."""
    for known, memory in _MEMORIES:
        if known is knowledge:
            return memory
    parts: dict[str, int] = {}
    for region in knowledge.regions.values():
        for wider in region.broader:
            parts[wider] = parts.get(wider, 0) + 1
    memory = Memory(questionnaire=questionnaire_of(knowledge.causes), parts=parts)
    _MEMORIES.append((knowledge, memory))
    del _MEMORIES[:-KEPT_MEMORIES]
    return memory


def _by_concept(conditions: Sequence[ClinicalCondition]) -> dict[str, tuple[ClinicalCondition, ...]]:
    grouped: dict[str, tuple[ClinicalCondition, ...]] = {}
    for item in conditions:
        grouped[item.concept] = (*grouped.get(item.concept, ()), item)
    return grouped


def _attribution(
    chart: Chart, findings: tuple[FindingAssessment, ...], *, other: str
) -> tuple[Attribution | None, str]:
    """The patient's attribution and why, as far as was seen. `other` is a reason beside fillers, or empty."""
    words = chart.words
    if not findings:
        if not chart.timeline.exams and not chart.timeline.findings:
            return None, words.say(NO_IMAGING)
        if chart.timeline.findings or any(exam.reported for exam in chart.timeline.exams):
            return Attribution.NOT_APPLICABLE, words.say(NO_TARGET)
        return Attribution.INDETERMINATE, words.say(NO_REPORT)
    named = [(words.finding(item.finding.kind, item.finding.site), item.attribution) for item in findings]
    attribution, clause = attribute_patient(named, other_reason=other)
    because = written(clause, words)
    if other and other not in because and attribution is Attribution.PARTLY:
        because = words.say("attribution.and_other", because=because, other=other)
    return attribution, because


def _changes(
    weighing: Weighing,
    findings: tuple[FindingAssessment, ...],
    weighed: Sequence[tuple[Weighed, ...]],
    *,
    as_seen: Attribution,
    other: str,
) -> tuple[Change, ...]:
    """What would change the patient's attribution; `findings` and `as_seen` are as far as was seen."""
    chart = weighing.chart
    now = allowed_attribution(as_seen, chart.timeline.withheld)
    seeing = when_seen(now=now, as_seen=as_seen, words=chart.words)
    if not findings:
        return seeing
    standings = [standing_of(chart, item, differential) for item, differential in zip(findings, weighed, strict=True)]
    return seeing + patient_changes(
        now=now,
        asked=open_questions(chart, weighed),
        attribute=attribution_if(chart, weighing, standings, other_reason=other),
        words=chart.words,
    )
