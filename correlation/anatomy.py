"""This file counts how far one region of the body lies from another, over the neighbours of `knowledge/regions.toml`.

It answers for places a filler can be put. A gland, duct, node, joint, vessel, muscle or bone is never within its reach.
"""

from __future__ import annotations

from dataclasses import dataclass

from correlation.catalogue import Knowledge

FARTHEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Steps between two regions: 0 the same, 1 neighbours, 2 neighbours of neighbours.

    `broad` says that at least one of the two was only named widely ("face", "cheek"), so that the nearest of its
    parts was taken: the truth may lie farther.
    """

    steps: int
    broad: bool


def distance(knowledge: Knowledge, first: str, second: str) -> int | None:
    """The steps of `between`, for those who need not know how widely a place was named."""
    found = between(knowledge, first, second)
    return None if found is None else found.steps


def between(knowledge: Knowledge, first: str, second: str) -> Distance | None:
    """How far `second` lies from `first` (ids of regions); the order does not matter.

    `None` where it is farther than two steps, where a region is not known, or where one of the two is no place for a
    filler. To ask whether two findings lie in the same gland or joint, compare their region ids instead.
    """
    regions = knowledge.regions
    if first not in regions or second not in regions:
        return None
    if not (regions[first].filler_site and regions[second].filler_site):
        return None
    if first == second:
        return Distance(steps=0, broad=is_broad(knowledge, first))
    if first in regions[second].broader or second in regions[first].broader:
        return Distance(steps=0, broad=True)
    return _nearest(knowledge, first=_parts(knowledge, first), second=_parts(knowledge, second))


def is_broad(knowledge: Knowledge, region: str) -> bool:
    """Whether this region only stands for its parts."""
    return any(region in other.broader for other in knowledge.regions.values())


def _parts(knowledge: Knowledge, region: str) -> frozenset[str]:
    found = (name for name, other in knowledge.regions.items() if region in other.broader and other.filler_site)
    return frozenset(name for name in found if not is_broad(knowledge, name)) or frozenset({region})


def _nearest(knowledge: Knowledge, *, first: frozenset[str], second: frozenset[str]) -> Distance | None:
    broad = len(first) > 1 or len(second) > 1
    reached = set(first)
    for steps in range(FARTHEST + 1):
        if reached & second:
            return Distance(steps=steps, broad=broad)
        reached |= {name for region in reached for name in _passable(knowledge, region)}
    return None


def _passable(knowledge: Knowledge, region: str) -> frozenset[str]:
    return frozenset(name for name in knowledge.regions[region].adjacent if knowledge.regions[name].filler_site)
