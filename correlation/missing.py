"""This file lists what was not there (missing is never normal) and what was read but not counted, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from correlation.assessment import Attribution, FindingAssessment, Reply, UnusedFact
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
from correlation.chart import Chart, Fit, written
from correlation.injections import UNKNOWN_MATERIAL, fits_of, ignored_injections
from correlation.timeline import LabResult
from correlation.words import Words

KEY_LABS = (
    ("missing.calcium", (CALCIUM_TO_JUDGE,)),
    ("missing.phosphate", (PHOSPHATE,)),
    ("missing.creatinine", (CREATININE, EGFR)),
    ("missing.pth", (PTH,)),
    ("missing.vitamin_d", (CALCIFEDIOL,)),
)


def missing_facts(chart: Chart) -> tuple[str, ...]:
    """What a careful reader would want and did not get; what was withheld comes first."""
    withheld = chart.words.withheld(chart.timeline.withheld)
    return (*withheld, *_imaging(chart), *_laboratory(chart), *_injections(chart))


def _imaging(chart: Chart) -> Iterator[str]:
    if not chart.timeline.exams and not chart.timeline.findings:
        yield chart.words.say("missing.imaging")
    for exam in chart.timeline.exams:
        if not exam.reported:
            yield chart.words.say("missing.report", study=chart.words.study(exam), day=chart.words.day(exam.started))


def _laboratory(chart: Chart) -> Iterator[str]:
    for sentence, tests in KEY_LABS:
        if all(chart.laboratory.level(test) is None for test in tests):
            older = any(chart.newest.level(test) is not None for test in tests)
            name = chart.words.say(sentence)
            yield chart.words.say("missing.near", test=name) if older else name
    judged = chart.laboratory.level(CALCIUM_TO_JUDGE)
    if judged is not None and judged.test == CALCIUM and chart.laboratory.level(ALBUMIN) is None:
        yield chart.words.say("missing.albumin")


def _injections(chart: Chart) -> Iterator[str]:
    words = chart.words
    for injection in chart.counted:
        product, day = injection.product or words.say("injection.any"), words.day(injection.performed)
        if injection.performed is None:
            yield words.say("missing.date", product=product)
        if not injection.sites:
            yield words.say("missing.site", product=product, day=day)
        if injection.material == UNKNOWN_MATERIAL:
            yield words.say("missing.product", day=day)


def unused_facts(chart: Chart, findings: Sequence[FindingAssessment]) -> tuple[UnusedFact, ...]:
    """Records that were read and not counted, or that contribute to no finding, each with the reason."""
    return (
        *ignored_injections(chart.timeline.injections, chart.words),
        *_without_part(chart, findings),
        *(_lab(result, chart.words) for result in chart.timeline.labs if not usable(result)),
    )


def _without_part(chart: Chart, findings: Sequence[FindingAssessment]) -> Iterator[UnusedFact]:
    used = {id(injection) for finding in findings for injection in finding.injections}
    for place, injection in enumerate(chart.counted):
        if id(injection) not in used:
            fits = [fits_of(chart, finding.finding)[place] for finding in findings]
            yield UnusedFact(
                source=injection.source, what=chart.words.injection(injection), why=_why(fits, findings, chart.words)
            )


def _why(fits: Sequence[Fit], findings: Sequence[FindingAssessment], words: Words) -> str:
    """Why an injection explains none of the findings, by the first reason that holds for all of them."""
    if not fits:
        return words.say("unused.no_finding")
    if all(fit.before is Reply.NO for fit in fits):
        return words.say("unused.after")
    if all(fit.reach is Reply.NO for fit in fits):
        return words.say("unused.far")
    if all(fit.appears is Reply.NO for fit in fits):
        return words.say("unused.appears", reason=written(fits[0].appears_because, words))
    if all(Reply.NO in (fit.before, fit.reach, fit.appears) for fit in fits):
        return words.say("unused.none_fits")
    if all(finding.attribution is Attribution.NOT_EXPLAINED for finding in findings):
        return words.say("unused.not_explained")
    return words.say("unused.undecided")


def _lab(result: LabResult, words: Words) -> UnusedFact:
    why = result.unusable_because or words.say("unused.no_value")
    return UnusedFact(source=result.source, what=f"{words.test(result.test)} {result.as_written}".strip(), why=why)
