"""This file answers questions of the laboratory, by the nearest valid value to the imaging. Missing is never normal.

The test asked for is the question's parameter `test` (or `tests`), an id of `knowledge/labs.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from correlation.assessment import Reply
from correlation.biochemistry import (
    CALCIUM_PHOSPHATE_PRODUCT,
    CALCIUM_TO_JUDGE,
    EGFR,
    PHOSPHATE,
    PTH,
    Level,
)
from correlation.chart import Asked, Chart, Clause, Said
from correlation.questions.history import named
from correlation.timeline import LabResult
from correlation.withheld import OF_CONDITIONS, OF_RESULTS, concluded
from correlation.words import Words

MINERAL_TESTS = (CALCIUM_TO_JUDGE, PHOSPHATE, PTH)


def lab_high(chart: Chart, asked: Asked) -> Said:
    """Is the test above its range?"""
    return _judge(chart, asked, lambda level: level.is_high())


def lab_low(chart: Chart, asked: Asked) -> Said:
    """Is the test below its range?"""
    return _judge(chart, asked, lambda level: level.is_low())


def _told(words: Words, test: str, level: Level) -> str:
    return words.say("labs.value", test=words.test(test), says=level.says(words))


def _judge(chart: Chart, asked: Asked, ask: Callable[[Level], bool | None]) -> Said:
    """Answer one yes-or-no question for the first test of the parameters that has a value."""
    tests = asked.parameters.get("test", ())
    for test in tests:
        level = chart.laboratory.level(test)
        if level is not None:
            return _said(ask(level), test, level)
    return Said(
        Reply.NOT_KNOWN, lambda words: words.say("labs.no_value", tests=", ".join(words.test(test) for test in tests))
    )


def _said(answer: bool | None, test: str, level: Level) -> Said:
    if answer is None:
        return Said(
            Reply.NOT_KNOWN, lambda words: words.say("labs.undecided", value=_told(words, test, level)), level.evidence
        )
    return Said(Reply.YES if answer else Reply.NO, lambda words: _told(words, test, level), level.evidence)


def mineral_metabolism_normal(chart: Chart, asked: Asked) -> Said:
    """Are calcium, phosphate and parathyroid hormone within their ranges? Any one missing: not known."""
    wanted = [(test, chart.laboratory.level(test)) for test in MINERAL_TESTS]
    levels = [(test, level) for test, level in wanted if level is not None]
    evidence = tuple(ref for _, level in levels for ref in level.evidence)
    outside = [(test, level) for test, level in levels if _outside(level)]
    if outside:
        return Said(Reply.NO, _listed("labs.outside", outside), evidence)
    missing = [test for test, level in wanted if level is None]
    if missing:
        return Said(
            Reply.NOT_KNOWN,
            lambda words: words.say("labs.missing", tests=", ".join(words.test(test) for test in missing)),
            evidence,
        )
    if any(level.high is None for _, level in levels):
        return Said(Reply.NOT_KNOWN, _listed("labs.without_range", levels), evidence)
    return Said(Reply.YES, _listed("labs.all_in_range", levels), evidence)


def _listed(sentence: str, levels: Sequence[tuple[str, Level]]) -> Clause:
    return lambda words: words.say(sentence, values="; ".join(_told(words, test, level) for test, level in levels))


def _outside(level: Level) -> bool:
    return level.is_high() is True or level.is_low() is True


def calcium_phosphate_product_high(chart: Chart, asked: Asked) -> Said:
    """Is calcium x phosphate above 70 mg2/dL2? No below 55; not known between. A marker, not a rule (KDIGO 2017)."""
    level = chart.laboratory.level(CALCIUM_PHOSPHATE_PRODUCT)
    if level is None:
        return Said(Reply.NOT_KNOWN, "labs.product_missing")
    measures = chart.knowledge.measures
    told = partial(_told, test=CALCIUM_PHOSPHATE_PRODUCT, level=level)
    if level.value > measures["calcium_phosphate_high"].value:
        return Said(Reply.YES, told, level.evidence)
    if level.value < measures["calcium_phosphate_raised"].value:
        return Said(Reply.NO, told, level.evidence)
    return Said(Reply.NOT_KNOWN, lambda words: words.say("labs.product_raised", value=told(words)), level.evidence)


def pth_not_suppressed(chart: Chart, asked: Asked) -> Said:
    """With a high calcium: is PTH high, or normal when it should be low? Not asked without a high calcium."""
    calcium = chart.laboratory.level(CALCIUM_TO_JUDGE)
    pth = chart.laboratory.level(PTH)
    if calcium is None or pth is None:
        return Said(Reply.NOT_KNOWN, "labs.pth_missing")
    evidence = (*calcium.evidence, *pth.evidence)
    levels = [(CALCIUM_TO_JUDGE, calcium), (PTH, pth)]
    if calcium.is_high() is not True:
        return Said(Reply.NOT_KNOWN, _listed("labs.calcium_not_high", levels), evidence)
    told = _listed("labs.values", levels)
    low = pth.is_low()
    if low is None:
        return Said(Reply.NOT_KNOWN, told, evidence)
    return Said(Reply.NO if low else Reply.YES, told, evidence)


def vitamin_d_toxic(chart: Chart, asked: Asked) -> Said:
    """Is 25-OH vitamin D above 150 ng/mL (374 nmol/L)?"""
    limit = chart.knowledge.measures["vitamin_d_toxic"].value
    return _judge(chart, asked, lambda level: level.above(limit))


def antibody_positive(chart: Chart, asked: Asked) -> Said:
    """Is one of the antibodies (`test`) positive, by word or above its range? No when all known ones are negative."""
    known: list[LabResult] = []
    tests = asked.parameters.get("test", ())
    for test in tests:
        result = chart.laboratory.results.get(test)
        if result is None:
            continue
        level = chart.laboratory.level(test)
        positive = _positive(result.qualitative, level)
        if positive is None:
            continue
        if positive:
            return Said(Reply.YES, _antibodies("labs.positive", [result]), (result.source,))
        known.append(result)
    if known:
        negative = Said(Reply.NO, _antibodies("labs.negative", known), tuple(result.source for result in known))
        if len(known) == len(tests):
            return negative
        return concluded(chart, negative, from_absence=Reply.NO, held_in=OF_RESULTS)
    return Said(Reply.NOT_KNOWN, "labs.no_antibody")


def _antibodies(sentence: str, results: Sequence[LabResult]) -> Clause:
    def write(words: Words) -> str:
        told = (f"{words.test(one.test)} {words.result(one.as_written or one.qualitative)}" for one in results)
        return words.say(sentence, values="; ".join(told))

    return write


def _positive(qualitative: str | None, level: Level | None) -> bool | None:
    if qualitative in ("positive", "negative"):
        return qualitative == "positive"
    return level.is_high() if level is not None else None


def kidney_failure(chart: Chart, asked: Asked) -> Said:
    """Is kidney failure on record, by a condition (`concepts`) or an eGFR below 30?

    No with an eGFR of 60 or more and no such condition.
    """
    recorded = [item for name in asked.parameters.get("concepts", ()) for item in chart.conditions.get(name, ())]
    if recorded:
        return Said(
            Reply.YES,
            lambda words: words.say("history.recorded", what=named(words, recorded)),
            tuple(item.source for item in recorded),
        )
    level = chart.laboratory.level(EGFR)
    if level is None:
        return Said(Reply.NOT_KNOWN, "labs.no_kidney")
    measures = chart.knowledge.measures
    told = partial(_told, test=EGFR, level=level)
    if level.below(measures["egfr_severe"].value) is True:
        return Said(Reply.YES, told, level.evidence)
    if level.below(measures["egfr_reduced"].value) is False:
        return concluded(chart, Said(Reply.NO, told, level.evidence), from_absence=Reply.NO, held_in=OF_CONDITIONS)
    return Said(Reply.NOT_KNOWN, lambda words: words.say("labs.egfr_reduced", value=told(words)), level.evidence)
