"""This file reads where on the body something is: from codes, from words, and from a side that is written apart.

Regions are those of the knowledge base; words are read by `text_sites`. SNOMED CT codes are the certain ones of the
regions' table, with sides from `codes/body_sites.toml`, also inside a post-coordinated expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Final

from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, Side
from fhir_mappings.code_tables import code_table
from fhir_mappings.codes import SNOMED, word_groups
from fhir_mappings.elements import Coding, codings, concept_text, objects, plain, string
from fhir_mappings.text_sites import sides_in_text, sites_in_text

_NUMBERS: Final = re.compile(r"\d{6,18}")
_BOTH: Final = frozenset({Side.LEFT, Side.RIGHT})


@cache
def _side_codes() -> dict[str, frozenset[Side]]:
    return {code: frozenset(Side(name) for name in names) for code, names in code_table("body_sites")["codes"].items()}


class _Tables:
    """The regions by code, worked out once for each knowledge base."""

    def __init__(self) -> None:
        self._digest: str | None = None
        self._regions: dict[str, tuple[str, ...]] = {}
        self._wide: frozenset[str] = frozenset()

    def wide(self, knowledge: Knowledge) -> frozenset[str]:
        self.regions(knowledge)
        return self._wide

    def regions(self, knowledge: Knowledge) -> dict[str, tuple[str, ...]]:
        if self._digest != knowledge.digest:
            found: dict[str, tuple[str, ...]] = {}
            for region in knowledge.regions.values():
                for code in region.snomed:
                    found[code] = (*found.get(code, ()), region.id)
            self._wide = frozenset(name for region in knowledge.regions.values() for name in region.broader)
            self._digest, self._regions = knowledge.digest, found
        return self._regions


_TABLES: Final = _Tables()


def side_of(concept: object) -> frozenset[Side]:
    """The sides a concept names, by code or words; none where it names none."""
    by_code = frozenset(side for coding in codings(concept) for side in _sides_of_code(coding))
    return by_code or _side_words(concept_text(concept)) or sides_in_text(concept_text(concept))


def is_side_only(concept: object) -> bool:
    """Whether a body site is a side and no place, such as the coding "Bilateral"."""
    text = concept_text(concept)
    if text:
        return bool(_side_words(text))
    found = codings(concept)
    return bool(found) and all(coding.code in _side_codes() for coding in found)


def _side_words(text: str) -> frozenset[Side]:
    words = plain(text)
    for name, expression in word_groups("body_sites", "words").items():
        if expression.search(words):
            return _BOTH if name == "both" else frozenset({Side(name)})
    return frozenset()


def _sides_of_code(coding: Coding) -> frozenset[Side]:
    if coding.system not in ("", SNOMED):
        return frozenset()
    numbers = _NUMBERS.findall(coding.code)
    return frozenset(side for number in numbers for side in _side_codes().get(number, frozenset()))


def sites_of(concept: object, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """The places a CodeableConcept names. Its words win over its code, unless only the code says precisely where."""
    text = concept_text(concept)
    by_words = sites_in_text(text, knowledge) if text else ()
    by_code = _coded_sites(concept, text, knowledge)
    if not by_words:
        return by_code
    if by_code and all(is_wide(site, knowledge) for site in by_words):
        inside = [site for site in by_code if _lies_in(site, by_words, knowledge)]
        sides = frozenset(side for site in by_words for side in site.sides)
        precise = tuple(site if site.sides else replace(site, sides=sides, stated_as=text) for site in inside)
        return precise or by_words
    sides = frozenset(side for coding in codings(concept) for side in _sides_of_code(coding))
    return tuple(site if site.sides else replace(site, sides=sides) for site in by_words)


def _coded_sites(concept: object, text: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    by_code = _TABLES.regions(knowledge)
    found: dict[str, BodySite] = {}
    for coding in codings(concept):
        if coding.system != SNOMED:
            continue
        sides = _sides_of_code(coding) or sides_in_text(text)
        numbers = _NUMBERS.findall(coding.code)
        for region in by_code.get(numbers[0], ()) if numbers else ():
            stated_as = text or f"SNOMED CT {numbers[0]}"
            found.setdefault(region, BodySite(region=region, sides=sides, stated_as=stated_as))
    return tuple(found.values())


def sites_of_list(value: object, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """The places of `bodySite`. A side as an entry of its own belongs to every place that has none."""
    concepts = objects(value)
    apart = frozenset(side for concept in concepts if is_side_only(concept) for side in side_of(concept))
    places = [site for concept in concepts if not is_side_only(concept) for site in sites_of(concept, knowledge)]
    return with_sides(united(places), apart)


def united(sites: Iterable[BodySite]) -> tuple[BodySite, ...]:
    """Each region once, with all the sides that were stated for it, in the order of first mention."""
    found: dict[str, BodySite] = {}
    for site in sites:
        known = found.get(site.region)
        if known is None:
            found[site.region] = site
        else:
            words = "; ".join(dict.fromkeys(word for word in (known.stated_as, site.stated_as) if word))
            found[site.region] = replace(known, sides=known.sides | site.sides, stated_as=words)
    return tuple(found.values())


def with_sides(sites: Iterable[BodySite], sides: frozenset[Side]) -> tuple[BodySite, ...]:
    """The places, with `sides` where none is stated."""
    return tuple(site if site.sides or not sides else replace(site, sides=sides) for site in sites)


def is_wide(site: BodySite, knowledge: Knowledge) -> bool:
    """Whether a region is only a wider word for others, such as "face"."""
    return site.region in _TABLES.wide(knowledge)


def _lies_in(site: BodySite, wider: Iterable[BodySite], knowledge: Knowledge) -> bool:
    region = knowledge.regions.get(site.region)
    names = {one.region for one in wider}
    return region is not None and (site.region in names or bool(names & set(region.broader)))


def merged(stated: tuple[BodySite, ...], told: tuple[BodySite, ...], knowledge: Knowledge) -> tuple[BodySite, ...]:
    """The places of a coded field together with those of a note.

    A precise place in the note wins over a wide one in the field ("Face"). Where the field is precise it stands; the
    note only adds sides that the field left out. Opposite sides for one region leave the side open.
    """
    precise = [site for site in stated if not is_wide(site, knowledge)]
    if not precise:
        narrow = tuple(site for site in told if not is_wide(site, knowledge))
        sides = frozenset(side for site in stated for side in site.sides)
        return with_sides(narrow or united((*stated, *told)), sides)
    by_region = {site.region: site for site in told}
    general = {site.sides for site in told if site.sides}
    common = next(iter(general)) if len(general) == 1 else frozenset[Side]()
    return tuple(_with_note(site, by_region.get(site.region), common) for site in stated)


def _with_note(site: BodySite, told: BodySite | None, common: frozenset[Side]) -> BodySite:
    if told is not None and contradict(site, told):
        return replace(site, sides=frozenset(), stated_as=f"{site.stated_as}; {told.stated_as}")
    if site.sides:
        return site
    sides = told.sides if told is not None and told.sides else common
    return replace(site, sides=sides) if sides else site


def contradict(one: BodySite, other: BodySite) -> bool:
    """Whether two statements about one region name sides that exclude each other."""
    return one.region == other.region and bool(one.sides) and bool(other.sides) and not one.sides & other.sides


def region_site(region: str, stated_as: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """A place that a procedure code implies, where the knowledge base knows it."""
    return (BodySite(region=region, stated_as=string(stated_as)),) if region in knowledge.regions else ()
