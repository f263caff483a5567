"""This file puts a body site into words and into a FHIR CodeableConcept: "cheek, left and right".

A side that the record does not state is said to be not stated; it is never filled in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, Side
from correlation.words import LATERAL, Words
from fhir_mappings import canonical

_MOST_REGIONS = 3
_ORDER = (Side.LEFT, Side.RIGHT, Side.MIDLINE)


def region_words(region: str, knowledge: Knowledge) -> str:
    """The name of a region within a sentence, or its id in plain words where the knowledge base has none."""
    known = knowledge.regions.get(region)
    return knowledge.words.inside(known.name if known else region.replace("_", " "))


def side_words(sides: frozenset[Side], words: Words) -> str:
    """The sides in a fixed order; `side not stated` where there is none."""
    if sides == LATERAL:
        return words.say("site.left_and_right")
    return words.joined(words.term(side.value) for side in _ORDER if side in sides) or words.say("site.no_side")


def site_words(site: BodySite | None, knowledge: Knowledge) -> str:
    """One site in words, such as `cheek, left and right`; `site not stated` where there is none."""
    if site is None:
        return knowledge.words.site(None)
    return f"{region_words(site.region, knowledge)}, {side_words(site.sides, knowledge.words)}"


def sites_words(sites: Iterable[BodySite | None], knowledge: Knowledge) -> str:
    """Several sites in words, those of the same sides together: `cheek and chin, left and right; temple, left`."""
    words = knowledge.words
    by_sides: dict[str, list[str]] = {}
    for site in sites:
        if site is not None:
            regions = by_sides.setdefault(side_words(site.sides, words), [])
            if (region := region_words(site.region, knowledge)) not in regions:
                regions.append(region)
    told = "; ".join(f"{words.joined(regions)}, {sides}" for sides, regions in by_sides.items())
    return told or words.site(None)


def regions_words(sites: Iterable[BodySite | None], knowledge: Knowledge) -> str:
    """The regions alone, each once; more than three are counted."""
    regions = list(dict.fromkeys(region_words(site.region, knowledge) for site in sites if site is not None))
    if len(regions) > _MOST_REGIONS:
        return knowledge.words.say("site.regions", count=len(regions))
    return ", ".join(regions) or knowledge.words.site(None)


def body_site(site: BodySite | None, knowledge: Knowledge) -> dict[str, Any]:
    """The site as a CodeableConcept: our region, SNOMED CT where a code means just that, and the words."""
    text = site_words(site, knowledge)
    if site is None:
        return {"text": text}
    codings = [
        {"system": canonical.BODY_SITE, "code": site.region, "display": _display(site.region, knowledge.base)},
        *_snomed(site, knowledge.base),
    ]
    return {"coding": codings, "text": text}


def _display(region: str, knowledge: Knowledge) -> str:
    known = knowledge.regions.get(region)
    return known.name if known else region


def _snomed(site: BodySite, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The code that means the region itself; a code of its skin, a part of it or one side would say something else."""
    region = knowledge.regions.get(site.region)
    if region is None:
        return []
    for name in (region.name, *region.synonyms_en):
        for code in region.snomed_codes:
            if code.means.casefold() == name.casefold() and not code.means.casefold().startswith("skin"):
                return [{"system": canonical.SNOMED, "code": code.code, "display": code.means}]
    return []
