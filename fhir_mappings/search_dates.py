"""This file reads FHIR dates as spans of time for searching: the days as they were written, and the instants in UTC.

Days are compared as written, as a clinician means them; instants with an offset are compared in UTC. A time without
offset counts as UTC, in what is stored and in what is asked alike.
FHIR R4 https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from fhir_mappings.elements import mapping, string

_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?"
)
FIRST_DAY: Final = "0001-01-01"
LAST_DAY: Final = "9999-12-31"
_SECOND: Final = timedelta(seconds=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first to the last day and from the first to the last microsecond, both ends included.

    `timed` tells a time of day from a date.
    """

    first_day: str
    last_day: str
    begins: str
    ends: str
    timed: bool = False

    def ends_as_text(self) -> dict[str, str]:
        """Its four ends by name, as the record keeps them."""
        return {"first_day": self.first_day, "last_day": self.last_day, "begins": self.begins, "ends": self.ends}


@lru_cache(maxsize=4096)
def span_of(text: str) -> Span | None:
    """A FHIR date, dateTime or instant as a span; None where it is none.

    >>> (span_of("2018-02").first_day, span_of("2018-02").last_day)
    ('2018-02-01', '2018-02-28')
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        if hour is None:
            return _days(int(year), int(month or 0), int(day or 0))
        return _instant(f"{year}-{month}-{day}", f"{hour}:{minute}:{second or '00'}", second, fraction, zone)
    except (ValueError, OverflowError):
        return None


def span_in(resource: dict[str, Any], path: tuple[str, ...]) -> Span | None:
    """The span of an element of a resource: a date in any of its forms, or a Period. None where there is none."""
    found: dict[str, Any] = resource
    for step in path[:-1]:
        found = mapping(found.get(step))
    stem = path[-1]
    for name in (stem, f"{stem}DateTime", f"{stem}Instant"):
        value = found.get(name)
        if isinstance(value, str):
            return span_of(value.strip())
        if isinstance(value, dict):
            return _period(value)
    period = found.get(f"{stem}Period")
    return _period(period) if isinstance(period, dict) else None


def _period(period: dict[str, Any]) -> Span | None:
    start, end = span_of(string(period.get("start"))), span_of(string(period.get("end")))
    if start is None and end is None:
        return None
    return Span(
        first_day=start.first_day if start else FIRST_DAY,
        last_day=end.last_day if end else LAST_DAY,
        begins=start.begins if start else f"{FIRST_DAY}T00:00:00.000000",
        ends=end.ends if end else f"{LAST_DAY}T23:59:59.999999",
    )


def _days(year: int, month: int, day: int) -> Span:
    first = datetime(year, month or 1, day or 1)
    last_month = month or 12
    last = datetime(year, last_month, day or monthrange(year, last_month)[1])
    days = (first.date().isoformat(), last.date().isoformat())
    return Span(
        first_day=days[0], last_day=days[1], begins=f"{days[0]}T00:00:00.000000", ends=f"{days[1]}T23:59:59.999999"
    )


def _instant(day: str, time: str, second: str | None, fraction: str | None, zone: str | None) -> Span:
    offset = "+00:00" if zone in (None, "Z") else zone
    begins = datetime.fromisoformat(f"{day}T{time}.{(fraction or '0')[:6]:0<6}{offset}").astimezone(UTC)
    if fraction is None:
        ends = begins + (_SECOND if second else timedelta(minutes=1)) - _TICK
    else:
        ends = begins + timedelta(microseconds=10 ** max(6 - len(fraction), 0)) - _TICK
    return Span(first_day=day, last_day=day, begins=_written(begins), ends=_written(ends), timed=True)


def _written(when: datetime) -> str:
    return when.replace(tzinfo=None).isoformat(timespec="microseconds")
