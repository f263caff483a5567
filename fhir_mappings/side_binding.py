"""This file binds sides to regions by where they stand: before one, along a list, or behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from correlation.timeline import Side
from fhir_mappings.folding import fold
from fhir_mappings.language_rules import languages, shared
from fhir_mappings.phrases import Match, Words, is_word

_BOTH = frozenset({Side.LEFT, Side.RIGHT})
SIDES: Mapping[str, frozenset[Side]] = {
    "left": frozenset({Side.LEFT}),
    "right": frozenset({Side.RIGHT}),
    "left_letter": frozenset({Side.LEFT}),
    "right_letter": frozenset({Side.RIGHT}),
    "both": _BOTH,
    "both_letter": _BOTH,  # "each cheek"
    "midline": frozenset({Side.MIDLINE}),
}


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


def bind(words: Words, regions: list[Match[str]], sides: list[Match[str]]) -> SiteReading:
    """Bind the sides found in a text to its regions; a side next to none stays unbound."""
    return _Binding(words, regions, sides).reading()


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
                stated[index] = stated.get(index, frozenset()) | SIDES[side.payload]
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
                SideMention(sides=SIDES[side.payload], start=side.start, end=side.end, bound=number in bound)
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
                alone = side.payload in ("left_letter", "right_letter")
                if any(word not in _beside_words() for word in between) or (alone and between):
                    return None
                return index
        return None

    def _carry_forward(self, stated: dict[int, frozenset[Side]]) -> None:
        """Carry the side in front of a list along it: "both malar and buccal regions"; not to the chin or forehead."""
        carried: frozenset[Side] | None = stated.get(0)
        for index in range(1, len(self.regions)):
            between = self.words.words[self.regions[index - 1].end : self.regions[index].start]
            if index in stated or self._has_own_side(index):
                carried = stated.get(index)
            elif not all(word in and_words() or word == "," for word in between):
                carried = None
            elif carried and self.regions[index].payload not in shared().midline:
                stated[index] = carried

    def _has_own_side(self, index: int) -> bool:
        """Say whether a side stands right behind this region: "malar izquierda y temporal derecha"."""
        end = self.regions[index].end
        return any(
            side.start >= end
            and all(word in _noun_words() or word == "(" for word in self.words.words[end : side.start])
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
            if bound and self._is_pair(region, side):
                break  # "mejillas y sien izquierda": the cheeks are two
            if index in stated:
                if not bound and not any(word in and_words() for word in between):
                    stated[index] = stated[index] | SIDES[side.payload]
                    bound = True
                break
            stated[index] = SIDES[side.payload]
            bound = True
            position = region.start
        return bound

    def _is_pair(self, region: Match[str], side: Match[str]) -> bool:
        """Say whether a region is named in the plural while the side behind the list is one, in the singular."""
        one = len(SIDES[side.payload]) == 1 and side.end - side.start == 1
        return one and self.words.words[region.end - 1].endswith(("as", "os")) and not self._plural(side)

    def _plural(self, side: Match[str]) -> bool:
        return self.words.words[side.end - 1].endswith("s")

    def _parts_nothing(self, word: str) -> bool:
        return word in ",(/)" or word in and_words() or word in _noun_words() or word in _beside_words()


_WORD_SETS: dict[str, frozenset[str]] = {}


def _words_of_lists(name: str, *path: str) -> frozenset[str]:
    if name not in _WORD_SETS:
        _WORD_SETS[name] = frozenset(
            fold(word)
            for language in languages().values()
            for word in language.data[path[0]][path[1]]
            if " " not in word and is_word(word)
        )
    return _WORD_SETS[name]


def and_words() -> frozenset[str]:
    """Words that join the items of a list, in every language."""
    return _words_of_lists("and", "links", "and") | {"/", "&", "+"}


def _beside_words() -> frozenset[str]:
    return _words_of_lists("beside", "sides", "beside") | _noun_words()


def _noun_words() -> frozenset[str]:
    return _words_of_lists("nouns", "sides", "nouns")
