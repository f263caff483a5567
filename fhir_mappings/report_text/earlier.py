"""This file reads which earlier year a report compares with: "unchanged since 2015", "COMPARISON: CT of 12/03/2015".

What was already there on an older study cannot come from a filler injected later, so the year matters even where
the older study itself is not on record. Only the year is taken: the order of day and month differs by country.
"""

from __future__ import annotations

import re
from dataclasses import replace

from correlation.dates import DateRange
from correlation.timeline import Certainty, ImagingFinding
from correlation.words import Words
from fhir_mappings.folding import fold

SEEN_BEFORE = frozenset({"stable", "decreased", "increased"})  # changes that say it was there on the older study

_YEAR = r"[^.;:\n]{0,60}?(?<![\d,])(?:\d{1,2}[/.-]){0,2}((?:19|20)\d{2})(?!\d)"
_SINCE = re.compile(
    r"\b(?:since|compared? (?:with|to)|comparison with|prior|previous|desde|respecto|previ[oa]s?|anterior(?:es)?|"
    r"comparad[oa]s?)\b" + _YEAR
)
_COMPARISON = re.compile(r"\b(?:comparisons?|comparacion|comparativa|estudios? previos?)\b\s*:?" + _YEAR)


def comparison_year(text: str) -> int | None:
    """The newest year that a report's comparison section names."""
    return max((int(found) for found in _COMPARISON.findall(fold(text))), default=None)


def with_earlier_mention(
    finding: ImagingFinding, *, compared_with: int | None, words: Words
) -> tuple[ImagingFinding, ...]:
    """The finding, and where it was already there on an older study its mention of then, known from these words."""
    if finding.change not in SEEN_BEFORE or finding.seen is None or finding.certainty is Certainty.NEGATED:
        return (finding,)
    named = [int(year) for year in _SINCE.findall(fold(finding.quote))]
    year = max(named, default=compared_with)
    if year is None or year >= finding.seen.earliest.year:
        return (finding,)
    how = words.say("read.compared", how=finding.recognised_by)
    earlier = replace(
        finding, seen=DateRange.year(year), exam=None, certainty=Certainty.HISTORY, change=None, recognised_by=how
    )
    return (earlier, finding)
