from dataclasses import replace
from decimal import Decimal

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.lab_words import lab_state, range_words, value_words, worth_showing
from tests.unit.fhir_mappings.assessments import LABS

CALCIUM, PHOSPHATE = LABS
WORDS = load_knowledge().words


@pytest.mark.parametrize(
    ("value", "comparator", "state"),
    [
        ("9.4", None, "in range"),
        ("10.3", None, "high"),
        ("8.5", None, "low"),
        ("10.2", ">", "high"),
        ("9.0", ">", "no range"),
        ("8.6", "<", "low"),
        ("12", "<", "no range"),
    ],
)
def test_state_of_a_value_and_of_a_limit(value: str, comparator: str | None, state: str) -> None:
    assert lab_state(replace(CALCIUM, value=Decimal(value), comparator=comparator)) == state


def test_half_ranges_and_words() -> None:
    assert lab_state(replace(CALCIUM, low=None, value=Decimal("3"), comparator="<")) == "in range"
    assert lab_state(replace(CALCIUM, high=None, value=Decimal("90"), comparator=">=")) == "in range"
    assert lab_state(replace(CALCIUM, low=None, high=None)) == "no range"
    assert lab_state(replace(CALCIUM, value=None, qualitative="positive")) == "positive"
    assert lab_state(replace(CALCIUM, unusable_because="unit")) == "not usable"
    assert range_words(replace(CALCIUM, low=None), WORDS) == "up to 10.2 mg/dL"
    assert range_words(replace(CALCIUM, high=None), WORDS) == "from 8.6 mg/dL"
    assert range_words(PHOSPHATE, WORDS) == "2.5 to 4.5 mg/dL (adult default)"


def test_the_range_is_shown_in_the_unit_of_the_written_value() -> None:
    written = replace(PHOSPHATE, range_as_written="0.81 to 1.45 mmol/L")
    assert range_words(written, WORDS) == "0.81 to 1.45 mmol/L (adult default)"


def test_value_is_shown_as_reported_and_conversions_are_said() -> None:
    assert value_words(CALCIUM) == "9.40 mg/dL"
    assert value_words(PHOSPHATE) == "1.61 mmol/L (= 5.0 mg/dL)"
    converted = replace(PHOSPHATE, value=Decimal("4.9863510000"), as_written="1.61 mmol/L")
    assert value_words(converted) == "1.61 mmol/L (= 4.986 mg/dL)"
    assert value_words(replace(CALCIUM, value=None, qualitative="negative")) == "negative"


def test_earlier_results_in_range_are_counted_not_shown() -> None:
    shown, hidden = worth_showing([CALCIUM, replace(CALCIUM, collected=None), replace(PHOSPHATE, collected=None)])
    assert (len(shown), hidden) == (2, 1)
