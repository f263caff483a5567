"""This file finds records that contradict themselves: one injection with two products, two dates or two sides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from correlation.chart import Chart, Clause
from correlation.dates import DateRange
from correlation.timeline import FillerInjection
from correlation.words import Words


def conflict_of(chart: Chart, injection: FillerInjection) -> Clause:
    """The contradiction that this injection is part of, in a clause; empty without."""
    if id(injection) not in chart.conflicts:
        chart.conflicts[id(injection)] = product_conflict(chart, injection) or date_conflict(chart, injection)
    return chart.conflicts[id(injection)]


def same_record(chart: Chart, injection: FillerInjection) -> tuple[FillerInjection, ...]:
    """The other facts that speak of the same procedure: read from it, or from a statement tied to it."""
    if not chart.shared:
        return ()
    together = (other for statement in _statements(injection) for other in chart.shared.get(statement, ()))
    return tuple(other for other in together if other is not injection)


def shared_records(counted: Sequence[FillerInjection]) -> dict[str, list[FillerInjection]]:
    """The resources, by reference, that speak of one procedure and that several facts were read from."""
    read_from: dict[str, list[FillerInjection]] = {}
    for injection in counted:
        for statement in _statements(injection):
            read_from.setdefault(statement, []).append(injection)
    return {statement: facts for statement, facts in read_from.items() if len(facts) > 1}


def _statements(injection: FillerInjection) -> list[str]:
    """The resources that speak of this one procedure. A Device may stand for a product used on many days."""
    return [ref.reference for ref in (injection.source, *injection.also_from) if ref.type != "Device"]


def product_conflict(chart: Chart, injection: FillerInjection) -> Clause:
    """Two products named for one procedure at one place."""
    for other in same_record(chart, injection):
        overlap = {site.region for site in injection.sites} & {site.region for site in other.sites}
        alike = overlap or not (injection.sites and other.sites)
        if other.material != injection.material and alike:
            return partial(_two_products, one=injection, other=other)
    return ""


def date_conflict(chart: Chart, injection: FillerInjection) -> Clause:
    """Two dates for one procedure that cannot both be true, or a date in the future."""
    when = injection.performed
    if when is None:
        return ""
    if when.earliest > chart.as_of:
        return lambda words: words.say("conflict.future", day=words.day(when))
    for other in same_record(chart, injection):
        if other.performed is not None and other.performed.before(when) is not None:
            return partial(_two_dates, one=when, other=other.performed)
    return ""


def _two_products(words: Words, *, one: FillerInjection, other: FillerInjection) -> str:
    products = (item.product or words.material(item.material) for item in (one, other))
    return words.say("conflict.products", products=", ".join(products))


def _two_dates(words: Words, *, one: DateRange, other: DateRange) -> str:
    return words.say("conflict.dates", one=words.day(one), other=words.day(other))
