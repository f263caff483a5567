"""This file finds regions of the body in prose, with the sides that were stated.

"left malar and both temporal regions" is the left malar region and the temporal region on both sides. A side is
carried along a list; one that stands behind a list is the whole list's. A plural alone states no side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from correlation.catalogue import Knowledge, Region
from correlation.timeline import BodySite, Side
from fhir_mappings.folding import composed, fold
from fhir_mappings.phrases import Element, Match, PhraseTable, Words, elements_of, is_word, phrase_table, words_of
from fhir_mappings.report_text.rules import languages, shared

_BOTH = frozenset({Side.LEFT, Side.RIGHT})
_SIDES: Mapping[str, frozenset[Side]] = {
    "left": frozenset({Side.LEFT}),
    "right": frozenset({Side.RIGHT}),
    "left_letter": frozenset({Side.LEFT}),
    "right_letter": frozenset({Side.RIGHT}),
    "both": _BOTH,
    "midline": frozenset({Side.MIDLINE}),
}
_NO_REGION = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMention:
    """A region named in a text: its words `start` to `end` (exclusive), and the sides that belong to it."""

    region: str
    sides: frozenset[Side]
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SideMention:
    """A side named in a text, and whether it was bound to a region next to it."""

    sides: frozenset[Side]
    start: int
    end: int
    bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReading:
    """The regions and sides of a text, in its order."""

    sites: tuple[SiteMention, ...]
    sides: tuple[SideMention, ...]


def sites_in_text(text: str, knowledge: Knowledge) -> tuple[BodySite, ...]:
    """Read the regions of a short text such as a body site or one line of a procedure, each once, in its order."""
    text = composed(text)
    words = words_of(_without_marks(text))
    reading = site_mentions(words, knowledge)
    floating = frozenset(side for mention in reading.sides if not mention.bound for side in mention.sides)
    mentions = [
        mention if mention.sides else replace(mention, sides=floating)
        for mention in without_wider(words, reading.sites, knowledge)
    ]
    strong = [mention for mention in mentions if mention.region not in shared().weak]
    return _as_sites(strong or mentions, words=words, text=text)


def sides_in_text(text: str) -> frozenset[Side]:
    """Read the sides of a text that may name no region, such as the qualifier "Bilateral"."""
    found = _side_table().find(words_of(_without_marks(composed(text))).words)
    return frozenset(
        side
        for match in found.get("side", ())
        if not match.payload.endswith("_letter")
        for side in _SIDES[match.payload]
    )


def site_mentions(words: Words, knowledge: Knowledge, *, masked: Sequence[tuple[int, int]] = ()) -> SiteReading:
    """Find regions and sides in a row of words; regions inside a masked span (`separate from the mandible`) are left."""
    found = _site_table(knowledge).find(words.words)
    regions = [
        match
        for match in found.get("region", ())
        if match.payload != _NO_REGION and not any(start <= match.start < end for start, end in masked)
    ]
    sides = _side_table().find(words.words).get("side", [])
    return _Binding(words, regions, sides).reading()


def without_wider(
    words: Words, mentions: Iterable[SiteMention], knowledge: Knowledge
) -> tuple[SiteMention, ...]:
    """Leave out a wider region where a narrower one inside it is named too: "face, from the nasolabial region on".

    "Face and jaw" names two places and keeps both. The sides of the wider one pass on to a narrower one without any.
    """
    mentions = tuple(mentions)
    kept: list[SiteMention] = []
    passed: dict[str, frozenset[Side]] = {}
    for mention in mentions:
        narrower = [other for other in mentions if mention.region in wider_than(other.region, knowledge)]
        if narrower and not any(_joined(words, mention, other) for other in mentions if other is not mention):
            for other in narrower:
                passed[other.region] = passed.get(other.region, frozenset()) | mention.sides
        else:
            kept.append(mention)
    return tuple(
        mention if mention.sides else replace(mention, sides=passed.get(mention.region, frozenset())) for mention in kept
    )


def wider_than(region: str, knowledge: Knowledge) -> frozenset[str]:
    """Name the regions in which this one lies."""
    known = knowledge.regions.get(region)
    return frozenset(known.broader if known else ()) | frozenset(shared().part_of.get(region, ()))


def _joined(words: Words, one: SiteMention, other: SiteMention) -> bool:
    first, second = sorted((one, other), key=lambda mention: mention.start)
    between = words.words[first.end : second.start]
    return bool(between) and all(word in _and_words() for word in between)


def _as_sites(mentions: Iterable[SiteMention], *, words: Words, text: str) -> tuple[BodySite, ...]:
    sites: dict[str, BodySite] = {}
    for mention in mentions:
        stated = text[words.starts[mention.start] : words.ends[mention.end - 1]]
        known = sites.get(mention.region)
        if known is None:
            sites[mention.region] = BodySite(region=mention.region, sides=mention.sides, stated_as=stated)
        else:
            again = known.stated_as if stated in known.stated_as else f"{known.stated_as}, {stated}"
            sites[mention.region] = replace(known, sides=known.sides | mention.sides, stated_as=again)
    return tuple(sites.values())


def _without_marks(text: str) -> str:
    """Blank "(R)", "(TM)" and "(C)", which are trade marks and no sides."""
    for mark in ("(R)", "(r)", "(TM)", "(tm)", "(C)"):
        text = text.replace(mark, " " * len(mark))
    return text


@dataclass(slots=True)
class _Binding:
    """Binds sides to regions by where they stand."""

    words: Words
    regions: list[Match[str]]
    sides: list[Match[str]]

    def reading(self) -> SiteReading:
        stated: dict[int, frozenset[Side]] = {}
        bound: set[int] = set()
        for number, side in enumerate(self.sides):
            index = self._region_after(side)
            if index is not None:
                stated[index] = stated.get(index, frozenset()) | _SIDES[side.payload]
                bound.add(number)
        self._carry_forward(stated)
        for number, side in enumerate(self.sides):
            if number not in bound and not side.payload.endswith("_letter") and self._bind_backward(side, stated):
                bound.add(number)
        return SiteReading(
            sites=tuple(
                SiteMention(
                    region=region.payload, sides=stated.get(index, frozenset()), start=region.start, end=region.end
                )
                for index, region in enumerate(self.regions)
            ),
            sides=tuple(
                SideMention(sides=_SIDES[side.payload], start=side.start, end=side.end, bound=number in bound)
                for number, side in enumerate(self.sides)
                if number in bound or not side.payload.endswith("_letter")
            ),
        )

    def _region_after(self, side: Match[str]) -> int | None:
        """Find the region that a side stands right before or in: "left malar", "both sides of the face"."""
        words = self.words.words
        for index, region in enumerate(self.regions):
            if region.start <= side.start < region.end:
                return None if side.payload.endswith("_letter") else index
        if side.start and words[side.start - 1] == "(" and side.end < len(words) and words[side.end] == ")":
            return None
        for index, region in enumerate(self.regions):
            if region.start >= side.end:
                between = words[side.end : region.start]
                letter = side.payload.endswith("_letter")
                if any(word not in _beside_words() for word in between) or (letter and between):
                    return None
                return index
        return None

    def _carry_forward(self, stated: dict[int, frozenset[Side]]) -> None:
        """Carry the side in front of a list along it: "both malar and buccal regions"."""
        for index in range(1, len(self.regions)):
            before = stated.get(index - 1)
            if before is None or index in stated or self._has_own_side(index):
                continue
            between = self.words.words[self.regions[index - 1].end : self.regions[index].start]
            if all(word in _and_words() or word == "," for word in between):
                stated[index] = before

    def _has_own_side(self, index: int) -> bool:
        """Say whether a side stands right behind this region: "malar izquierda y temporal derecha"."""
        end = self.regions[index].end
        return any(
            side.start >= end and all(word in _noun_words() or word == "(" for word in self.words.words[end : side.start])
            for side in self.sides
            if side.start - end <= 3
        )

    def _bind_backward(self, side: Match[str], stated: dict[int, frozenset[Side]]) -> bool:
        """Bind a side to the list it stands behind, back to the first region that has its own side."""
        bound = False
        position = side.start
        for index in range(len(self.regions) - 1, -1, -1):
            region = self.regions[index]
            if region.end > position:
                continue
            between = self.words.words[region.end : position]
            if not all(self._parts_nothing(word) for word in between):
                break
            if index in stated:
                if not bound and not any(word in _and_words() for word in between):
                    stated[index] = stated[index] | _SIDES[side.payload]
                    bound = True
                break
            stated[index] = _SIDES[side.payload]
            bound = True
            position = region.start
        return bound

    def _parts_nothing(self, word: str) -> bool:
        return word in ",(/)" or word in _and_words() or word in _noun_words() or word in _beside_words()


def _site_table(knowledge: Knowledge) -> PhraseTable[str]:
    """Return the table of regions' names of this knowledge base, built once."""
    table = _TABLES.get(knowledge.digest)
    if table is None:
        if len(_TABLES) > 3:
            _TABLES.clear()
        table = _TABLES[knowledge.digest] = phrase_table(_region_rows(knowledge))
    return table


