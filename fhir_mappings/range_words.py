"""This file says a reference range in the unit in which the value was written, so that a reader can compare the two."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from correlation.catalogue import Analyte
from correlation.units import factor_of
from correlation.words import Words
from fhir_mappings.quantities import Amount, known_unit

_DIGITS: Final = 4


def range_in_words(
    low: Decimal | None, high: Decimal | None, *, amount: Amount | None, unit: str, analyte: Analyte, words: Words
) -> str:
    """The limits, which stand in the test's own unit, in the value's `unit`; blank without limits.

    A value whose unit is not known (`unit` is blank) has its range in the test's own unit.
    """
    known = known_unit(unit, analyte=analyte)
    factor = None if known is None else factor_of(known, analyte=analyte)
    label = analyte.unit if factor is None else _label(amount, unit=unit, factor=factor, analyte=analyte)
    before = "1:" if amount is not None and amount.titre else ""
    one, other = (None if limit is None else before + digits(limit / (factor or 1)) for limit in (low, high))
    limits = limits_in_words(one, other, words)
    is_unit = label not in ("", "1") and not label.startswith("{")
    return f"{limits} {label}" if limits and is_unit else limits


def limits_in_words(low: str | None, high: str | None, words: Words) -> str:
    """Two limits, or one, or none."""
    if low is not None and high is not None:
        return words.say("range.between", low=low, high=high)
    if high is not None:
        return words.say("range.up_to", high=high)
    return "" if low is None else words.say("range.from", low=low)


def digits(value: Decimal) -> str:
    """The digits as reported; a longer number, which comes from a conversion, has four of them at most.

    >>> digits(Decimal("2.145700"))
    '2.146'
    """
    if len(value.as_tuple().digits) <= _DIGITS or value == value.to_integral_value():
        return f"{value:f}"
    return f"{round(value, max(0, _DIGITS - 1 - value.adjusted())):f}"


def _label(amount: Amount | None, *, unit: str, factor: Decimal, analyte: Analyte) -> str:
    """The unit as it is printed behind the value, where that is the one the value was read in."""
    printed = known_unit(amount.printed_unit, analyte=analyte) if amount is not None and amount.printed_unit else None
    same = printed is not None and factor_of(printed, analyte=analyte) == factor
    return amount.printed_unit if amount is not None and same else unit
