"""Observations as laboratory results."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from correlation.timeline import LabResult
from tests.unit.fhir_mappings.reading import details, lab, mapped


def one(**fields: Any) -> LabResult:
    (result,) = mapped(lab(**fields)).timeline.labs
    return result


@pytest.mark.requirement("OB-02")
def test_a_value_stands_in_its_own_unit() -> None:
    assert one().value == Decimal("9") * Decimal("0.2495")


@pytest.mark.requirement("OB-02")
def test_the_code_wins_over_the_printed_unit() -> None:
    quantity = {"value": 9, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
    found = mapped(lab(valueQuantity=quantity))
    assert found.timeline.labs[0].value == Decimal("9") * Decimal("0.2495")
    assert details(found)["mixed-units"] == "Bundle.entry[1].resource.value"


def test_a_test_without_a_code_is_known_by_its_whole_name() -> None:
    assert one(code={"text": "Fósforo"}, valueQuantity={"value": 3, "unit": "mg/dl"}).test == "phosphate"
    assert mapped(lab(code={"text": "Calcium in something else"})).timeline.labs == ()


@pytest.mark.parametrize(
    ("quantity", "detail"),
    [
        ({"value": 9}, "no-unit"),
        ({"value": 9, "unit": "furlong"}, "unknown-unit"),
        ({"value": 90, "unit": "mg/dL"}, "impossible-value"),
    ],
)
@pytest.mark.requirement("OB-02")
def test_what_cannot_be_used_says_why(quantity: dict[str, Any], detail: str) -> None:
    found = mapped(lab(valueQuantity=quantity))
    assert found.timeline.labs[0].value is None
    assert found.timeline.labs[0].unusable_because
    assert details(found)[detail] == "Bundle.entry[1].resource.value"


@pytest.mark.requirement("OB-01")
def test_a_comparator_is_kept_and_said() -> None:
    found = mapped(lab(valueQuantity={"value": 5, "comparator": "<", "unit": "mg/dL"}))
    assert found.timeline.labs[0].comparator == "<"
    assert "comparator" in details(found)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ({"low": {"value": 8, "unit": "mg/dL"}}, (Decimal("8") * Decimal("0.2495"), None)),
        ({"text": "8 - 10 mg/dL"}, (Decimal("8") * Decimal("0.2495"), Decimal("10") * Decimal("0.2495"))),
        ({"text": "8,0 a 10,0"}, (Decimal("8.0") * Decimal("0.2495"), Decimal("10.0") * Decimal("0.2495"))),
        ({"text": "< 10"}, (None, Decimal("10") * Decimal("0.2495"))),
    ],
)
@pytest.mark.requirement("OB-01")
def test_ranges_in_numbers_and_words(written: dict[str, Any], limits: tuple[Decimal | None, Decimal | None]) -> None:
    found = one(referenceRange=[written])
    assert (found.low, found.high, found.range_is_default) == (*limits, False)


def test_without_a_range_the_adult_default_is_marked() -> None:
    assert one().range_is_default


@pytest.mark.parametrize("text", ["Positive", "POSITIVO", "Positive 1:160"])
def test_words_for_positive(text: str) -> None:
    value = {"code": {"text": "Centromere Ab"}, "valueString": text}
    result = lab(**value)
    del result["valueQuantity"]
    assert mapped(result).timeline.labs[0].qualitative == "positive"


def test_a_titre_is_a_number_with_a_range_in_words() -> None:
    result = lab(code={"text": "ANA titer"}, valueString="1:160", referenceRange=[{"text": "< 1:80"}])
    del result["valueQuantity"]
    (found,) = mapped(result).timeline.labs
    assert (found.value, found.high) == (Decimal(160), Decimal(80))


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_some_statuses_are_left_out(status: str) -> None:
    assert mapped(lab(status=status)).timeline.labs == ()


def test_preliminary_is_marked() -> None:
    assert one(status="preliminary").preliminary


_MG_DL = {"low": {"value": Decimal("8.60"), "unit": "mg/dL"}, "high": {"value": Decimal("10.2"), "unit": "mg/dL"}}
_MMOL = {"low": {"value": Decimal("2.15"), "unit": "mmol/L"}, "high": {"value": Decimal("2.55"), "unit": "mmol/L"}}


@pytest.mark.parametrize(
    ("quantity", "written", "words"),
    [
        ({"value": 9, "unit": "mg/dL"}, _MG_DL, "8.60 to 10.2 mg/dL"),
        ({"value": 9, "unit": "mg/dL"}, _MMOL, "8.617 to 10.22 mg/dL"),
        ({"value": 9, "unit": "mg/dL"}, {}, "8.617 to 10.22 mg/dL"),
        ({"value": 9, "unit": "mg/dL"}, {"text": "< 10"}, "up to 10 mg/dL"),
        ({"value": 9, "unit": "MG/DL", "code": "mg/dL"}, _MG_DL, "8.60 to 10.2 MG/DL"),
        ({"value": 9, "unit": "mmol/L", "code": "mg/dL"}, _MG_DL, "8.60 to 10.2 mg/dL"),
        ({"value": Decimal("2.3"), "unit": "mmol/L"}, _MG_DL, "2.146 to 2.545 mmol/L"),
        ({"value": 9, "unit": "furlong"}, {}, "2.15 to 2.55 mmol/L"),
        ({"value": 9}, {"text": "8.6 - 10.2"}, "2.15 to 2.55 mmol/L"),
    ],
)
def test_the_range_is_said_in_the_unit_of_the_value(
    quantity: dict[str, Any], written: dict[str, Any], words: str
) -> None:
    assert one(valueQuantity=quantity, referenceRange=[written]).range_as_written == words


def test_the_range_of_a_titre_is_said_as_a_titre() -> None:
    result = lab(code={"text": "ANA titer"}, valueString="1:160", referenceRange=[{"text": "< 1:80"}])
    del result["valueQuantity"]
    assert mapped(result).timeline.labs[0].range_as_written == "up to 1:80"
