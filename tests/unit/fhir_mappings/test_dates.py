"""Partial dates, periods, impossible dates."""

from __future__ import annotations

import pytest

from fhir_mappings.dates import read_date, read_period
from tests.unit.fhir_mappings.reading import PATIENT, details, mapped, procedure


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018", "2018"),
        ("2018-05", "2018-05"),
        ("2018-05-01", "2018-05-01"),
        ("2018-05-01T23:30:00-05:00", "2018-05-01"),
        ("2018-05-01T00:30:00.123+14:00", "2018-05-01"),
    ],
)
@pytest.mark.requirement("DT-01")
def test_a_date_stays_as_precise_as_it_is(written: str, read: str) -> None:
    assert str(read_date(written)) == read


@pytest.mark.requirement("DT-01")
@pytest.mark.parametrize("written", ["", "2018-13", "2018-02-30", "0000", "18", "May 2018", None, 2018])
def test_what_is_no_date_is_none(written: object) -> None:
    assert read_date(written) is None


@pytest.mark.requirement("DT-01")
def test_a_period_spans_both_ends() -> None:
    assert str(read_period({"start": "2018-05", "end": "2018-06"}, path="x").when) == "2018-05-01 to 2018-06-30"


@pytest.mark.parametrize("period", [{"start": "2019", "end": "2018"}, {"start": "x"}, {}])
def test_a_period_that_cannot_be_is_not_known(period: dict[str, str]) -> None:
    read = read_period(period, path="x")
    assert read.when is None
    assert read.issues


@pytest.mark.parametrize("written", ["1950", "2031-01-01"])
def test_before_birth_and_in_the_future_are_not_known(written: str) -> None:
    found = mapped(procedure(performedDateTime=written))
    assert found.timeline.injections[0].performed is None
    assert details(found)["impossible-date"] == "Bundle.entry[1].resource.performed"


def test_timing_and_strings_are_not_dates() -> None:
    told = procedure(performedString="last spring")
    del told["performedDateTime"]
    assert details(mapped(told))["no-date"] == "Bundle.entry[1].resource.performed"


def test_age_is_a_range_where_the_birth_date_is_partial() -> None:
    found = mapped(patient={**PATIENT, "birthDate": "1971"})
    assert found.timeline.age_years == (54, 55)
