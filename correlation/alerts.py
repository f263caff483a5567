"""This file raises what has to be acted on whatever the ranking says (contract, 4; clinical summary, 8).

Words, numbers and sources stand in `knowledge/alerts.toml`; here is one small condition per code. Laboratory alerts
use the newest valid value with its date; older than 90 days it says so. They need neither a finding nor a filler nor
imaging: a dangerous calcium is dangerous without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from correlation.assessment import Alert, FindingCourse, Reply
from correlation.biochemistry import CALCIUM_IONISED, CALCIUM_TO_JUDGE, EGFR, Level
from correlation.chart import Chart, Clause, written
from correlation.conflicts import date_conflict, product_conflict
from correlation.injections import UNKNOWN_MATERIAL, fits_of, joint_fit
from correlation.look import Look
from correlation.timeline import ClinicalCondition, FillerInjection, FindingKind, Medication, ResourceRef

KIDNEY_FAILURE = ("esrd", "dialysis")
CALCIPHYLAXIS_FORMS = frozenset({"reticular"})
SKIN_NECROSIS = ("painful_necrosis",)
OCCLUSION = ("vascular_occlusion", "acute_stroke", "painful_necrosis")
TUMOURS = ("malignancy",)
INFECTIONS = ("skin_infection",)
FOP = ("fop",)
HYPERCALCAEMIA_SYMPTOMS = ("hypercalcaemia_symptoms",)


class Raised(NamedTuple):
    """What this patient's record adds to the words of the alert, and the facts."""

    detail: str
    evidence: tuple[ResourceRef, ...]


def raise_alerts(chart: Chart) -> tuple[Alert, ...]:
    """The alerts that hold, in the order of `alerts.toml`."""
    found = []
    for code, rule in chart.knowledge.alerts.items():
        raised = CONDITIONS[code](chart)
        if raised is not None:
            says = f"{rule.says} {raised.detail}".strip()
            evidence = tuple(dict.fromkeys(raised.evidence))
            found.append(Alert(code=code, says=says, evidence=evidence, sources=rule.sources))
    return tuple(found)


def _recorded(chart: Chart, concepts: Iterable[str]) -> list[ClinicalCondition]:
    return [item for concept in concepts for item in chart.conditions.get(concept, ()) if item.active]


def _sources(items: Iterable[ClinicalCondition | Medication]) -> tuple[ResourceRef, ...]:
    return tuple(item.source for item in items)


def _said(chart: Chart, items: Iterable[ClinicalCondition]) -> str:
    told = ", ".join(dict.fromkeys(item.text or chart.words.term(item.concept) for item in items))
    return chart.words.say("alert.recorded", what=told)


def vascular_occlusion_emergency(chart: Chart) -> Raised | None:
    """Blanching, livedo, skin necrosis, loss of vision or stroke that began within two weeks after an injection.

    A vascular occlusion itself counts without an onset, too: nobody may wait for a date here. A stroke or a necrosis
    without one does not, since both have many other causes.
    """
    days = int(chart.knowledge.measures["emergency_days"].value)
    for condition in _recorded(chart, OCCLUSION):
        if condition.onset is None:
            if condition.concept == "vascular_occlusion" and chart.counted:
                detail = f"{_said(chart, [condition])} {chart.words.say('alert.onset_not_known')}"
                return Raised(detail, (condition.source, *(injection.source for injection in chart.counted)))
            continue
        for injection in chart.counted:
            if injection.performed is None:
                continue
            least, most = injection.performed.days_until(condition.onset)
            if most >= 0 and least <= days:
                return Raised(_said(chart, [condition]), (condition.source, injection.source))
    return None


def _age(chart: Chart, level: Level) -> str:
    window = timedelta(days=int(chart.knowledge.measures["lab_window"].value))
    old = level.collected is not None and chart.as_of - level.collected > window
    return f" {chart.words.say('alert.old_value')}" if old else ""


def _calcium(chart: Chart, level: Level) -> str:
    return chart.words.say("alert.calcium", value=level.says(chart.words)) + _age(chart, level)


