"""This file reads dates in prose: "03/2022", "12.05.2021", "marzo de 2022", "Sept 2019", a year alone.

The order of day and month differs by country: where both readings are possible, the range spans them. Nothing is
invented: a year stays a year, and a text with dates of several years gives none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from correlation.dates import DateRange
from fhir_mappings.folding import fold

_MONTHS: Final = (
    ("jan", "ene"), ("feb",), ("mar",), ("apr", "abr"), ("may",), ("jun",),
    ("jul",), ("aug", "ago"), ("sep", "set"), ("oct",), ("nov",), ("dec", "dic"),
)  # fmt: skip
_MONTH_OF: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_YEAR: Final = r"(?P<year>(?:19|20)\d{2})(?!\d)"
_NAMED: Final = re.compile(
    rf"\b(?P<month>{'|'.join(_MONTH_OF)})[a-z]*\.?,?\s+(?:de[l]?\s+|of\s+)?(?:\d{{1,2}},?\s+)?{_YEAR}"
)
_ISO: Final = re.compile(rf"(?<!\d){_YEAR}-(?P<month>\d{{1,2}})(?:-(?P<day>\d{{1,2}}))?(?!\d)")
_FULL: Final = re.compile(rf"(?<!\d)(?P<first>\d{{1,2}})[/.-](?P<second>\d{{1,2}})[/.-]{_YEAR}")
_SHORT: Final = re.compile(rf"(?<![\d/.-])(?P<month>\d{{1,2}})[/-]{_YEAR}")
_DECADE: Final = re.compile(
    r"\b(?:(?P<century>19|20)(?P<decade>\d)0s|(?:anos|decada de los|the|')\s*'?(?P<short>[3-9])0s?(?!\d))"
)
_ALONE: Final = re.compile(rf"(?<![\d/.,-]){_YEAR}(?![\d/,-]|s\b|\.\d|\s*(?:ml|mg|cc|ui|iu)\b)")

_OTHER_NUMBER: Final = re.compile(
    r"\b(?:exp\w*|cad\w*|lote?|batch|serie|serial|sn|ref|udi)\b[^,;]{0,24}"
)  # of the syringe


def date_in_words(text: str) -> DateRange | None:
    """The date a text names, as precise as it is written; `None` where it names none, or several.

    >>> str(date_in_words("Radiesse, marzo de 2022"))
    '2022-03'
    >>> str(date_in_words("filler 03/04/2021"))
    '2021-03-04 to 2021-04-03'
    """
    folded = _OTHER_NUMBER.sub(" ", fold(text))
    for found in (
        _each(_ISO, folded),
        _each(_FULL, folded),
        _each(_NAMED, folded),
        _each(_SHORT, folded),
        _each(_ALONE, folded),
    ):
        dates = list(dict.fromkeys(found))
        if dates:
            return dates[0] if len(dates) == 1 else None
    decade = _DECADE.search(folded)
    if decade is None:
        return None
    first = int(f"{decade['century'] or 19}{decade['decade'] or decade['short']}0")
    return DateRange(earliest=date(first, 1, 1), latest=date(first + 9, 12, 31))


def _each(pattern: re.Pattern[str], folded: str) -> Iterable[DateRange]:
    for match in pattern.finditer(folded):
        read = _range(match.groupdict())
        if read is not None:
            yield read


def _range(parts: dict[str, str | None]) -> DateRange | None:
    year, month, day = int(parts["year"] or 0), parts.get("month"), parts.get("day")
    try:
        if parts.get("first"):
            return _either_order(year, int(parts["first"] or 0), int(parts["second"] or 0))
        if month is None:
            return DateRange.year(year)
        number = _MONTH_OF.get(month[:3]) or int(month)
        return DateRange.day(date(year, number, int(day))) if day else DateRange.month(year, number)
    except ValueError:
        return None


def _either_order(year: int, first: int, second: int) -> DateRange | None:
    days = [day for one, other in ((first, second), (second, first)) if (day := _day(year, one, other)) is not None]
    return DateRange(earliest=min(days), latest=max(days)) if days else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
