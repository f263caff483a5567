"""This file reads FHIR's partial dates as ranges. A year stays a year: no month, day or time zone is ever invented.

The calendar day is the one that was written where the event took place; the offset is left aside on purpose.
FHIR R4: https://hl7.org/fhir/R4/datatypes.html#dateTime, https://hl7.org/fhir/R4/datatypes.html#Period
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from correlation.dates import DateRange
from fhir_mappings.elements import mapping, string
from fhir_mappings.issues import INFORMATION, WARNING, Issue

_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?)?)?")
_UNREAD_CHOICES: Final = ("Timing", "String", "Age", "Range")
_ZONE_SLACK: Final = timedelta(days=1)
"""Where it is tomorrow already, today's date is not in the future."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDate:
    """A date as read, and what was wrong with it."""

    when: DateRange | None
    issues: tuple[Issue, ...] = ()


def read_date(value: object) -> DateRange | None:
    """A FHIR date, dateTime or instant as a range; `None` where it is not one.

    >>> str(read_date("2018"))
    '2018'
    >>> str(read_date("2018-05-01T23:30:00-05:00"))
    '2018-05-01'
    """
    found = _DATE.fullmatch(string(value))
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        if year is None or month is None:
            return DateRange.year(year or 0)
        return DateRange.month(year, month) if day is None else DateRange.day(date(year, month, day))
    except ValueError:
        return None


def read_when(resource: dict[str, Any], *, stem: str, path: str, what: str) -> ReadDate:
    """The date of a choice such as `performed[x]`: dateTime, date, instant or Period. No date gives an issue.

    `what` names the thing in the issue's sentence. Timing, string, Age and Range are not read: they give an issue.
    """
    where = f"{path}.{stem}"
    for kind in ("DateTime", "Instant", "Date", ""):
        value = resource.get(f"{stem}{kind}")
        if isinstance(value, str) and value.strip():
            return _checked(read_date(value), where=where)
    period = resource.get(f"{stem}Period")
    if isinstance(period, dict) and ("start" in period or "end" in period):
        return read_period(period, path=where)
    if any(f"{stem}{kind}" in resource for kind in _UNREAD_CHOICES):
        text = f"{stem}[x] is read as dateTime or Period only: send one of them, as precise as it is known."
        return ReadDate(when=None, issues=(no_date(where, text),))
    text = f"{what} has no date: send {stem}[x], a year alone is enough. Until then its date counts as not known."
    return ReadDate(when=None, issues=(no_date(where, text),))


def read_period(period: object, *, path: str) -> ReadDate:
    """A Period from the first possible day of its start to the last of its end.

    With one end open only the given end is used, with an issue: the other is not known.
    """
    start, end = (read_date(mapping(period).get(name)) for name in ("start", "end"))
    if start is None and end is None:
        return _checked(None, where=path)
    if start is None or end is None:
        issue = Issue(
            severity=INFORMATION,
            code="incomplete",
            detail="open-period",
            text="One end of this period is missing or cannot be read; the given end was taken as the date.",
            expression=(path,),
        )
        return ReadDate(when=start or end, issues=(issue,))
    if start.earliest > end.latest:
        text = "The period ends before it begins: correct start or end. Until then its date counts as not known."
        return ReadDate(when=None, issues=(impossible_date(path, text),))
    return ReadDate(when=DateRange(earliest=start.earliest, latest=max(start.latest, end.latest)))


def possible(
    when: DateRange | None, *, birth: DateRange | None, as_of: date, path: str
) -> tuple[DateRange | None, tuple[Issue, ...]]:
    """The date, or `None` and an issue where it lies before birth or after `as_of`."""
    if when is None:
        return None, ()
    if when.earliest > as_of + _ZONE_SLACK:
        text = "This date lies in the future: correct it. Until then it counts as not known."
        return None, (impossible_date(path, text),)
    if birth is not None and when.latest < birth.earliest:
        text = "This date lies before the patient's birth: correct one of the two. Until then it counts as not known."
        return None, (impossible_date(path, text),)
    return when, ()


def no_date(path: str, text: str) -> Issue:
    """The issue of a date that is missing."""
    return Issue(severity=WARNING, code="required", detail="no-date", text=text, expression=(path,))


def impossible_date(path: str, text: str) -> Issue:
    """The issue of a date that cannot be true."""
    return Issue(severity=WARNING, code="business-rule", detail="impossible-date", text=text, expression=(path,))


def _checked(when: DateRange | None, *, where: str) -> ReadDate:
    if when is not None:
        return ReadDate(when=when)
    text = "This date cannot be read: send YYYY, YYYY-MM, YYYY-MM-DD or a full instant. Until then it is not known."
    return ReadDate(
        when=None, issues=(Issue(severity=WARNING, code="value", detail="no-date", text=text, expression=(where,)),)
    )
