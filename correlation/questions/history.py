"""This file answers questions of history: conditions, medicines, age. Not on record means not known, never absent."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import Case, Said
from correlation.timeline import ClinicalCondition

NONE_ON_RECORD = Said(Reply.NOT_KNOWN, "none on record; absence of a record is not absence of the disease")


def condition_recorded(case: Case) -> Said:
    """Is one of the conditions (`concepts`) on record? `active_only` leaves resolved ones out."""
    found = _conditions(case)
    if not found:
        return NONE_ON_RECORD
    told = ", ".join(dict.fromkeys(item.text or item.concept.replace("_", " ") for item in found))
    return Said(Reply.YES, f"on record: {told}", tuple(item.source for item in found))


def condition_near_site(case: Case) -> Said:
    """Is one of the conditions (`concepts`) on record at the site of the finding or beside it?"""
    found = _conditions(case)
    place = case.finding.site if case.finding else None
    if not found or place is None:
        return Said(Reply.NOT_KNOWN, "none on record at this site")
    near = [item for item in found if item.site and near_regions(case, item.site.region, place.region)]
    if near:
        told = ", ".join(dict.fromkeys(item.text or item.concept for item in near))
        return Said(Reply.YES, f"on record at this site: {told}", tuple(item.source for item in near))
    if all(item.site is not None for item in found):
        told = ", ".join(dict.fromkeys(item.text or item.concept for item in found))
        return Said(Reply.NO, f"on record elsewhere: {told}", tuple(item.source for item in found))
    return Said(Reply.NOT_KNOWN, "on record, its site is not stated", tuple(item.source for item in found))


def near_regions(case: Case, one: str, other: str) -> bool:
    """Whether two regions are the same, lie in each other or are neighbours."""
    regions = case.chart.knowledge.regions
    if one not in regions or other not in regions:
        return one == other
    if one == other or one in regions[other].broader or other in regions[one].broader:
        return True
    steps = case.chart.steps(one, other)
    return steps is not None and steps <= 1


def _conditions(case: Case) -> list[ClinicalCondition]:
    if not case.chart.conditions:
        return []
    wanted = case.parameters.get("concepts", ())
    active = bool(case.words("active_only"))
    found = [item for name in wanted for item in case.chart.conditions.get(name, ())]
    return [item for item in found if item.active or not active]


def medication_recorded(case: Case) -> Said:
    """Is one of the medicines (`concepts`) on record?"""
    wanted = case.words("concepts")
    found = [item for item in case.chart.timeline.medications if item.concept in wanted]
    if not found:
        return Said(Reply.NOT_KNOWN, "none on record")
    told = ", ".join(dict.fromkeys(item.text or item.concept for item in found))
    return Said(Reply.YES, f"on record: {told}", tuple(item.source for item in found))


def age_below(case: Case) -> Said:
    """Is the patient younger than `years`?"""
    ages = case.chart.timeline.age_years
    if ages is None:
        return Said(Reply.NOT_KNOWN, "the age is not known")
    limit = int(next(iter(case.parameters.get("years", ("18",)))))
    told = f"{ages[0]} years" if ages[0] == ages[1] else f"{ages[0]} to {ages[1]} years"
    if ages[1] < limit:
        return Said(Reply.YES, f"age {told}, below {limit}")
    if ages[0] >= limit:
        return Said(Reply.NO, f"age {told}, {limit} or above")
    return Said(Reply.NOT_KNOWN, f"age {told}")


def age_from(case: Case) -> Said:
    """Is the patient `years` old or older?"""
    return age_below(case).turned()
