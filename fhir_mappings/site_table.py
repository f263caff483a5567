"""This file sets injections and findings side by side, region by region and side by side of the body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, FillerInjection, Side
from correlation.words import Words
from fhir_mappings.site_words import region_words

_NO_SIDE: Final = "no_side"
COLUMNS: Final = ("left", "right", "midline", _NO_SIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One region. Each cell holds lines such as `Radiesse 2018-05` (injected) or `calcification 2019-04-20` (seen)."""

    region: str
    injected: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})
    seen: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """The rows, regions with both an injection and a finding first, and only the columns that hold something."""

    columns: tuple[tuple[str, str], ...]  # key of the cells and name in words
    rows: tuple[SiteRow, ...]


def site_table(assessment: Assessment, knowledge: Knowledge) -> SiteTable:
    """Every region with an injection that counts or an assessed finding; what has no site has a row of its own."""
    words = knowledge.words
    rows: dict[str, SiteRow] = {}
    for injection in assessment.timeline.injections:
        if injection.ignored_because is None:
            told = _injected_words(injection, words)
            for region, column in _places(injection.sites, knowledge):
                _add(_row(rows, region).injected[column], told)
    for finding in assessment.findings:
        course = finding.finding
        sentence = "page.first_seen" if course.first_seen else "page.seen_undated"
        told = words.say(sentence, kind=words.term(course.kind), day=words.day(course.first_seen))
        for region, column in _places(() if course.site is None else (course.site,), knowledge):
            _add(_row(rows, region).seen[column], told)
    used = [column for column in COLUMNS if any(row.injected[column] or row.seen[column] for row in rows.values())]
    # Left and right always stand side by side, so that an empty side is seen to be empty.
    columns = tuple((name, _column_words(name, words)) for name in COLUMNS if name in ("left", "right") or name in used)
    return SiteTable(columns=columns, rows=tuple(_merged(sorted(rows.values(), key=_matching_first))))


def _merged(rows: Iterable[SiteRow]) -> list[SiteRow]:
    """Regions with the very same cells share a row."""
    merged: list[SiteRow] = []
    for row in rows:
        alike = next((one for one in merged if one.injected == row.injected and one.seen == row.seen), None)
        if alike is None:
            merged.append(row)
        else:
            joined = SiteRow(region=f"{alike.region}; {row.region}", injected=row.injected, seen=row.seen)
            merged[merged.index(alike)] = joined
    return merged


def _row(rows: dict[str, SiteRow], region: str) -> SiteRow:
    return rows.setdefault(region, SiteRow(region=region))


def _add(lines: list[str], words: str) -> None:
    if words not in lines:
        lines.append(words)


def _places(sites: Iterable[BodySite], knowledge: Knowledge) -> list[tuple[str, str]]:
    places = [
        (region_words(site.region, knowledge), column)
        for site in sites
        for column in ([side.value for side in Side if side in site.sides] or [_NO_SIDE])
    ]
    return places or [(knowledge.words.site(None), _NO_SIDE)]


def _column_words(column: str, words: Words) -> str:
    return words.say("site.no_side") if column == _NO_SIDE else words.term(column)


def _injected_words(injection: FillerInjection, words: Words) -> str:
    name = injection.product or words.material(injection.material)
    return f"{name}, {words.day(injection.performed)}"


def _matching_first(row: SiteRow) -> tuple[bool, bool, str]:
    injected, seen = any(row.injected.values()), any(row.seen.values())
    return (not (injected and seen), not seen, row.region)