def _high_calcium(chart: Chart) -> Level | None:
    level = chart.newest.level(CALCIUM_TO_JUDGE)
    return level if level is not None and level.is_high() is True else None


def hypercalcaemia(chart: Chart) -> Raised | None:
    """The newest calcium (ionised, or corrected, or total) is above its range."""
    level = _high_calcium(chart)
    return None if level is None else Raised(_calcium(chart, level), level.evidence)


def hypercalcaemia_urgent(chart: Chart) -> Raised | None:
    """Calcium of 12 mg/dL or more, ionised of 1.5 mmol/L or more, or any rise with symptoms on record."""
    level = chart.newest.level(CALCIUM_TO_JUDGE)
    if level is None:
        return None
    name = "calcium_ionised_urgent" if level.test == CALCIUM_IONISED else "calcium_urgent"
    limit = chart.knowledge.measures[name].value
    urgent = level.below(limit) is False
    symptoms = _recorded(chart, HYPERCALCAEMIA_SYMPTOMS) if level.is_high() is True else []
    if not urgent and not symptoms:
        return None
    return Raised(_calcium(chart, level), (*level.evidence, *_sources(symptoms)))


def calciphylaxis_urgent(chart: Chart) -> Raised | None:
    """Calciphylaxis on record; kidney failure with skin necrosis or net-like calcification; or those two together."""
    known = _recorded(chart, ("calciphylaxis",))
    if known:
        return Raised(_said(chart, known), _sources(known))
    kidney = _recorded(chart, KIDNEY_FAILURE)
    level = chart.newest.level(EGFR)
    failing = level is not None and level.below(chart.knowledge.measures["egfr_severe"].value) is True
    necrosis = _recorded(chart, SKIN_NECROSIS)
    nets = [look for look in chart.looks.values() if not look.morphology.isdisjoint(CALCIPHYLAXIS_FORMS)]
    if not (necrosis and nets) and not ((kidney or failing) and (necrosis or nets)):
        return None
    warfarin = [item for item in chart.timeline.medications if item.concept == "warfarin"]
    evidence = (*_sources(kidney), *(level.evidence if failing and level else ()), *_sources(necrosis))
    told = [_said(chart, [*kidney, *necrosis])] if kidney or necrosis else []
    if not told and level is not None:
        told = [chart.words.say("alert.egfr", value=level.says(chart.words))]
    told += [chart.words.say("alert.net")] if nets else []
    told += [chart.words.say("alert.warfarin")] if warfarin else []
    return Raised(" ".join(told), (*evidence, *(ref for look in nets for ref in look.sources), *_sources(warfarin)))


def malignancy_history_at_site(chart: Chart) -> Raised | None:
    """A tumour on record, past or present, at the site of a finding or beside it."""
    for concept in TUMOURS:
        for condition in chart.conditions.get(concept, ()):
            for finding in chart.findings:
                if condition.site and finding.site and chart.near(condition.site.region, finding.site.region):
                    what = condition.text or chart.words.term(concept)
                    told = chart.words.say("alert.recorded_at", what=what, site=chart.words.site(finding.site))
                    return Raised(told, (condition.source, *chart.looks[finding.key].sources))
    return None


def infection_suspected(chart: Chart) -> Raised | None:
    """Abscess, or a collection with inflammation, described at a finding; or an infection on record at its site."""
    for look in chart.looks.values():
        signs = look.signs & {"abscess", "collection", "inflammation"}
        if "abscess" in signs or len(signs) > 1:
            return Raised(chart.words.say("alert.described", signs=chart.words.listed(signs)), look.sources)
    for condition in _recorded(chart, INFECTIONS):
        for look in chart.looks.values():
            if condition.site and look.region and chart.near(condition.site.region, look.region):
                return Raised(_said(chart, [condition]), (condition.source, *look.sources))
    return None


def fop_avoid_biopsy(chart: Chart) -> Raised | None:
    """FOP on record, or ossification in muscle in a child."""
    known = _recorded(chart, FOP)
    if known:
        return Raised(_said(chart, known), _sources(known))
    if not _may_be_child(chart):
        return None
    for look in chart.looks.values():
        if look.kind is FindingKind.OSSIFICATION or (look.calcified and "muscle" in look.tissues):
            return Raised(chart.words.say("alert.ossification"), look.sources)
    return None


