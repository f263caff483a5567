"""This file keeps dates as ranges, because a record that says "2018" knows a year and no day.

Nothing here ever fills in a missing month. Comparisons answer yes, no or `None` (not known).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

DAYS_PER_MONTH = 30.4375  # mean Gregorian month; used only to say how long ago, never to order events


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """Days between which something happened: `earliest` to `latest`, both inclusive."""

    earliest: date
    latest: date

    def __post_init__(self) -> None:
        if self.earliest > self.latest:
            raise ValueError("a date range cannot end before it begins")

    @classmethod
    def day(cls, value: date) -> DateRange:
        """The range of one known day."""
        return cls(earliest=value, latest=value)

    @classmethod
    def month(cls, year: int, month: int) -> DateRange:
        """A month whose day is not known."""
        return cls(earliest=date(year, month, 1), latest=date(year, month, monthrange(year, month)[1]))

    @classmethod
    def year(cls, year: int) -> DateRange:
        """A year whose month is not known."""
        return cls(earliest=date(year, 1, 1), latest=date(year, 12, 31))

    @property
    def is_one_day(self) -> bool:
        """Whether the day is known exactly."""
        return self.earliest == self.latest

    def before(self, other: DateRange) -> bool | None:
        """Did all of this happen before all of `other`? `None` where the two ranges touch or overlap.

        >>> DateRange.year(2018).before(DateRange.day(date(2019, 4, 20)))
        True
        >>> DateRange.year(2018).before(DateRange.day(date(2018, 6, 1))) is None
        True
        >>> DateRange.year(2020).before(DateRange.day(date(2019, 4, 20)))
        False
        """
        if self.latest < other.earliest:
            return True
        if self.earliest > other.latest:
            return False
        return None

    def days_until(self, other: DateRange) -> tuple[int, int]:
        """Least and most days from this to `other`; negative where this may lie after `other`."""
        return (other.earliest - self.latest).days, (other.latest - self.earliest).days

    def months_until(self, other: DateRange) -> tuple[int, int]:
        """Least and most whole months from this to `other`, rounded towards zero."""
        least, most = self.days_until(other)
        return int(least / DAYS_PER_MONTH), int(most / DAYS_PER_MONTH)

    def __str__(self) -> str:
        """As it was known: `2018`, `2018-05`, `2018-05-01` or `2018-05-01 to 2018-06-03`."""
        first, last = self.earliest, self.latest
        if first == last:
            return first.isoformat()
        if first.day == 1 and first.year == last.year and last.day == monthrange(last.year, last.month)[1]:
            if first.month == last.month:
                return f"{first.year:04d}-{first.month:02d}"
            if (first.month, last.month) == (1, 12):
                return f"{first.year:04d}"
        return f"{first.isoformat()} to {last.isoformat()}"
