"""This file finds phrases in a row of words: the small pattern language of the text rules, and its matcher.

A phrase is written as plain words, without accents and in lower case:

    calcific plaque      these words, one after the other (hyphens in the text count as blanks)
    calcif*              a word that begins so
    mass|masses          either word
    dense? focus         a word that may be absent
    separate .. bone     up to four words in between, of the same clause
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fhir_mappings.folding import fold

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|(?<=\s)-(?=\s)|[,;:().+/?=%<>&]")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_LONGEST_GAP = 4
_REMEMBERED_WORDS = 8192

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words and marks, folded, with the place of each in the text."""

    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)


def words_of(text: str) -> Words:
    """Split a text into folded words, numbers and marks. Hyphens inside words only part them."""
    folded = _folded(text)
    spans = [match.span() for match in _TOKEN.finditer(folded)]
    words = tuple("," if folded[start] == "-" else folded[start:end] for start, end in spans)
    return Words(words, tuple(start for start, _ in spans), tuple(end for _, end in spans))


def bare_words_of(text: str) -> list[str]:
    """Split a text into folded words without their places, where only the words matter."""
    return _TOKEN.findall(_folded(text))


def _folded(text: str) -> str:
    folded = fold(text)
    return _POSSESSIVE.sub("  ", folded) if "'" in folded else folded


def is_word(word: str) -> bool:
    """Say whether this is a word or number, not a mark."""
    return word[0].isalnum()


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a phrase: the words that fit, whole or by their beginning."""

    whole: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    optional: bool = False
    gap: bool = False

    def fits(self, word: str) -> bool:
        """Say whether the word fits this place."""
        return word in self.whole or (bool(self.beginnings) and word.startswith(self.beginnings))


def element_of(written: str) -> Element:
    """Read one place of a phrase from its written form."""
    if written == "..":
        return Element(gap=True)
    optional = written.endswith("?") and len(written) > 1
    choices = (written[:-1] if optional else written).split("|")
    return Element(
        whole=frozenset(choice for choice in choices if not choice.endswith("*")),
        beginnings=tuple(choice[:-1] for choice in choices if choice.endswith("*")),
        optional=optional,
    )


def elements_of(phrase: str) -> tuple[Element, ...]:
    """Read a whole phrase from its written form."""
    return tuple(element_of(word) for word in fold(phrase).replace("-", " ").split())


@dataclass(frozen=True, slots=True)
class Match(Generic[Payload]):
    """A phrase found: the words `start` to `end` (exclusive) and what the phrase stands for."""

    start: int
    end: int
    payload: Payload


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Payload]):
    elements: tuple[Element, ...]
    family: str
    payload: Payload


@dataclass(slots=True)
class PhraseTable(Generic[Payload]):
    """All phrases of a language, by family. Within a family the longest match wins and matches do not overlap."""

    _entries: tuple[_Entry[Payload], ...]
    _by_word: dict[str, tuple[_Entry[Payload], ...]] = field(default_factory=dict)
    _by_beginning: tuple[tuple[str, _Entry[Payload]], ...] = ()
    _remembered: dict[str, tuple[_Entry[Payload], ...]] = field(default_factory=dict)

    def find(self, words: Sequence[str]) -> dict[str, list[Match[Payload]]]:
        """Find all phrases, as a list of matches in text order for each family."""
        found: dict[str, list[Match[Payload]]] = {}
        free_from: dict[str, int] = {}
        remembered = self._remembered
        for index, word in enumerate(words):
            candidates = remembered.get(word)
            if candidates is None:
                candidates = self._candidates(word)
            if not candidates:
                continue
            longest: dict[str, Match[Payload]] = {}
            for entry in candidates:
                if free_from.get(entry.family, 0) > index:
                    continue
                elements = entry.elements
                end = index + 1 if len(elements) == 1 else _end_of_match(elements, 1, words, index + 1)
                known = longest.get(entry.family)
                if end is not None and (known is None or end > known.end):
                    longest[entry.family] = Match(index, end, entry.payload)
            for family, match in longest.items():
                found.setdefault(family, []).append(match)
                free_from[family] = match.end
        return found

    def _candidates(self, word: str) -> tuple[_Entry[Payload], ...]:
        starting = [entry for beginning, entry in self._by_beginning if word.startswith(beginning)]
        candidates = (*self._by_word.get(word, ()), *starting)
        if len(self._remembered) < _REMEMBERED_WORDS:
            self._remembered[word] = candidates
        return candidates


def phrase_table(
    phrases: Iterable[tuple[tuple[Element, ...], str, Payload]],
) -> PhraseTable[Payload]:
    """Build a table from (elements, family, payload). The first element of a phrase must not be optional or a gap."""
    entries: list[_Entry[Payload]] = []
    by_word: dict[str, list[_Entry[Payload]]] = {}
    by_beginning: list[tuple[str, _Entry[Payload]]] = []
    for elements, family, payload in phrases:
        entry = _Entry(elements, family, payload)
        entries.append(entry)
        for word in elements[0].whole:
            by_word.setdefault(word, []).append(entry)
        by_beginning.extend((beginning, entry) for beginning in elements[0].beginnings)
    frozen: Mapping[str, tuple[_Entry[Payload], ...]] = {word: tuple(rows) for word, rows in by_word.items()}
    return PhraseTable(tuple(entries), dict(frozen), tuple(by_beginning))


def _end_of_match(elements: tuple[Element, ...], at: int, words: Sequence[str], index: int) -> int | None:
    """Return where the phrase ends if its elements from `at` fit the words from `index`, else `None`."""
    while at < len(elements):
        element = elements[at]
        if element.gap:
            return _end_after_gap(elements, at + 1, words, index)
        if index < len(words) and element.fits(words[index]):
            index += 1
        elif not element.optional:
            return None
        at += 1
    return index


def _end_after_gap(elements: tuple[Element, ...], at: int, words: Sequence[str], index: int) -> int | None:
    for skipped in range(_LONGEST_GAP + 1):
        end = _end_of_match(elements, at, words, index + skipped)
        if end is not None:
            return end
        if index + skipped >= len(words) or not is_word(words[index + skipped]):
            return None
    return None
