"""This file decides which injections count, and how those on record fit one finding in time, place, side and material.

An injection counts unless the record itself forbids it (not done, entered in error). An unknown date or place is not
known, never ignored. The last valid injection in reach resets the clock (clinical summary, section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from correlation.appearance import can_appear
from correlation.assessment import FindingCourse, Reply, UnusedFact
from correlation.chart import Chart, Clause, Fit, JointFit, Reach
from correlation.dates import DateRange
from correlation.timeline import BodySite, FillerInjection, Side
from correlation.words import LATERAL, Words

SCORE = {Reply.YES: 1, Reply.NOT_KNOWN: 0, Reply.NO: -10}
UNKNOWN_MATERIAL = "unknown"
BROAD_PARTS = 7  # a word for as many regions ("face", "trunk") names no place; "cheek" or "hand" does
NOWHERE: Reach = (Reply.NOT_KNOWN, None, False)
NO_FIT = JointFit(
    fits=(),
    injections=(),
    sources=(),
    before=Reply.NOT_KNOWN,
    reach=Reply.NOT_KNOWN,
    side=Reply.NOT_KNOWN,
    appears=Reply.NOT_KNOWN,
    broad=False,
    partly_covered=False,
)


def counted_injections(injections: Iterable[FillerInjection]) -> tuple[FillerInjection, ...]:
    """The injections that may count, in the order of the timeline: oldest first, undated ones last."""
    return tuple(item for item in injections if item.ignored_because is None)


def ignored_injections(injections: Iterable[FillerInjection], words: Words) -> tuple[UnusedFact, ...]:
    """The injections the record itself forbids counting, with the reason."""
    return tuple(
        UnusedFact(source=item.source, what=words.injection(item), why=item.ignored_because)
        for item in injections
        if item.ignored_because is not None
    )


def fits_of(chart: Chart, finding: FindingCourse) -> tuple[Fit, ...]:
    """How each injection that counts fits one finding; worked out once per finding."""
    if finding.key not in chart.fits:
        newest = _newest_study(finding)
        chart.fits[finding.key] = tuple(_fit(chart, finding, item, newest=newest) for item in chart.counted)
    return chart.fits[finding.key]


def joint_fit(chart: Chart, finding: FindingCourse, *, materials: Sequence[str]) -> JointFit:
    """The injections of these materials that fit best, taken together."""
    key = (finding.key, tuple(materials))
    if key not in chart.joints:
        chart.joints[key] = _join(chart, finding, materials)
    return chart.joints[key]


def _join(chart: Chart, finding: FindingCourse, materials: Sequence[str]) -> JointFit:
    if chart.materials.isdisjoint(materials):
        return NO_FIT
    fits = [(_score(fit), fit) for fit in fits_of(chart, finding) if fit.injection.material in materials]
    best = max(score for score, _ in fits)
    kept = tuple(fit for score, fit in fits if score == best)
    first = kept[0]
    alike = tuple(
        fit for fit in kept if (fit.before, fit.reach, fit.appears) == (first.before, first.reach, first.appears)
    )
    side, partly = _joint_side(finding, alike)
    return JointFit(
        fits=alike,
        injections=tuple(fit.injection for fit in alike),
        sources=tuple(fit.injection.source for fit in alike),
        before=first.before,
        reach=first.reach,
        side=side,
        appears=first.appears,
        broad=all(fit.broad for fit in alike),
        partly_covered=partly,
    )


def _score(fit: Fit) -> int:
    return SCORE[fit.before] + SCORE[fit.reach] + SCORE[fit.appears]


def _fit(chart: Chart, finding: FindingCourse, injection: FillerInjection, *, newest: DateRange | None) -> Fit:
    reached = _reached(chart, finding, injection)
    reach, steps, broad = max((reach for _, reach in reached), key=_nearness, default=NOWHERE)
    months = injection.performed.months_until(newest) if injection.performed and newest else None
    material = chart.knowledge.materials.get(injection.material)
    look = chart.looks[finding.key]
    sides = _sides(chart, reached)
    because: Clause
    if material is None or injection.material == UNKNOWN_MATERIAL:
        appears, because = Reply.NOT_KNOWN, "appears.product_not_known"
    else:
        appears, because = can_appear(material, look, months=months)
    return Fit(
        injection=injection,
        before=_before(injection, finding),
        reach=reach,
        steps=steps,
        broad=broad,
        sides=sides,
        side=_side(finding, sides),
        appears=appears,
        appears_because=because,
        months=months,
    )


def _newest_study(finding: FindingCourse) -> DateRange | None:
    return max((item.seen for item in finding.seen if item.seen), key=lambda when: when.latest, default=None)


def _before(injection: FillerInjection, finding: FindingCourse) -> Reply:
    if injection.performed is None or finding.first_seen is None:
        return Reply.NOT_KNOWN
    before = injection.performed.before(finding.first_seen)
    if before is None:
        return Reply.NOT_KNOWN
    return Reply.YES if before else Reply.NO


def _reached(chart: Chart, finding: FindingCourse, injection: FillerInjection) -> list[tuple[BodySite, Reach]]:
    """Whether the finding lies within reach of each site that was injected; empty where a place is not known."""
    if finding.site is None:
        return []
    found, material = finding.site.region, injection.material
    return [(site, site_reach(chart, material, site.region, found)) for site in injection.sites]


def _nearness(reach: Reach) -> tuple[int, bool, int]:
    reply, steps, broad = reach
    return SCORE[reply], not broad, -(9 if steps is None else steps)


def site_reach(chart: Chart, material_id: str, injected: str, found: str) -> Reach:
    """Whether a finding in one region can come from an injection into another; steps; whether the area is broad.

    Same or adjacent region: yes. One step further: not known. Farther: no (CaHA does not migrate); materials known
    to migrate get one more step, and silicone its lymph nodes (clinical summary, section 2.2).
    """
    key = (material_id, injected, found)
    if key not in chart.reaches:
        chart.reaches[key] = _site_reach(chart, material_id, injected, found)
    return chart.reaches[key]


def _site_reach(chart: Chart, material_id: str, injected: str, found: str) -> Reach:
    regions = chart.knowledge.regions
    if injected not in regions or found not in regions:
        return Reply.NOT_KNOWN, None, False
    material = chart.knowledge.materials.get(material_id)
    extra = int(chart.knowledge.measures["extra_steps"].value) if material is not None and material.extra_step else 0
    limit = int(chart.knowledge.measures["reach_steps"].value) + extra
    if not regions[found].filler_site:
        nodes_of_silicone = extra and found == "lymph_node"
        return (Reply.NOT_KNOWN if nodes_of_silicone else Reply.NO), None, False  # which nodes is not said
    if found == injected or found in regions[injected].broader or injected in regions[found].broader:
        return Reply.YES, 0, max(chart.parts.get(found, 0), chart.parts.get(injected, 0)) >= BROAD_PARTS
    steps = chart.steps(injected, found)
    if steps is not None and steps <= limit:
        return Reply.YES, steps, False
    if steps is not None and steps == limit + 1:
        return Reply.NOT_KNOWN, steps, False
    return Reply.NO, steps, False


def _sides(chart: Chart, reached: Sequence[tuple[BodySite, Reach]]) -> frozenset[Side]:
    """The sides injected within reach of the finding; empty where any of these sites has none stated."""
    near = [site for site, reach in reached if reach[0] is not Reply.NO]
    exact = [site for site in near if site.region not in chart.parts] or near
    if any(not site.sides or Side.MIDLINE in site.sides for site in exact):
        return frozenset()
    return frozenset().union(*(site.sides for site in exact))


def _side(finding: FindingCourse, injected: frozenset[Side]) -> Reply:
    described = finding.site.sides & LATERAL if finding.site else frozenset()
    if not described or not injected or (finding.site and Side.MIDLINE in finding.site.sides):
        return Reply.NOT_KNOWN
    return Reply.YES if described <= injected else Reply.NO


def mirrors(finding: FindingCourse, fits: Sequence[Fit]) -> bool:
    """Whether the sides described are the very sides that were injected, neither more nor fewer."""
    described = finding.site.sides & LATERAL if finding.site else frozenset()
    if not described or not fits or not all(fit.sides for fit in fits):
        return False
    return described == frozenset().union(*(fit.sides for fit in fits))


def _joint_side(finding: FindingCourse, fits: tuple[Fit, ...]) -> tuple[Reply, bool]:
    each = [fit.sides for fit in fits]
    if not all(each):
        known = frozenset().union(*each)
        covered = _side(finding, known) is Reply.YES
        return (Reply.YES if covered else Reply.NOT_KNOWN), False
    together = frozenset().union(*each)
    reply = _side(finding, together)
    described = finding.site.sides & LATERAL if finding.site else frozenset()
    return reply, reply is Reply.NO and bool(described & together)
