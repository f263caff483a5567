"""This file lists what was not there (missing is never normal) and what was read but not counted, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from correlation.assessment import FindingAssessment, Reply, UnusedFact
from correlation.biochemistry import (
    ALBUMIN,
    CALCIFEDIOL,
    CALCIUM,
    CALCIUM_TO_JUDGE,
    CREATININE,
    EGFR,
    PHOSPHATE,
    PTH,
    usable,
)
from correlation.chart import Chart, Fit
from correlation.injections import UNKNOWN_MATERIAL, fits_of, ignored_injections, injection_words
from correlation.timeline import LabResult

KEY_LABS = (
    ("calcium (total or ionised)", (CALCIUM_TO_JUDGE,)),
    ("phosphate", (PHOSPHATE,)),
    ("creatinine or eGFR", (CREATININE, EGFR)),
    ("parathyroid hormone", (PTH,)),
    ("25-hydroxyvitamin D", (CALCIFEDIOL,)),
)


def missing_facts(chart: Chart) -> tuple[str, ...]:
    """What a careful reader would want and did not get."""
    return (*_imaging(chart), *_laboratory(chart), *_injections(chart))


def _imaging(chart: Chart) -> Iterator[str]:
    if not chart.timeline.exams and not chart.timeline.findings:
        yield "imaging with its report"
    for exam in chart.timeline.exams:
        if not exam.reported:
            name = exam.description or "/".join(sorted(exam.modalities)) or "imaging"
            yield f"the report of {name} of {exam.started or 'an unknown date'}"


def _laboratory(chart: Chart) -> Iterator[str]:
    for name, tests in KEY_LABS:
        if all(chart.laboratory.level(test) is None for test in tests):
            older = any(chart.newest.level(test) is not None for test in tests)
            yield f"{name} near the imaging (values of other times are on record)" if older else name
    judged = chart.laboratory.level(CALCIUM_TO_JUDGE)
    if judged is not None and judged.test == CALCIUM and chart.laboratory.level(ALBUMIN) is None:
        yield "albumin or ionised calcium (total calcium was taken as it is)"


def _injections(chart: Chart) -> Iterator[str]:
    for injection in chart.counted:
        if injection.performed is None:
            yield f"the date of {injection.product or 'a filler injection'}"
        if not injection.sites:
            yield f"the site of {injection.product or 'a filler injection'} ({injection.performed or 'undated'})"
        if injection.material == UNKNOWN_MATERIAL:
            yield f"the product of the filler injection of {injection.performed or 'an unknown date'}"


def unused_facts(chart: Chart, findings: Sequence[FindingAssessment]) -> tuple[UnusedFact, ...]:
    """Records that were read and not counted, or that contribute to no finding, each with the reason."""
    return (
        *ignored_injections(chart.timeline.injections),
        *_without_part(chart, findings),
        *(_lab(result) for result in chart.timeline.labs if not usable(result)),
    )


def _without_part(chart: Chart, findings: Sequence[FindingAssessment]) -> Iterator[UnusedFact]:
    used = {id(injection) for finding in findings for injection in finding.injections}
    for place, injection in enumerate(chart.counted):
        if id(injection) not in used:
            fits = [fits_of(chart, finding.finding)[place] for finding in findings]
            yield UnusedFact(source=injection.source, what=injection_words(injection), why=_why(fits))


def _why(fits: Sequence[Fit]) -> str:
    """Why an injection explains none of the findings, by the first reason that holds for all of them."""
    if not fits:
        return "no finding to explain"
    if all(fit.before is Reply.NO for fit in fits):
        return "not contributing: after the findings were first seen"
    if all(fit.reach is Reply.NO for fit in fits):
        return "not contributing: no finding lies within its reach"
    if all(fit.appears is Reply.NO for fit in fits):
        return f"not contributing: {fits[0].appears_because}"
    if all(Reply.NO in (fit.before, fit.reach, fit.appears) for fit in fits):
        return "not contributing: too late, too far or of another material for each finding"
    return "not decided: see the answers"


def _lab(result: LabResult) -> UnusedFact:
    why = result.unusable_because or "no value"
    return UnusedFact(source=result.source, what=f"{result.test} {result.as_written}".strip(), why=why)
