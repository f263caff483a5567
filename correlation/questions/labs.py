"""This file answers questions of the laboratory, by the nearest valid value to the imaging. Missing is never normal.

The test asked for is the question's parameter `test` (or `tests`), an id of `knowledge/labs.toml`.
"""

from __future__ import annotations

from collections.abc import Callable

from correlation.assessment import Reply
from correlation.biochemistry import (
    CALCIUM_PHOSPHATE_PRODUCT,
    CALCIUM_TO_JUDGE,
    EGFR,
    PHOSPHATE,
    PTH,
    Level,
)
from correlation.chart import Case, Said
from correlation.timeline import ResourceRef

MINERAL_TESTS = (CALCIUM_TO_JUDGE, PHOSPHATE, PTH)
SPOKEN = {CALCIUM_TO_JUDGE: "calcium", CALCIUM_PHOSPHATE_PRODUCT: "calcium x phosphate", EGFR: "eGFR"}


def lab_high(case: Case) -> Said:
    """Is the test above its range?"""
    return _judge(case, lambda level: level.is_high())


def lab_low(case: Case) -> Said:
    """Is the test below its range?"""
    return _judge(case, lambda level: level.is_low())


def test_name(case: Case, test: str) -> str:
    """The test in words."""
    known = case.chart.knowledge.labs.get(test)
    return SPOKEN.get(test) or (known.name if known else test)


def _judge(case: Case, ask: Callable[[Level], bool | None]) -> Said:
    """Answer one yes-or-no question for the first test of the parameters that has a value."""
    tests = case.parameters.get("test", ())
    for test in tests:
        level = case.chart.laboratory.level(test)
        if level is not None:
            return _said(ask(level), f"{test_name(case, test)} {level.says}", level.evidence)
    return Said(
        Reply.NOT_KNOWN,
        lambda: f"no usable value near the imaging: {', '.join(test_name(case, test) for test in tests)}",
    )


def _said(answer: bool | None, because: str, evidence: tuple[ResourceRef, ...]) -> Said:
    if answer is None:
        return Said(Reply.NOT_KNOWN, f"{because}: not decided by its range", evidence)
    return Said(Reply.YES if answer else Reply.NO, because, evidence)


def mineral_metabolism_normal(case: Case) -> Said:
    """Are calcium, phosphate and parathyroid hormone within their ranges? Any one missing: not known."""
    levels = [(test, case.chart.laboratory.level(test)) for test in MINERAL_TESTS]
    told = [f"{test_name(case, test)} {level.says}" for test, level in levels if level is not None]
    evidence = tuple(ref for _, level in levels if level is not None for ref in level.evidence)
    outside = [f"{test_name(case, test)} {level.says}" for test, level in levels if level and _outside(level)]
    if outside:
        return Said(Reply.NO, f"outside its range: {'; '.join(outside)}", evidence)
    missing = [test_name(case, test) for test, level in levels if level is None]
    if missing:
        return Said(Reply.NOT_KNOWN, f"missing near the imaging: {', '.join(missing)}", evidence)
    if any(level is not None and level.high is None for _, level in levels):
        return Said(Reply.NOT_KNOWN, f"without a range for all: {'; '.join(told)}", evidence)
    return Said(Reply.YES, f"all within range: {'; '.join(told)}", evidence)


def _outside(level: Level) -> bool:
    return level.is_high() is True or level.is_low() is True


def calcium_phosphate_product_high(case: Case) -> Said:
    """Is calcium x phosphate above 70 mg2/dL2? No below 55; not known between. A marker, not a rule (KDIGO 2017)."""
    level = case.chart.laboratory.level(CALCIUM_PHOSPHATE_PRODUCT)
    if level is None:
        return Said(Reply.NOT_KNOWN, "calcium or phosphate is missing near the imaging")
    measures = case.chart.knowledge.measures
    told = f"calcium x phosphate {level.says}"
    if level.value > measures["calcium_phosphate_high"].value:
        return Said(Reply.YES, told, level.evidence)
    if level.value < measures["calcium_phosphate_raised"].value:
        return Said(Reply.NO, told, level.evidence)
    return Said(Reply.NOT_KNOWN, f"{told}: raised, but not above 70 mg2/dL2", level.evidence)


def pth_not_suppressed(case: Case) -> Said:
    """With a high calcium: is PTH high, or normal when it should be low? Not asked without a high calcium."""
    calcium = case.chart.laboratory.level(CALCIUM_TO_JUDGE)
    pth = case.chart.laboratory.level(PTH)
    if calcium is None or pth is None:
        return Said(Reply.NOT_KNOWN, "calcium or PTH is missing near the imaging")
    evidence = (*calcium.evidence, *pth.evidence)
    told = f"calcium {calcium.says}; PTH {pth.says}"
    if calcium.is_high() is not True:
        return Said(Reply.NOT_KNOWN, f"not asked, as calcium is not high: {told}", evidence)
    low = pth.is_low()
    if low is None:
        return Said(Reply.NOT_KNOWN, told, evidence)
    return Said(Reply.NO if low else Reply.YES, told, evidence)


def vitamin_d_toxic(case: Case) -> Said:
    """Is 25-OH vitamin D above 150 ng/mL (374 nmol/L)?"""
    limit = case.chart.knowledge.measures["vitamin_d_toxic"].value
    return _judge(case, lambda level: level.above(limit))


def antibody_positive(case: Case) -> Said:
    """Is one of the antibodies (`test`) positive, by word or above its range? No when all known ones are negative."""
    known: list[str] = []
    evidence: list[ResourceRef] = []
    for test in case.parameters.get("test", ()):
        result = case.chart.laboratory.results.get(test)
        if result is None:
            continue
        level = case.chart.laboratory.level(test)
        positive = _positive(result.qualitative, level)
        if positive is None:
            continue
        told = f"{test_name(case, test)} {result.as_written or result.qualitative}"
        if positive:
            return Said(Reply.YES, f"positive: {told}", (result.source,))
        known.append(told)
        evidence.append(result.source)
    if known:
        return Said(Reply.NO, f"negative: {'; '.join(known)}", tuple(evidence))
    return Said(Reply.NOT_KNOWN, "none of these antibodies is on record near the imaging")


def _positive(qualitative: str | None, level: Level | None) -> bool | None:
    if qualitative in ("positive", "negative"):
        return qualitative == "positive"
    return level.is_high() if level is not None else None


def kidney_failure(case: Case) -> Said:
    """Is kidney failure on record, by a condition (`concepts`) or an eGFR below 30?

    No with an eGFR of 60 or more and no such condition.
    """
    recorded = [item for name in case.parameters.get("concepts", ()) for item in case.chart.conditions.get(name, ())]
    if recorded:
        told = ", ".join(dict.fromkeys(item.text or item.concept for item in recorded))
        return Said(Reply.YES, f"on record: {told}", tuple(item.source for item in recorded))
    level = case.chart.laboratory.level(EGFR)
    if level is None:
        return Said(Reply.NOT_KNOWN, "no kidney disease on record, and no eGFR near the imaging")
    measures = case.chart.knowledge.measures
    told = f"eGFR {level.says}"
    if level.below(measures["egfr_severe"].value) is True:
        return Said(Reply.YES, told, level.evidence)
    if level.below(measures["egfr_reduced"].value) is False:
        return Said(Reply.NO, told, level.evidence)
    return Said(Reply.NOT_KNOWN, f"{told}: reduced, not failing", level.evidence)