def _region_rows(knowledge: Knowledge) -> Iterable[tuple[tuple[Element, ...], str, str]]:
    """Exact names come before forms made by rule, so that an exact one wins over a made one of the same length."""
    for language in languages().values():
        for phrase in language.data["not_a_region"]["words"]:
            yield elements_of(phrase), "region", _NO_REGION
    for region in knowledge.regions.values():
        for name in (*region.synonyms_en, *region.synonyms_es):
            yield _plain_elements(name), "region", region.id
    for language in languages().values():
        for region_id, names in language.data["region_synonyms"].items():
            if region_id in knowledge.regions:
                for name in names:
                    yield elements_of(name), "region", region_id
    for region in knowledge.regions.values():
        yield from _formed_rows(region)


def _formed_rows(region: Region) -> Iterable[tuple[tuple[Element, ...], str, str]]:
    for code, names in (("en", region.synonyms_en), ("es", region.synonyms_es)):
        rules = languages()[code].data["word_forms"]
        for name in names:
            yield tuple(Element(whole=_forms(word, rules)) for word in words_of(name).words), "region", region.id


def _plain_elements(name: str) -> tuple[Element, ...]:
    return tuple(Element(whole=frozenset({word})) for word in words_of(name).words)


def _forms(word: str, rules: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """Return the word with its other forms: plural, and in Spanish gender."""
    for rule in rules:
        ending, forms, longer = str(rule["when"]), rule["forms"], rule.get("longer_than", 2)
        if word.endswith(ending) and isinstance(longer, int) and len(word) > longer and isinstance(forms, list):
            stem = word[: len(word) - len(ending)]
            return frozenset({word, *(stem + str(form) for form in forms)})
    return frozenset({word})


_TABLES: dict[str, PhraseTable[str]] = {}
_WORD_SETS: dict[str, frozenset[str]] = {}
_SIDE_TABLE: list[PhraseTable[str]] = []


def _side_table() -> PhraseTable[str]:
    if not _SIDE_TABLE:
        rows = [
            (elements_of(phrase), "side", name)
            for language in languages().values()
            for name in _SIDES
            for phrase in language.data["sides"][name]
        ]
        _SIDE_TABLE.append(phrase_table(rows))
    return _SIDE_TABLE[0]


def _words_of_lists(name: str, *path: str) -> frozenset[str]:
    if name not in _WORD_SETS:
        _WORD_SETS[name] = frozenset(
            fold(word)
            for language in languages().values()
            for word in language.data[path[0]][path[1]]
            if " " not in word and is_word(word)
        )
    return _WORD_SETS[name]


def _and_words() -> frozenset[str]:
    return _words_of_lists("and", "links", "and") | {"/", "&", "+"}


def _beside_words() -> frozenset[str]:
    return _words_of_lists("beside", "sides", "beside") | _noun_words()


def _noun_words() -> frozenset[str]:
    return _words_of_lists("nouns", "sides", "nouns")
