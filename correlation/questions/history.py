"""This file answers questions of history: conditions, medicines, age. Not on record means not known, never absent."""

from __future__ import annotations

from collections.abc import Sequence

from correlation.assessment import Reply
from correlation.chart import Asked, Case, Chart, Clause, Said
from correlation.timeline import ClinicalCondition, Medication, ResourceRef
from correlation.withheld import OF_CONDITIONS, concluded
from correlation.words import Words

NONE_ON_RECORD = Said(Reply.NOT_KNOWN, "history.none")


def condition_recorded(chart: Chart, asked: Asked) -> Said:
    """Is one of the conditions (`concepts`) on record? `active_only` leaves resolved ones out."""
    found = _conditions(chart, asked)
    if not found:
        return NONE_ON_RECORD
    return Said(Reply.YES, _told("history.recorded", found), _sources(found))


def condition_near_site(case: Case, asked: Asked) -> Said:
    """Is one of the conditions (`concepts`) on record at the site of the finding or beside it?"""
    found = _conditions(case.chart, asked)
    place = case.finding.site
    if not found or place is None:
        return Said(Reply.NOT_KNOWN, "history.none_at_site")
    near = [item for item in found if item.site and case.chart.near(item.site.region, place.region)]
    if near:
        return Said(Reply.YES, _told("history.at_site", near), _sources(near))
    if all(item.site is not None for item in found):
        elsewhere = Said(Reply.NO, _told("history.elsewhere", found), _sources(found))
        return concluded(case.chart, elsewhere, from_absence=Reply.NO, held_in=OF_CONDITIONS)
    return Said(Reply.NOT_KNOWN, "history.site_not_stated", _sources(found))


def _conditions(chart: Chart, asked: Asked) -> list[ClinicalCondition]:
    if not chart.conditions:
        return []
    wanted = asked.parameters.get("concepts", ())
    active = bool(asked.words("active_only"))
    found = [item for name in wanted for item in chart.conditions.get(name, ())]
    return [item for item in found if item.active or not active]


def medication_recorded(chart: Chart, asked: Asked) -> Said:
    """Is one of the medicines (`concepts`) on record?"""
    wanted = asked.words("concepts")
    found = [item for item in chart.timeline.medications if item.concept in wanted]
    if not found:
        return Said(Reply.NOT_KNOWN, "history.no_medicine")
    return Said(Reply.YES, _told("history.recorded", found), _sources(found))


def _told(sentence: str, found: Sequence[ClinicalCondition | Medication]) -> Clause:
    return lambda words: words.say(sentence, what=named(words, found))


def named(words: Words, found: Sequence[ClinicalCondition | Medication]) -> str:
    """Conditions or medicines as the record calls them, each once."""
    return ", ".join(dict.fromkeys(item.text or words.term(item.concept) for item in found))


def _sources(found: Sequence[ClinicalCondition | Medication]) -> tuple[ResourceRef, ...]:
    return tuple(item.source for item in found)


def age_below(chart: Chart, asked: Asked) -> Said:
    """Is the patient younger than `years`?"""
    ages = chart.timeline.age_years
    if ages is None:
        return Said(Reply.NOT_KNOWN, "history.age_not_known")
    limit = int(next(iter(asked.parameters.get("years", ("18",)))))
    if ages[1] < limit:
        return Said(Reply.YES, lambda words: words.say("history.age_below", age=_age(words, ages), limit=limit))
    if ages[0] >= limit:
        return Said(Reply.NO, lambda words: words.say("history.age_from", age=_age(words, ages), limit=limit))
    return Said(Reply.NOT_KNOWN, lambda words: words.say("history.age", age=_age(words, ages)))


def _age(words: Words, ages: tuple[int, int]) -> str:
    least, most = ages
    if least == most:
        return words.say("history.years", years=least)
    return words.say("history.years_between", least=least, most=most)


def age_from(chart: Chart, asked: Asked) -> Said:
    """Is the patient `years` old or older?"""
    return age_below(chart, asked).turned()
