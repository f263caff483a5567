"""This file sets injections and findings side by side, region by region and side by side of the body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from correlation.assessment import Assessment
from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, FillerInjection, Side
from fhir_mappings.site_words import region_words

COLUMNS: Final = ("left", "right", "midline", "side not stated")
_NOT_STATED: Final = "site not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One region. Each cell holds lines such as `Radiesse 2018-05` (injected) or `calcification 2019-04-20` (seen)."""

    region: str
    injected: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})
    seen: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """The rows, regions with both an injection and a finding first, and only the columns that hold something."""

    columns: tuple[str, ...]
    rows: tuple[SiteRow, ...]


def site_table(assessment: Assessment, knowledge: Knowledge) -> SiteTable:
    """Every region with an injection that counts or an assessed finding; what has no site has a row of its own."""
    rows: dict[str, SiteRow] = {}
    for injection in assessment.timeline.injections:
        if injection.ignored_because is None:
            words = _injected_words(injection, knowledge)
            for region, column in _places(injection.sites, knowledge):
                _add(_row(rows, region).injected[column], words)
    for finding in assessment.findings:
        course = finding.finding
        when = f"first seen {course.first_seen}" if course.first_seen else "date not known"
        words = f"{course.kind.replace('_', ' ')}, {when}"
        for region, column in _places(() if course.site is None else (course.site,), knowledge):
            _add(_row(rows, region).seen[column], words)
    used = [column for column in COLUMNS if any(row.injected[column] or row.seen[column] for row in rows.values())]
    # Left and right always stand side by side, so that an empty side is seen to be empty.
    columns = tuple(column for column in COLUMNS if column in ("left", "right") or column in used)
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
        for column in ([side.value for side in Side if side in site.sides] or [COLUMNS[-1]])
    ]
    return places or [(_NOT_STATED, COLUMNS[-1])]


def _injected_words(injection: FillerInjection, knowledge: Knowledge) -> str:
    material = knowledge.materials.get(injection.material)
    name = injection.product or (material.name if material else injection.material.replace("_", " "))
    return f"{name}, {injection.performed or 'date not known'}"


def _matching_first(row: SiteRow) -> tuple[bool, bool, str]:
    injected, seen = any(row.injected.values()), any(row.seen.values())
    return (not (injected and seen), not seen, row.region)
