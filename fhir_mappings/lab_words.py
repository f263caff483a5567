"""This file puts laboratory results into words: value, unit, range, and where the value stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from correlation.catalogue import Knowledge
from correlation.timeline import LabResult
from correlation.words import Words
from fhir_mappings.range_words import digits, limits_in_words

HIGH = "high"
LOW = "low"
IN_RANGE = "in range"
NO_RANGE = "no range"


def test_words(lab: LabResult, knowledge: Knowledge) -> str:
    """The name of the test."""
    known = knowledge.labs.get(lab.test)
    return known.name if known else lab.test.replace("_", " ")


def state_words(lab: LabResult, words: Words) -> str:
    """Where the value stands, in words."""
    state = lab_state(lab)
    spoken = f"state_{state.replace(' ', '_')}"
    return words.term(spoken) if spoken in words.terms else words.result(state)


def lab_state(lab: LabResult) -> str:
    """`high`, `low`, `in range`, `no range`, the qualitative result, or `not usable`.

    A censored value counts only where it is certain: "> 12" is high when 12 is not below the upper limit, "> 9" is not
    known to be in range.
    """
    if lab.unusable_because is not None:
        return "not usable"
    if lab.value is None:
        return lab.qualitative or NO_RANGE
    if lab.low is None and lab.high is None:
        return NO_RANGE
    if _is_high(lab, lab.value):
        return HIGH
    if _is_low(lab, lab.value):
        return LOW
    return IN_RANGE if _certainly_in_range(lab, lab.value) else NO_RANGE


def _is_high(lab: LabResult, value: Decimal) -> bool:
    if lab.high is None or lab.comparator in ("<", "<="):
        return False
    return value > lab.high or (lab.comparator == ">" and value == lab.high)


def _is_low(lab: LabResult, value: Decimal) -> bool:
    if lab.low is None or lab.comparator in (">", ">="):
        return False
    return value < lab.low or (lab.comparator == "<" and value == lab.low)


def _certainly_in_range(lab: LabResult, value: Decimal) -> bool:
    if lab.comparator in ("<", "<="):
        return lab.low is None and lab.high is not None and value <= lab.high
    if lab.comparator in (">", ">="):
        return lab.high is None and lab.low is not None and value >= lab.low
    return True


def plain_value(lab: LabResult) -> str:
    """The value in the analyte's own unit."""
    if lab.value is None:
        return lab.qualitative or lab.as_written
    return f"{lab.comparator or ''}{digits(lab.value)} {lab.unit}".strip()


def value_words(lab: LabResult) -> str:
    """The value as it was written, and in the analyte's own unit where that differs."""
    plain = plain_value(lab)
    if lab.value is None:
        return plain
    written = lab.as_written.strip()
    return plain if not written or _squeezed(written) == _squeezed(plain) else f"{written} (= {plain})"


def range_words(lab: LabResult, words: Words) -> str:
    """The reference range in the unit of the written value, and whether it is the record's or the adult default."""
    limits = lab.range_as_written
    if not limits:
        low, high = (None if limit is None else digits(limit) for limit in (lab.low, lab.high))
        limits = f"{limits_in_words(low, high, words)} {lab.unit}".strip()
    if lab.low is None and lab.high is None:
        return words.say("page.no_range")
    return words.say("page.default_range", range=limits) if lab.range_is_default else limits


def worth_showing(labs: Sequence[LabResult]) -> tuple[list[LabResult], int]:
    """Newest first: the newest of each test and every one not known to be in range; and how many others there are."""
    newest_first = sorted(labs, key=lambda lab: lab.collected.latest.toordinal() if lab.collected else 0, reverse=True)
    shown: list[LabResult] = []
    tests: set[str] = set()
    for lab in newest_first:
        if lab.test not in tests or lab_state(lab) != IN_RANGE:
            shown.append(lab)
        tests.add(lab.test)
    return shown, len(labs) - len(shown)


def _squeezed(words: str) -> str:
    return words.replace(" ", "").casefold()
