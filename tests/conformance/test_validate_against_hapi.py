"""`$validate` beside HAPI: every error of its base R4 validator, at the same element, or a difference with a reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.conformance.comparison import DIFFERENCES, STRICTER, Compared, broken_examples, compared, examples
from tests.servers.hapi import HapiValidator


@pytest.fixture(scope="module")
def on_examples(hapi_validator: HapiValidator) -> list[Compared]:
    return _all_compared(examples(), hapi_validator)


@pytest.fixture(scope="module")
def on_broken(hapi_validator: HapiValidator) -> list[Compared]:
    return _all_compared(broken_examples(), hapi_validator)


def _all_compared(resources: Mapping[str, bytes], validator: HapiValidator) -> list[Compared]:
    return [compared(name, raw, validator.validate(raw)) for name, raw in resources.items()]


def _missed(found: list[Compared]) -> list[tuple[str, str, str]]:
    return [(one.name, finding.location, finding.message) for one in found for finding in one.missed]


@pytest.mark.requirement("OP-04")
def test_every_error_of_hapi_on_official_examples_is_reported_at_its_element(on_examples: list[Compared]) -> None:
    assert len(on_examples) > 200
    assert _missed(on_examples) == []


@pytest.mark.requirement("OP-04")
def test_every_error_of_hapi_on_broken_resources_is_reported_at_its_element(on_broken: list[Compared]) -> None:
    assert len(on_broken) > 800
    assert _missed(on_broken) == []


def test_nothing_is_claimed_that_hapi_does_not_see(on_examples: list[Compared], on_broken: list[Compared]) -> None:
    alarms = [(one.name, issue.expression, issue.text) for one in (*on_examples, *on_broken) for issue in one.extra]
    assert alarms == []


def test_every_listed_difference_is_one(on_examples: list[Compared], on_broken: list[Compared]) -> None:
    met = {row for one in (*on_examples, *on_broken) for row in one.rows}
    assert {row["where"] for row in (*DIFFERENCES, *STRICTER)} - met == set()
