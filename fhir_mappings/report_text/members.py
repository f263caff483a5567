"""This file reads values given member by member: "the right 8 mm, the left 5 mm", "5 and 7 mm respectively"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from correlation.timeline import BodySite, Side
from fhir_mappings.language_rules import Language
from fhir_mappings.report_text.attributes import Attributes, attributes_of, sizes_mm
from fhir_mappings.report_text.groups import Group
from fhir_mappings.report_text.marks import Marked
from fhir_mappings.side_binding import SiteMention

_BOTH = frozenset({Side.LEFT, Side.RIGHT})


@dataclass(frozen=True, slots=True)
class _Member:
    """One member of a list: a region with its sides, or one side of a region named once."""

    region: str
    sides: frozenset[Side]
    start: int
    end: int


def by_member(
    group: Group,
    sites: Sequence[BodySite],
    attributes: Attributes,
    *,
    mentions: Sequence[SiteMention],
    marked: Marked,
    text: str,
    language: Language,
) -> tuple[tuple[BodySite, Attributes], ...]:
    """Pair each site with its attributes; sites differ only where each member of the list has a value of its own."""
    together = tuple((site, attributes) for site in sites)
    members = _members(group, mentions, marked)
    if len(members) < 2 or (attributes.size_mm is None and attributes.attenuation_hu is None):
        return together
    behind = [*(member.start for member in members), group.end]
    before = [group.start, *(member.end for member in members)]
    for borders in (behind, before):
        read = [attributes_of(marked, text, language, start=start, end=end) for start, end in pairwise(borders)]
        if all(item.size_mm is not None for item in read) or all(item.attenuation_hu for item in read):
            return _placed(members, attributes, read, sites)
    sizes = sizes_mm(text, marked, language, start=group.start, end=group.end)
    if marked.all("respectively", start=group.start, end=group.end) and len(sizes) == len(members):
        return _placed(members, attributes, [replace(attributes, size_mm=size) for size in sizes], sites)
    return together


def _members(group: Group, mentions: Sequence[SiteMention], marked: Marked) -> tuple[_Member, ...]:
    """List the regions in their order; of a single one, the sides told apart behind it."""
    if len(mentions) != 1:
        return tuple(_Member(item.region, item.sides, item.start, item.end) for item in mentions)
    (only,) = mentions
    sides = [item for item in marked.sides if only.end <= item.start < group.end and len(item.sides) == 1]
    apart = frozenset(side for item in sides for side in item.sides) == _BOTH and len(sides) == len(_BOTH)
    return tuple(_Member(only.region, item.sides, item.start, item.end) for item in sides) if apart else ()


def _placed(
    members: Sequence[_Member], attributes: Attributes, read: Sequence[Attributes], sites: Sequence[BodySite]
) -> tuple[tuple[BodySite, Attributes], ...]:
    stated = {site.region: site for site in sites}
    return tuple(
        (
            replace(stated[member.region], sides=member.sides or stated[member.region].sides),
            replace(
                attributes,
                size_mm=own.size_mm or attributes.size_mm,
                attenuation_hu=own.attenuation_hu or attributes.attenuation_hu,
            ),
        )
        for member, own in zip(members, read, strict=True)
        if member.region in stated
    )
