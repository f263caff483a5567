"""What is searched by, and how a search is read."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.search_dates import span_in, span_of
from fhir_mappings.search_parameters import parameters_of, searched_types
from fhir_mappings.search_query import BadParameter, read_search, shown_name
from fhir_mappings.search_values import search_values


def test_every_kept_type_can_be_searched() -> None:
    assert searched_types() == KEPT_TYPES | {"Provenance"}
    for type_ in searched_types():
        names = [one.name for one in parameters_of(type_)]
        assert len(names) == len(set(names)), type_
        assert sum(one.kind == "date" for one in parameters_of(type_)) <= 1, type_


@pytest.mark.parametrize(
    ("text", "first_day", "last_day", "begins", "ends"),
    [
        ("2020", "2020-01-01", "2020-12-31", "2020-01-01T00:00:00.000000", "2020-12-31T23:59:59.999999"),
        ("2020-02", "2020-02-01", "2020-02-29", "2020-02-01T00:00:00.000000", "2020-02-29T23:59:59.999999"),
        # The day stays the one that was written; the instant is in UTC.
        (
            "2020-02-28T23:30:00-05:00",
            "2020-02-28",
            "2020-02-28",
            "2020-02-29T04:30:00.000000",
            "2020-02-29T04:30:00.999999",
        ),
        (
            "2020-02-28T10:00:00.25Z",
            "2020-02-28",
            "2020-02-28",
            "2020-02-28T10:00:00.250000",
            "2020-02-28T10:00:00.259999",
        ),
        ("2020-02-28T10:00", "2020-02-28", "2020-02-28", "2020-02-28T10:00:00.000000", "2020-02-28T10:00:59.999999"),
    ],
)
def test_a_partial_date_is_a_span(text: str, first_day: str, last_day: str, begins: str, ends: str) -> None:
    span = span_of(text)
    assert span is not None
    assert (span.first_day, span.last_day, span.begins, span.ends) == (first_day, last_day, begins, ends)


@pytest.mark.parametrize("text", ["", "soon", "2020-13", "2020-02-30", "20200101", "0000", "2020-01-01T25:00:00Z"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert span_of(text) is None


def test_an_open_period_has_no_end() -> None:
    span = span_in({"effectivePeriod": {"start": "2020-05"}}, ("effective",))
    assert span is not None
    assert (span.first_day, span.last_day) == ("2020-05-01", "9999-12-31")


def test_what_is_searched_by_is_found_in_odd_resources_too() -> None:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": ["final", 7, None, {"code": "x"}],
        "code": {"coding": [{"system": "s", "code": "a\x00"}, {"code": "\ud800"}, "text", None]},
        "category": "vital-signs",
        "identifier": {"value": " 5 "},
        "effectiveDateTime": 2020,
        "subject": {"reference": "Group/1/_history/2"},
        "performer": [{"reference": "Practitioner/1"}],
    }
    found = search_values(resource)
    assert ("Observation.status", "", "final") in found.tokens
    assert ("Observation.code", "s", "a") in found.tokens
    assert ("Observation.code", "", "?") in found.tokens
    assert ("Observation.identifier", "", "5") in found.tokens
    assert found.span is None
    assert found.references == (("Observation.subject", "Group/1"),)
    for value in (None, [], 7, {"resourceType": 3}, {"resourceType": "Spaceship"}):
        assert search_values(value if isinstance(value, dict) else {}).tokens == ()


def test_commas_bars_and_their_escapes() -> None:
    (asked,) = read_search("Observation", [("code", r"s|a\,b,c,|d,s\|t|u,e|")]).asked
    assert asked.tokens == (("s", "a,b"), (None, "c"), ("", "d"), ("s|t", "u"), ("e", None))


def test_what_is_not_known_is_listed_and_what_is_counts() -> None:
    parameters = [("name", "A"), ("colour", "red"), ("_sort", "-birthdate"), ("_count", "0"), ("x", "")]
    read = read_search("Patient", parameters)
    assert read.unknown == ("colour",)
    assert read.understood == (("name", "A"), ("_sort", "-birthdate"), ("_count", "0"))
    assert (read.order, read.descending, read.count) == ("date", True, 0)


@pytest.mark.parametrize("name", ["Name=1970", "a" * 80, "x9", "name surname"])
def test_a_name_that_might_be_anything_is_not_repeated(name: str) -> None:
    assert shown_name(name) == "a parameter"


def test_a_modifier_is_refused() -> None:
    with pytest.raises(BadParameter):
        read_search("Patient", [("name:exact", "A")])
