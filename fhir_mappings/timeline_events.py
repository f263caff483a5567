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
from fhir_mappings.lab_words import HIGH, LOW, lab_state, plain_value, test_words
from fhir_mappings.site_words import regions_words, site_words
from fhir_mappings.timeline_svg import TimelineEvent

MOST_ROWS_PER_LANE: Final = 12
"""A chart of decades stays readable: the newest are drawn, and the worksheet says that tables hold the rest."""


def timeline_events(assessment: Assessment, knowledge: Knowledge) -> tuple[TimelineEvent, ...]:
    """Every dated event worth drawing, lane by lane, oldest first."""
    return (*_injections(assessment, knowledge), *_imaging(assessment, knowledge), *_labs(assessment, knowledge))


def not_drawn(assessment: Assessment, knowledge: Knowledge) -> list[str]:
    """What has no date and so no place in the drawing, in words; and how many older events a full lane left out."""
    timeline = assessment.timeline
    studies = [exam for exam in timeline.exams if exam.started is None]
    labs = [lab for lab in timeline.labs if lab.collected is None and lab_state(lab) in (HIGH, LOW)]
    words = [
        *(f"Injection: {_injection_words(item, knowledge)}" for item in timeline.injections if item.performed is None),
        *(f"Imaging: {_study_words(exam, timeline.findings, knowledge)}" for exam in studies),
        *(f"Result: {_lab_words(lab, knowledge)}" for lab in labs),
    ]
    undated = [f"{item}, date not known" for item in words]
    for lane, dated in (
        ("injections", [item for item in timeline.injections if item.performed]),
        ("imaging studies", [exam for exam in timeline.exams if exam.started]),
        ("results out of range", [lab for lab in timeline.labs if lab.collected and lab_state(lab) in (HIGH, LOW)]),
    ):
        if len(dated) > MOST_ROWS_PER_LANE:
            undated.append(f"{len(dated) - MOST_ROWS_PER_LANE} older {lane} are not drawn")
    return undated


def _injections(assessment: Assessment, knowledge: Knowledge) -> list[TimelineEvent]:
    return _newest(
        [
            TimelineEvent(
                lane="Injections",
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
    exams = {exam.source.reference for exam in timeline.exams}
    studies = [
        TimelineEvent(
            lane="Imaging", label=_study_words(exam, timeline.findings, knowledge), when=exam.started, style="study"
        )
        for exam in timeline.exams
        if exam.started is not None
    ]
    without_exam = [
        TimelineEvent(lane="Imaging", label=_finding_words(item, knowledge), when=item.seen, style="study")
        for item in timeline.findings
        if item.seen is not None
        and item.certainty is not Certainty.NEGATED
        and (item.exam is None or item.exam.reference not in exams)
    ]
    return _newest([*studies, *without_exam])


def _labs(assessment: Assessment, knowledge: Knowledge) -> list[TimelineEvent]:
    return _newest(
        [
            TimelineEvent(
                lane="Results out of range", label=_lab_words(lab, knowledge), when=lab.collected, style=lab_state(lab)
            )
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
    material = knowledge.materials.get(injection.material)
    name = injection.product or (material.name if material else injection.material.replace("_", " "))
    counted = " (not counted)" if injection.ignored_because else ""
    return f"{name}: {regions_words(injection.sites, knowledge)}{counted}"


def _study_words(exam: ImagingExam, findings: Sequence[ImagingFinding], knowledge: Knowledge) -> str:
    seen = [
        item
        for item in findings
        if item.exam is not None
        and item.exam.reference == exam.source.reference
        and item.kind in TARGET_KINDS
        and item.certainty is not Certainty.NEGATED
    ]
    name = " ".join(sorted(exam.modalities)) or "study"
    if seen:
        kinds = ", ".join(dict.fromkeys(item.kind.value for item in seen))
        return f"{name}: {kinds}, {regions_words((item.site for item in seen), knowledge)}"
    return f"{name}: no target finding described" if exam.reported else f"{name}: report not available"


def _finding_words(finding: ImagingFinding, knowledge: Knowledge) -> str:
    return f"{finding.kind.value}, {site_words(finding.site, knowledge)}"


def _lab_words(lab: LabResult, knowledge: Knowledge) -> str:
    return f"{test_words(lab, knowledge)} {lab_state(lab)}: {plain_value(lab)}"
