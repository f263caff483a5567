"""This file tells how surely a thing was said: negated, possible, known from before, only asked about, or stated.

After ConText (Chapman 2007): a trigger reaches forward or backward within its clause until something ends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

from fhir_mappings.phrases import Match
from fhir_mappings.report_text.marks import Head, Marked

_NEGATION_REACH = 18
_UNCERTAIN_REACH = 8
_HISTORY_REACH = 6
_ADJECTIVES = 2


class Said(StrEnum):
    """How a thing was said in its sentence."""

    STATED = "stated"
    NEGATED = "negated"
    POSSIBLE = "possible"
    HISTORY = "history"
    HYPOTHETICAL = "hypothetical"


def clauses(marked: Marked) -> list[tuple[int, int]]:
    """Part a sentence at semicolons and at words such as "but", "however", "in addition"."""
    borders = [(index, index + 1) for index, word in enumerate(marked.words.words) if word == ";"]
    borders += [(match.start, match.end) for match in marked.found.get("terminator", ())]
    borders += [(index, index + 1) for index in _commas_before_statements(marked)]
    parts: list[tuple[int, int]] = []
    start = 0
    for border_start, border_end in sorted(borders):
        if border_start > start:
            parts.append((start, border_start))
        start = max(start, border_end)
    if start < len(marked.words):
        parts.append((start, len(marked.words)))
    return parts


def _commas_before_statements(marked: Marked) -> Iterable[int]:
    """Find commas behind which a run-on sentence says something of its own: ", there is …", ", the orbits are …"."""
    commas = [index for index, letter in enumerate(marked.marks) if letter == "c"]
    for index, following in pairwise([*commas, len(marked.words)]):
        segment = marked.marks[index + 1 : following]
        if "h" not in marked.marks[:index] or not segment:
            continue
        opens = any(
            match.payload == "scope_end" and match.start == index + 1 for match in marked.found.get("scope", ())
        )
        if opens or (
            not set("hb") & set(segment) and segment[0] not in "wgp" and _says_normal(marked, index, following)
        ):
            yield index


def _says_normal(marked: Marked, start: int, end: int) -> bool:
    return any(
        match.end >= end - 1 or marked.marks[match.start - 1] == "p"
        for match in marked.all("normal", start=start + 1, end=end)
    )


def said(head: Head, marked: Marked, *, start: int, end: int) -> Said:
    """Tell how a head was said, looking only at the clause from `start` to `end`."""
    scopes = marked.all("scope", start=start, end=end)
    if any(_before(match, head, marked, reach=len(marked.words)) for match in _named(scopes, "hypothetical_before")):
        return Said.HYPOTHETICAL
    if any(_uncertain(match, head, marked) for match in scopes):
        return Said.POSSIBLE
    if any(_negates(match, head, marked, scopes, end) for match in scopes):
        return Said.NEGATED
    if any(_before(match, head, marked, reach=_HISTORY_REACH) for match in _named(scopes, "history_before")):
        return Said.HISTORY
    if any(_after(match, head, marked) for match in _named(scopes, "history_after")):
        return Said.HISTORY
    if any(_beside(match, head, marked, reach=_HISTORY_REACH) for match in _named(scopes, "history_beside")):
        return Said.HISTORY
    return Said.STATED


def _named(scopes: Iterable[Match[str]], name: str) -> list[Match[str]]:
    return [match for match in scopes if match.payload == name]


def _before(match: Match[str], head: Head, marked: Marked, *, reach: int) -> bool:
    """Say whether a trigger stands before the head, close enough, with no comma between."""
    return match.end <= head.start <= match.end + reach and "c" not in marked.marks[match.end : head.start]


def _after(match: Match[str], head: Head, marked: Marked) -> bool:
    """Say whether a trigger stands behind the head; behind a comma it belongs to a nearer head, if there is one."""
    if match.start < head.end:
        return False
    comma = marked.marks.rfind("c", head.end, match.start)
    return comma < 0 or "h" not in marked.marks[comma : match.start]


def _uncertain(match: Match[str], head: Head, marked: Marked) -> bool:
    if match.payload == "uncertain_before":
        return _before(match, head, marked, reach=_UNCERTAIN_REACH) or _stands_last(match, head, marked)
    if match.payload == "uncertain_beside":
        return _beside(match, head, marked, reach=_UNCERTAIN_REACH)
    if match.payload == "uncertain_after" and marked.words.words[match.start] == "?":
        return _after(match, head, marked) or _before(match, head, marked, reach=_ADJECTIVES)
    return match.payload == "uncertain_after" and _after(match, head, marked)


def _stands_last(match: Match[str], head: Head, marked: Marked) -> bool:
    """Say whether a trigger closes the sentence, as in "calcification suspected": then it reaches backward."""
    return match.end >= len(marked.words) - 1 and _after(match, head, marked)


def _beside(match: Match[str], head: Head, marked: Marked, *, reach: int) -> bool:
    """Say whether an adjective stands before the head, or right behind it with no more than adjectives between."""
    if _before(match, head, marked, reach=reach):
        return True
    between = marked.marks[head.end : match.start]
    return head.end <= match.start <= head.end + _ADJECTIVES and all(letter in "mxk" for letter in between)


def _negates(match: Match[str], head: Head, marked: Marked, scopes: list[Match[str]], end: int) -> bool:
    if match.payload == "negation_after":
        return _after(match, head, marked)
    if match.payload == "negation_either" and _after(match, head, marked):
        return marked.marks[match.end : match.end + 1] in ("", "p", "c") or match.end >= len(marked.words) - 1
    if match.payload == "negation_before" and head.end <= match.start and match.end >= end - 1:
        last = match.end == end or marked.words.words[match.end] == "."
        return last and marked.words.words[match.start - 1] == ":" and _after(match, head, marked)  # "mass: no."
    if (
        match.payload not in ("negation_before", "negation_either")
        or not match.end <= head.start <= match.end + _NEGATION_REACH
    ):
        return False
    if any(other.payload == "scope_end" and match.end <= other.start < head.start for other in scopes):
        return False
    comma = marked.marks.find("c", match.end, head.start)
    # "No mass, adenopathy or calcification": the comma lists; "no mass, calcific plaques in the fat": it ends.
    return comma < 0 or bool(marked.all("or", start=comma, end=end))
