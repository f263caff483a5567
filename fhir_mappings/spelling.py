"""This file corrects misspelled words towards a small vocabulary, within bounds that spare ordinary words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_SHORTEST = 6  # letters; one slip is allowed from here
_LONG = 9  # two slips are allowed from here
_REMEMBERED = 8192


@dataclass(slots=True)
class Speller:
    """A vocabulary, by first letter, with the meanings of each word; `ordinary` words are never corrected."""

    meanings: Mapping[str, frozenset[str]]
    by_letter: Mapping[str, tuple[str, ...]]
    ordinary: frozenset[str]
    _remembered: dict[str, str] = field(default_factory=dict)

    def corrected(self, word: str) -> str:
        """Return the word of the vocabulary that this one is a slip of; the word itself if there is none, or two."""
        if len(word) < _SHORTEST - 1 or word in self.meanings or word in self.ordinary or not word.isalpha():
            return word
        known = self._remembered.get(word)
        if known is None:
            known = self._nearest(word)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[word] = known
        return known

    def _nearest(self, word: str) -> str:
        best: list[str] = []
        least = 3
        for candidate in self.by_letter.get(word[0], ()):
            bound = _slips_allowed(min(len(word) + 1, len(candidate)))
            if abs(len(candidate) - len(word)) > bound or bound == 0:
                continue
            slips = distance(word, candidate)
            if slips > bound or slips > least:
                continue
            best = [candidate] if slips < least else [*best, candidate]
            least = slips
        if not best or len({self.meanings[candidate] for candidate in best}) > 1:
            return word
        return best[0]


def speller_of(meanings: Mapping[str, frozenset[str]], *, ordinary: frozenset[str]) -> Speller:
    """Build a speller from words and what each stands for; short words and ordinary ones are no targets."""
    by_letter: dict[str, list[str]] = {}
    for word in meanings:
        if len(word) >= _SHORTEST and word.isalpha() and word not in ordinary:
            by_letter.setdefault(word[0], []).append(word)
    return Speller(
        meanings=meanings,
        by_letter={letter: tuple(words) for letter, words in by_letter.items()},
        ordinary=ordinary,
    )


def distance(one: str, other: str) -> int:
    """Count the slips between two words: a letter more, less or other, or two exchanged (Damerau-Levenshtein)."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, wanted in enumerate(other, start=1):
            cost = 0 if letter == wanted else 1
            best = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted:
                best = min(best, before_last[column - 2] + 1)
            current.append(best)
        before_last, last = last, current
    return last[-1]


def _slips_allowed(letters: int) -> int:
    if letters < _SHORTEST:
        return 0
    return 2 if letters >= _LONG else 1
