"""Ranges of days: what is refused, and how each is written."""

from __future__ import annotations

from datetime import date

import pytest

from correlation.dates import DateRange


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        (date(2018, 5, 1), date(2018, 5, 1), "2018-05-01"),
        (date(2018, 5, 1), date(2018, 5, 31), "2018-05"),
        (date(2018, 1, 1), date(2018, 12, 31), "2018"),
        (date(2018, 3, 1), date(2018, 4, 30), "2018-03-01 to 2018-04-30"),
        (date(2018, 5, 2), date(2019, 6, 3), "2018-05-02 to 2019-06-03"),
    ],
)
def test_a_range_is_written_as_it_was_known(first: date, last: date, written: str) -> None:
    assert str(DateRange(earliest=first, latest=last)) == written


def test_a_range_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="cannot end before"):
        DateRange(earliest=date(2019, 1, 2), latest=date(2019, 1, 1))
