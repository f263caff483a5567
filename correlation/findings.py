"""This file groups what radiologists wrote into findings: the same site and kind over several studies is one finding.

A coded Observation and the report's words about one exam merge; a `deposit` on MRI or ultrasound at the region of a
calcification is that calcification. Layers of tissue that a filler is not put in (skin, vessel, duct, node, muscle,
joint) stay findings of their own, so that an arterial calcification never hides behind a filler of the same region.
Negated findings never become findings; "known" ones count as course.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from correlation.assessment import FindingCourse
from correlation.catalogue import Knowledge
from correlation.dates import DateRange
from correlation.timeline import (
    TARGET_KINDS,
    BodySite,
    Certainty,
    FindingKind,
    ImagingFinding,
    PatientTimeline,
    Side,
)
from correlation.words import Words

# Kinds that may name one and the same thing on different studies; the others stand alone.
DEPOSIT_FAMILY = frozenset(
    {
        FindingKind.CALCIFICATION,
        FindingKind.DEPOSIT,
        FindingKind.UPTAKE,
        FindingKind.CALCULUS,
        FindingKind.OSSIFICATION,
    }
)
# The kind a merged finding is called by: the most telling first.
TELLING = (FindingKind.CALCULUS, FindingKind.OSSIFICATION, FindingKind.CALCIFICATION, FindingKind.DEPOSIT)
OWN_LAYERS: Mapping[str, str] = {
    "dermis": "dermis",
    "vessel": "vessel",
    "duct": "duct",
    "gland": "duct",
    "node": "node",
    "muscle": "muscle",
    "tendon": "tendon",
    "periarticular": "periarticular",
    "bone": "bone",
    "sinus": "sinus",
    "organ": "organ",
}

Place = tuple[str, str | None, str]  # family, region, layer
Groups = dict[Place, list[ImagingFinding]]


def find_courses(timeline: PatientTimeline, *, knowledge: Knowledge, wide: Container[str]) -> tuple[FindingCourse, ...]:
    """The patient's findings that ask for an explanation, in a fixed order, whatever the order of the facts.

    `wide` names the regions that have parts, such as "face".
    """
    mentions = [item for item in timeline.findings if _counts(item)]
    groups: Groups = {}
    sited = [item for item in mentions if item.site and item.site.region not in wide]
    _place(groups, (item for item in sited if item.tissue or item.kind is FindingKind.CALCULUS))
    _place(groups, (item for item in sited if not item.tissue and item.kind is not FindingKind.CALCULUS))
    _spread(groups, [item for item in mentions if item.site and item.site.region in wide], knowledge=knowledge)
    _spread(groups, [item for item in mentions if item.site is None], knowledge=knowledge)
    order = {id(item): place for place, item in enumerate(timeline.findings)}
    found = [
        _course(place, sorted(seen, key=lambda item: order[id(item)]), knowledge.words)
        for place, seen in groups.items()
    ]
    return tuple(sorted(found, key=lambda item: item.key))


def _counts(finding: ImagingFinding) -> bool:
    return finding.kind in TARGET_KINDS and finding.certainty is not Certainty.NEGATED


def _family(kind: FindingKind) -> str:
    return "deposit" if kind in DEPOSIT_FAMILY else kind.value


def _layer(finding: ImagingFinding) -> str:
    if finding.tissue is None and finding.kind is FindingKind.CALCULUS:
        return "duct"
    return OWN_LAYERS.get(finding.tissue or "", "")


def _place(groups: Groups, mentions: Iterable[ImagingFinding]) -> None:
    """Put each mention with a site into its group; one without tissue joins the only layer of its region.

    Which layer it joins is looked up before any of them is placed, so that their order does not matter.
    """
    placed: list[tuple[Place, ImagingFinding]] = []
    for item in mentions:
        family, region, layer = _family(item.kind), item.site.region if item.site else None, _layer(item)
        if item.tissue is None and not layer:
            layers = {place[2] for place in groups if place[:2] == (family, region)}
            layer = next(iter(layers)) if len(layers) == 1 else ""
        placed.append(((family, region, layer), item))
    for place, item in placed:
        groups.setdefault(place, []).append(item)


def _spread(groups: Groups, mentions: list[ImagingFinding], *, knowledge: Knowledge) -> None:
    """Add mentions of a whole area, or without site, to the findings they speak of; alone they are a finding."""
    targets = [(item, _spoken_of(item, groups=groups, knowledge=knowledge)) for item in mentions]
    for item, places in targets:
        alone: Place = (_family(item.kind), item.site.region if item.site else None, _layer(item))
        for place in places or (alone,):
            groups.setdefault(place, []).append(item)


def _spoken_of(item: ImagingFinding, *, groups: Groups, knowledge: Knowledge) -> tuple[Place, ...]:
    layer = _layer(item)
    family = _family(item.kind)
    found = [place for place in groups if place[0] == family and (not layer or place[2] == layer)]
    if item.tissue and not layer:
        found = [place for place in found if not place[2]]
    if item.site is not None:
        wide = item.site.region
        found = [place for place in found if place[1] is not None and _lies_in(place[1], wide, knowledge=knowledge)]
    return tuple(found)


def _lies_in(region: str, wide: str, *, knowledge: Knowledge) -> bool:
    return region == wide or (region in knowledge.regions and wide in knowledge.regions[region].broader)


def _course(place: Place, seen: list[ImagingFinding], words: Words) -> FindingCourse:
    family, region, layer = place
    ordered = tuple(seen)
    key = ":".join(part for part in (family, region or "unsited", layer) if part)
    return FindingCourse(
        key=key,
        kind=_kind(ordered).value,
        site=_site(region, ordered),
        seen=ordered,
        first_seen=_first_seen(ordered),
        course=_story(ordered, words),
    )


def _kind(seen: tuple[ImagingFinding, ...]) -> FindingKind:
    kinds = {item.kind for item in seen}
    return next((kind for kind in TELLING if kind in kinds), seen[0].kind)


def _site(region: str | None, seen: tuple[ImagingFinding, ...]) -> BodySite | None:
    if region is None:
        return None
    at_region = [item.site for item in seen if item.site and item.site.region == region]
    sides: frozenset[Side] = frozenset().union(*(site.sides for site in at_region))
    if not sides:
        sides = frozenset().union(*(item.site.sides for item in seen if item.site))
    return BodySite(region=region, sides=sides, stated_as=next((site.stated_as for site in at_region), ""))


def _first_seen(seen: tuple[ImagingFinding, ...]) -> DateRange | None:
    """When it was first seen. A year that a report only compares with counts where it lies before all studies."""
    own = [item.seen for item in seen if item.seen and not _only_told(item)]
    told = [item.seen for item in seen if item.seen and _only_told(item)]
    dated = own + [year for year in told if all(year.before(when) for when in own)]
    if not dated:
        return None
    return DateRange(earliest=min(item.earliest for item in dated), latest=min(item.latest for item in dated))


def _only_told(item: ImagingFinding) -> bool:
    """Known from a later report's words, such as "unchanged since 2015"."""
    return item.exam is None and item.certainty is Certainty.HISTORY


def _story(seen: tuple[ImagingFinding, ...], words: Words) -> str:
    dates = list(dict.fromkeys(words.day(item.seen) for item in seen if item.seen))
    if not dates:
        return words.say("course.no_date")
    changes = dict.fromkeys(
        words.say("course.changed", change=words.term(item.change), day=words.day(item.seen))
        for item in seen
        if item.change
    )
    told = words.say("course.once" if len(dates) == 1 else "course.seen", days=", ".join(dates))
    return "; ".join([told, *changes])
