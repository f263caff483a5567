"""This file finds records that contradict themselves: one injection with two products, two dates or two sides."""

from __future__ import annotations

from correlation.chart import Chart
from correlation.timeline import FillerInjection, ResourceRef


def conflict_of(chart: Chart, injection: FillerInjection) -> str:
    """The contradiction that this injection is part of, in a clause; empty without."""
    if id(injection) not in chart.conflicts:
        chart.conflicts[id(injection)] = product_conflict(chart, injection) or date_conflict(chart, injection)
    return chart.conflicts[id(injection)]


def same_record(chart: Chart, injection: FillerInjection) -> tuple[FillerInjection, ...]:
    """The other facts that speak of the same procedure: read from it, or from a statement tied to it."""
    if len(chart.counted) < 2:
        return ()
    if not chart.statements:
        for other in chart.counted:
            for ref in _statements(other):
                chart.statements.setdefault(ref, []).append(other)
    together = (other for ref in _statements(injection) for other in chart.statements.get(ref, ()))
    return tuple(other for other in together if other is not injection)


def _statements(injection: FillerInjection) -> tuple[ResourceRef, ...]:
    """The resources that speak of this one procedure. A Device may stand for a product used on many days."""
    return tuple(ref for ref in (injection.source, *injection.also_from) if ref.type != "Device")


def product_conflict(chart: Chart, injection: FillerInjection) -> str:
    """Two products named for one procedure at one place."""
    for other in same_record(chart, injection):
        overlap = {site.region for site in injection.sites} & {site.region for site in other.sites}
        alike = overlap or not (injection.sites and other.sites)
        if other.material != injection.material and alike:
            names = f"{injection.product or injection.material}, {other.product or other.material}"
            return f"its record names two products ({names})"
    return ""


def date_conflict(chart: Chart, injection: FillerInjection) -> str:
    """Two dates for one procedure that cannot both be true, or a date in the future."""
    when = injection.performed
    if when is None:
        return ""
    if when.earliest > chart.as_of:
        return f"its date ({when}) lies in the future"
    for other in same_record(chart, injection):
        if other.performed is not None and other.performed.before(when) is not None:
            return f"its record gives two dates ({when}, {other.performed})"
    return ""
