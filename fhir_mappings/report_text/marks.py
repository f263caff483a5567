"""This file marks every word of a sentence with its part in it, so that later steps can reason on a short string.

h head   m attribute   k tissue   s region   d side   a and   c comma   w with   p preposition or verb
t article   g scope word (negation …)   b said about bone   n number   ( bracket   x any other word
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from correlation.catalogue import Knowledge
from fhir_mappings.language_rules import NOTHING, Language, shared
from fhir_mappings.phrases import Match, Words, words_of
from fhir_mappings.side_binding import SideMention, SiteMention
from fhir_mappings.text_sites import bound_sites, site_table

_LINK_MARKS = {"and": "a", "with": "w", "article": "t", "preposition": "p"}
_LABEL_LENGTH = 7  # words before a colon that name a part of the body
_LANDMARK_REACH = 7  # words; the names of a structure with its adjectives
_PUNCTUATION = {",": "c", ":": "p", "(": "(", ")": "(", "/": "a", "&": "a"}


CONTAINER = "container"  # the noun of a head that holds another: "a nodule with calcification"


@dataclass(frozen=True, slots=True)
class Head:
    """Words that name a thing found: `kinds` such as calcification, `nouns` such as material, else a `role`."""

    start: int
    end: int
    kinds: frozenset[str]
    nouns: frozenset[str]
    role: str | None = None  # distractor, outside or sign


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with everything that the tables found in it."""

    words: Words
    marks: str
    found: Mapping[str, Sequence[Match[str]]]
    heads: tuple[Head, ...]
    sites: tuple[SiteMention, ...]
    weak_sites: tuple[SiteMention, ...]  # "vessels", "joints": tissue rather than place
    sides: tuple[SideMention, ...]
    valued: Mapping[str, Sequence[tuple[str, Sequence[Match[str]]]]]  # family -> (value, matches), such as morphology

    def all(self, family: str, *, start: int, end: int) -> list[Match[str]]:
        """Return the matches of a family that begin between two words."""
        return [match for match in self.found.get(family, ()) if start <= match.start < end]


def mark(text: str, language: Language, knowledge: Knowledge) -> Marked:
    """Find links, scopes, heads, attributes, regions and sides in a sentence."""
    words = words_of(text)
    found = site_table(knowledge, language).find(words.words)
    masked = [(match.start, match.end) for match in found.get("bone", ())]
    reading = bound_sites(words, found, masked=masked)
    rules = shared()
    elsewhere = rules.distractor_regions | rules.outside_regions
    landmarks = _landmarks(words, found, language)
    here = [
        site
        for site in reading.sites
        if site.region not in elsewhere
        and not _within(site.start, found.get("distractor", ()))
        and not _is_landmark(site, landmarks, knowledge)
    ]
    sites = _without_label(words, (site for site in here if site.region not in rules.weak), knowledge)
    weak_sites = tuple(site for site in here if site.region in rules.weak)
    heads = _heads(found, reading.sites, masked)
    return Marked(
        words=words,
        marks=_marks(words, found, sites=sites, weak_sites=weak_sites, sides=reading.sides, heads=heads, masked=masked),
        found=found,
        heads=heads,
        sites=sites,
        weak_sites=weak_sites,
        sides=reading.sides,
        valued=_valued(found, landmarks),
    )


def _without_label(words: Words, sites: Iterable[SiteMention], knowledge: Knowledge) -> tuple[SiteMention, ...]:
    """Leave out a wide region that only heads its lines ("Head and neck: deposits along the marionette lines")."""
    sites = tuple(sites)
    colon = next((index for index, word in enumerate(words.words[:_LABEL_LENGTH]) if word == ":"), 0)
    if not any(site.start > colon for site in sites) or not any(site.end <= colon for site in sites):
        return sites
    wide = {name for region in knowledge.regions.values() for name in region.broader}
    return tuple(site for site in sites if site.start > colon or site.region not in wide)


def _landmarks(
    words: Words, found: Mapping[str, Sequence[Match[str]]], language: Language
) -> tuple[tuple[int, int, bool], ...]:
    """Spans behind "separate from", "sparing", "superficial to": what they name is not where the finding lies.

    The third says whether any place is meant (`apart`), or only what is no place for a filler (`beside`).
    """
    ends = language.data["landmarks"]["ends"]
    spans = []
    for match in found.get("landmark", ()):
        behind = range(match.end, min(match.end + _LANDMARK_REACH, len(words)))
        end = next((index for index in behind if words.words[index] in ends), behind.stop)
        spans.append((match.end, end, match.payload == "apart"))
    return tuple(spans)


