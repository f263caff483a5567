"""This file chooses what the drawn timeline shows: injections, imaging with its findings, results out of range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import (
    TARGET_KINDS,
    Certainty,
    FillerInjection,
    ImagingExam,
    ImagingFinding,
    LabResult,
)
from fhir_mappings.lab_words import HIGH, LOW, lab_state, plain_value, state_words
from fhir_mappings.site_words import regions_words, site_words
from fhir_mappings.timeline_svg import TimelineEvent

MOST_ROWS_PER_LANE: Final = 12
"""A chart of decades stays readable: the newest are drawn, and the worksheet says that tables hold the rest."""


def timeline_events(assessment: Assessment, knowledge: Knowledge) -> tuple[TimelineEvent, ...]:
    """Every dated event worth drawing, lane by lane, oldest first."""
    return (*_injections(assessment, knowledge), *_imaging(assessment, knowledge), *_labs(assessment, knowledge))


def not_drawn(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    """What has no date and so no place in the drawing, in words; and how many older events a full lane left out."""
    timeline, words = assessment.timeline, knowledge.words
    injections, studies = timeline.injections, timeline.exams
    labs = [lab for lab in timeline.labs if lab_state(lab) in (HIGH, LOW)]
    undated = [
        *(("injection", _injection_words(item, knowledge)) for item in injections if item.performed is None),
        *(("study", _study_words(exam, timeline.findings, knowledge)) for exam in studies if exam.started is None),
        *(("result", _lab_words(lab, knowledge)) for lab in labs if lab.collected is None),
    ]
    told = [words.say(f"drawing.undated_{kind}", what=what) for kind, what in undated]
    dated = {
        "injections": sum(item.performed is not None for item in injections),
        "studies": sum(exam.started is not None for exam in studies),
        "results": sum(lab.collected is not None for lab in labs),
    }
    return told + [
        words.say(f"drawing.older_{lane}", count=count - MOST_ROWS_PER_LANE)
        for lane, count in dated.items()
        if count > MOST_ROWS_PER_LANE
    ]


def _injections(assessment: Assessment, knowledge: Knowledge) -> list[TimelineEvent]:
    lane = knowledge.words.say("drawing.injections")
    return _newest(
        [
            TimelineEvent(
                lane=lane,
                label=_injection_words(item, knowledge),
                when=item.performed,
                style="ignored" if item.ignored_because else "injection",
            )
            for item in assessment.timeline.injections
            if item.performed is not None
        ]
    )


def _imaging(assessment: Assessment, knowledge: Knowledge) -> list[TimelineEvent]:
    timeline = assessment.timeline
    lane = knowledge.words.say("drawing.imaging")
    exams = {exam.source.reference for exam in timeline.exams}
    studies = [
        TimelineEvent(
            lane=lane, label=_study_words(exam, timeline.findings, knowledge), when=exam.started, style="study"
        )
        for exam in timeline.exams
        if exam.started is not None
    ]
    without_exam = [
        TimelineEvent(lane=lane, label=_finding_words(item, knowledge), when=item.seen, style="study")
        for item in timeline.findings
        if item.seen is not None
        and item.certainty is not Certainty.NEGATED
        and (item.exam is None or item.exam.reference not in exams)
    ]
    return _newest([*studies, *without_exam])


def _labs(assessment: Assessment, knowledge: Knowledge) -> list[TimelineEvent]:
    lane = knowledge.words.say("drawing.results")
    return _newest(
        [
            TimelineEvent(lane=lane, label=_lab_words(lab, knowledge), when=lab.collected, style=lab_state(lab))
            for lab in assessment.timeline.labs
            if lab.collected is not None and lab_state(lab) in (HIGH, LOW)
        ]
    )


def _newest(events: Sequence[TimelineEvent]) -> list[TimelineEvent]:
    """Each row once, oldest first, the oldest left out where a lane is full."""
    return sorted(dict.fromkeys(events), key=lambda event: (event.when.earliest, event.when.latest))[
        -MOST_ROWS_PER_LANE:
    ]


def _injection_words(injection: FillerInjection, knowledge: Knowledge) -> str:
    words = knowledge.words
    sentence = "drawing.injection_not_counted" if injection.ignored_because else "drawing.injection"
    name = injection.product or words.material(injection.material)
    return words.say(sentence, product=name, sites=regions_words(injection.sites, knowledge))


def _study_words(exam: ImagingExam, findings: Sequence[ImagingFinding], knowledge: Knowledge) -> str:
    words = knowledge.words
    seen = [
        item
        for item in findings
        if item.exam is not None
        and item.exam.reference == exam.source.reference
        and item.kind in TARGET_KINDS
        and item.certainty is not Certainty.NEGATED
    ]
    name = words.modalities(exam.modalities)
    if seen:
        kinds = ", ".join(dict.fromkeys(words.term(item.kind.value) for item in seen))
        sites = regions_words((item.site for item in seen), knowledge)
        return words.say("drawing.study", study=name, findings=kinds, sites=sites)
    return words.say("drawing.study_without_finding" if exam.reported else "drawing.study_not_reported", study=name)


def _finding_words(finding: ImagingFinding, knowledge: Knowledge) -> str:
    return f"{knowledge.words.term(finding.kind.value)}, {site_words(finding.site, knowledge)}"


def _lab_words(lab: LabResult, knowledge: Knowledge) -> str:
    words = knowledge.words
    test = words.test(lab.test)
    state = state_words(lab, words)
    return words.say("drawing.result", test=test[:1].upper() + test[1:], state=state, value=plain_value(lab))