def _may_be_child(chart: Chart) -> bool:
    ages = chart.timeline.age_years
    return ages is not None and ages[0] < int(chart.knowledge.measures["adult_age"].value)


def child_not_filler_first(chart: Chart) -> Raised | None:
    """A finding in a patient who is, or may be, under 18."""
    return Raised("", _looks(chart.looks.values())) if chart.findings and _may_be_child(chart) else None


def _looks(looks: Iterable[Look]) -> tuple[ResourceRef, ...]:
    return tuple(ref for look in looks for ref in look.sources)


def laterality_conflict(chart: Chart) -> Raised | None:
    """The side on record and the side described disagree, at a place and time that would fit."""
    for finding in chart.findings:
        joint = _nearest_filler(chart, finding)
        if joint is not None:
            injections, told = joint
            return Raised(told, (*injections, *chart.looks[finding.key].sources))
    return None


def _nearest_filler(chart: Chart, finding: FindingCourse) -> tuple[tuple[ResourceRef, ...], str] | None:
    if all(fit.side is not Reply.NO for fit in fits_of(chart, finding)):
        return None
    for materials in dict.fromkeys((item.material,) for item in chart.counted):
        joint = joint_fit(chart, finding, materials=materials)
        if joint.fits and joint.side is Reply.NO and Reply.NO not in (joint.before, joint.reach, joint.appears):
            told = "; ".join(chart.words.injection(item) for item in joint.injections)
            site = chart.words.site(finding.site)
            return joint.sources, chart.words.say("alert.injected_described", injections=told, site=site)
    return None


def date_conflict_alert(chart: Chart) -> Raised | None:
    """Dates that contradict each other, or that straddle where place and material would fit."""
    for injection in chart.counted:
        told = date_conflict(chart, injection)
        if told:
            return Raised(_contradiction(chart, injection, told), (injection.source,))
    for finding in chart.findings:
        for fit in fits_of(chart, finding):
            dated = fit.injection.performed is not None and finding.first_seen is not None
            if dated and fit.before is Reply.NOT_KNOWN and Reply.NO not in (fit.reach, fit.appears):
                words = chart.words
                injected, seen = words.injection(fit.injection), words.day(finding.first_seen)
                told = words.say("alert.order_not_known", injection=injected, seen=seen)
                return Raised(told, (fit.injection.source, *chart.looks[finding.key].sources))
    return None


def _contradiction(chart: Chart, injection: FillerInjection, told: Clause) -> str:
    words = chart.words
    return words.say("alert.contradiction", injection=words.injection(injection), conflict=written(told, words))


def product_conflict_alert(chart: Chart) -> Raised | None:
    """Two products for one procedure."""
    for injection in chart.counted:
        told = product_conflict(chart, injection)
        if told:
            return Raised(_contradiction(chart, injection, told), (injection.source,))
    return None


def unknown_material(chart: Chart) -> Raised | None:
    """A filler on record whose product is not known."""
    unknown = [item for item in chart.counted if item.material == UNKNOWN_MATERIAL]
    if not unknown:
        return None
    told = "; ".join(chart.words.injection(item) for item in unknown)
    return Raised(chart.words.say("alert.recorded", what=told), tuple(item.source for item in unknown))


CONDITIONS: Mapping[str, Callable[[Chart], Raised | None]] = {
    "vascular_occlusion_emergency": vascular_occlusion_emergency,
    "hypercalcaemia": hypercalcaemia,
    "hypercalcaemia_urgent": hypercalcaemia_urgent,
    "calciphylaxis_urgent": calciphylaxis_urgent,
    "malignancy_history_at_site": malignancy_history_at_site,
    "infection_suspected": infection_suspected,
    "fop_avoid_biopsy": fop_avoid_biopsy,
    "child_not_filler_first": child_not_filler_first,
    "laterality_conflict": laterality_conflict,
    "date_conflict": date_conflict_alert,
    "product_conflict": product_conflict_alert,
    "unknown_material": unknown_material,
}