def _is_landmark(site: SiteMention, landmarks: Sequence[tuple[int, int, bool]], knowledge: Knowledge) -> bool:
    known = knowledge.regions.get(site.region)
    return any(
        start <= site.start < end and (apart or (known is not None and not known.filler_site))
        for start, end, apart in landmarks
    )


def _valued(
    found: Mapping[str, Sequence[Match[str]]], landmarks: Sequence[tuple[int, int, bool]]
) -> Mapping[str, Sequence[tuple[str, Sequence[Match[str]]]]]:
    valued: dict[str, list[tuple[str, Sequence[Match[str]]]]] = {}
    for name, matches in found.items():
        family, colon, value = name.partition(":")
        if colon:
            meant = [match for match in matches if match.payload != NOTHING]
            if family == "tissue":
                meant = [match for match in meant if not any(start <= match.start < end for start, end, _ in landmarks)]
            valued.setdefault(family, []).append((value, meant))
    return valued


def _within(index: int, matches: Sequence[Match[str]]) -> bool:
    return any(match.start <= index < match.end for match in matches)


def _heads(
    found: Mapping[str, Sequence[Match[str]]], sites: Sequence[SiteMention], masked: Sequence[tuple[int, int]]
) -> tuple[Head, ...]:
    """Collect heads in text order; those that overlap become one."""
    rules = shared()
    heads = [_head(match) for match in found.get("head", ()) if match.payload != NOTHING]
    for family, role in (("distractor", "distractor"), ("outside", "outside"), ("sign_head", "sign")):
        heads += [
            Head(match.start, match.end, frozenset(), frozenset(), role)
            for match in found.get(family, ())
            if match.payload
        ]
    for site in sites:
        if site.region in rules.distractor_regions:
            heads.append(Head(site.start, site.end, frozenset(), frozenset(), "distractor"))
        elif site.region in rules.outside_regions:
            heads.append(Head(site.start, site.end, frozenset(), frozenset(), "outside"))
    heads = [head for head in heads if not any(start <= head.start < end for start, end in masked)]
    joined: list[Head] = []
    for head in sorted(heads, key=lambda head: (head.start, head.end)):
        if joined and head.start < joined[-1].end:
            joined[-1] = join(joined[-1], head)
        else:
            joined.append(head)
    return tuple(joined)


def join(one: Head, other: Head) -> Head:
    """Make one head of two. What is named to be elsewhere stays so."""
    roles = {one.role, other.role}
    role = next((role for role in ("distractor", "outside", "sign") if role in roles), None)
    return Head(
        min(one.start, other.start), max(one.end, other.end), one.kinds | other.kinds, one.nouns | other.nouns, role
    )


def _head(match: Match[str]) -> Head:
    form, _, name = match.payload.partition(":")
    names = frozenset({name})
    return Head(
        match.start, match.end, names if form == "kind" else frozenset(), names if form == "noun" else frozenset()
    )


def _marks(
    words: Words,
    found: Mapping[str, Sequence[Match[str]]],
    *,
    sites: Sequence[SiteMention],
    weak_sites: Sequence[SiteMention],
    sides: Sequence[SideMention],
    heads: Sequence[Head],
    masked: Sequence[tuple[int, int]],
) -> str:
    """Write the marks; what is written later covers what was written before."""
    marks = [_PUNCTUATION.get(word) or ("n" if word[0].isdigit() else "x") for word in words.words]

    def cover(spans: Sequence[tuple[int, int]], letter: str) -> None:
        for start, end in spans:
            marks[start:end] = letter * (end - start)

    for match in found.get("link", ()):
        cover([(match.start, match.end)], _LINK_MARKS[match.payload])
    cover([(match.start, match.end) for match in found.get("definite", ())], "t")
    for family, matches in found.items():
        if family.partition(":")[0] in ("morphology", "density", "change", "count", "signs", "normal"):
            cover([(match.start, match.end) for match in matches], "m")
    for family, matches in found.items():
        if family.startswith("tissue:"):
            cover([(match.start, match.end) for match in matches], "k")
    cover([(site.start, site.end) for site in weak_sites], "k")
    cover([(site.start, site.end) for site in sites], "s")
    cover([(side.start, side.end) for side in sides], "d")
    cover([(match.start, match.end) for match in found.get("scope", ()) if match.payload != "scope_end"], "g")
    cover([(head.start, head.end) for head in heads], "h")
    cover(list(masked), "b")
    return "".join(marks)
