"""What FHIR R4 means by its resources: every form of a date and of a value, statuses, studies, units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from correlation.timeline import Side
from fhir_mappings.dates import read_date
from fhir_mappings.validation import validate
from tests.unit.fhir_mappings.reading import details, lab, mapped, procedure, study

VALUES: dict[str, Any] = {
    "valueQuantity": {"value": 9, "unit": "mg/dL"},
    "valueCodeableConcept": {"text": "positive"},
    "valueString": "9 mg/dL",
    "valueBoolean": True,
    "valueInteger": 9,
    "valueRange": {"low": {"value": 8, "unit": "mg/dL"}, "high": {"value": 9, "unit": "mg/dL"}},
    "valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 160}},
    "valueSampledData": {"origin": {"value": 1}, "period": 1, "dimensions": 1, "data": "1 2"},
    "valueTime": "10:00:00",
    "valueDateTime": "2019-10-29",
    "valuePeriod": {"start": "2019-10-29"},
}
PERFORMED: dict[str, tuple[Any, str | None]] = {
    "performedDateTime": ("2018-05", "2018-05"),
    "performedPeriod": ({"start": "2018-05-01", "end": "2018-05-03"}, "2018-05-01 to 2018-05-03"),
    "performedString": ("last spring", None),
    "performedAge": ({"value": 47, "unit": "a", "system": "http://unitsofmeasure.org", "code": "a"}, None),
    "performedRange": ({"low": {"value": 46, "unit": "a"}, "high": {"value": 48, "unit": "a"}}, None),
}


def without(resource: dict[str, Any], stem: str) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if not key.startswith(stem)}


@pytest.mark.requirement("OB-01")
@pytest.mark.parametrize("element", sorted(VALUES))
def test_every_type_of_value_is_valid_and_costs_nothing(element: str) -> None:
    observation = {**without(lab(), "value"), element: VALUES[element]}
    assert validate(observation) == ()
    found = mapped(observation, lab(id="other"))
    assert "Observation/other" in {one.source.reference for one in found.timeline.labs if one.value is not None}


@pytest.mark.requirement("OB-01")
@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"dataAbsentReason": {"text": "haemolysed"}}, "obs-6"),
        ({"component": [{"code": lab()["code"], "valueString": "x"}]}, "obs-7"),
        ({"referenceRange": [{"id": "a"}]}, "obs-3"),
    ],
)
def test_the_invariants_of_an_observation_are_checked(change: dict[str, Any], key: str) -> None:
    assert [issue.text.split(":")[0] for issue in validate({**lab(), **change})] == [key]


@pytest.mark.requirement("OB-01")
@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_comparator_is_kept_as_a_limit(comparator: str) -> None:
    quantity = {"value": 9, "comparator": comparator, "unit": "mg/dL"}
    (result,) = mapped(lab(valueQuantity=quantity)).timeline.labs
    assert (result.comparator, result.value) == (comparator, Decimal(9) * Decimal("0.2495"))


@pytest.mark.requirement("OB-02")
def test_a_unit_without_a_known_code_is_never_converted_in_silence() -> None:
    found = mapped(lab(valueQuantity={"value": 9, "unit": "furlong"}))
    (result,) = found.timeline.labs
    assert (result.value, "9" in result.as_written) == (None, True)
    assert details(found)["unknown-unit"] == "Bundle.entry[1].resource.value"
    (exact,) = mapped(lab(valueQuantity={"value": Decimal("9.10"), "code": "mg/dL", "unit": "x"})).timeline.labs
    assert exact.value == Decimal("9.10") * Decimal("0.2495")
    assert "9.10" in exact.as_written


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize("element", sorted(PERFORMED))
def test_every_form_of_performed_is_valid_and_is_an_exposure(element: str) -> None:
    value, when = PERFORMED[element]
    told = {**without(procedure(), "performed"), element: value}
    assert validate(told) == ()
    found = mapped(told)
    (injection,) = found.timeline.injections
    assert injection.ignored_because is None
    assert (str(injection.performed) if injection.performed else None) == when
    assert (when is None) == ("no-date" in details(found))


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_what_was_not_done_never_counts(status: str) -> None:
    injections = mapped(procedure(status=status)).timeline.injections
    assert all(injection.ignored_because for injection in injections)


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize(
    "told",
    [
        {"usedCode": [{"text": "Radiesse"}]},
        {"note": [{"text": "Radiesse 1.5 mL"}]},
        {"focalDevice": [{"manipulated": {"reference": "Device/d"}}]},
        {"usedReference": [{"reference": "Device/d"}]},
    ],
)
def test_the_product_is_read_where_it_stands_and_says_how(told: dict[str, Any]) -> None:
    device = {"resourceType": "Device", "id": "d", "deviceName": [{"name": "Radiesse", "type": "user-friendly-name"}]}
    filler = {**procedure(code={"text": "Dermal filler injection"}), "bodySite": [{"text": "left cheek"}], **told}
    (injection,) = mapped(filler, device).timeline.injections
    assert (injection.material, injection.product.lower()) == ("caha", "radiesse")
    assert injection.recognised_by
    assert [site.sides for site in injection.sites] == [{Side.LEFT}]


@pytest.mark.requirement("DT-01")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2020", "2020"),
        ("2020-02", "2020-02"),
        ("2020-02-29", "2020-02-29"),
        ("2021-02-29", None),
        ("1900-02-29", None),
        ("2000-02-29T23:59:60Z", "2000-02-29"),
        ("2021-03-28T02:30:00+01:00", "2021-03-28"),  # an hour that the clocks of Central Europe left out
        ("2021-10-31T02:30:00+02:00", "2021-10-31"),  # and one that they had twice
        ("2021-12-31T23:30:00-11:00", "2021-12-31"),
    ],
)
def test_dates_are_taken_as_written_in_their_own_zone(written: str, read: str | None) -> None:
    found = read_date(written)
    assert (None if found is None else str(found)) == read


@pytest.mark.requirement("DT-01")
@pytest.mark.parametrize(
    ("first", "second", "before"),
    [
        ("2018", "2019", True),
        ("2019", "2018", False),
        ("2018", "2018-05", None),
        ("2018-05", "2018-05-31", None),
        ("2018-05-01", "2018-05-02", True),
        ("2020-02-29", "2020-03", True),
        ("2021-10-31T02:30:00+02:00", "2021-10-31T02:30:00+01:00", None),
    ],
)
def test_an_order_is_claimed_only_where_the_dates_do_not_overlap(first: str, second: str, before: bool | None) -> None:
    one, other = read_date(first), read_date(second)
    assert one is not None
    assert other is not None
    assert one.before(other) is before


@pytest.mark.requirement("IS-01")
def test_a_study_needs_what_r4_asks_of_it() -> None:
    bare: dict[str, Any] = {"resourceType": "ImagingStudy", "series": [{"instance": [{"title": "x"}]}]}
    assert {issue.expression[0] for issue in validate(bare)} == {
        "ImagingStudy.status",
        "ImagingStudy.subject",
        "ImagingStudy.series[0].uid",
        "ImagingStudy.series[0].modality",
        "ImagingStudy.series[0].instance[0].uid",
        "ImagingStudy.series[0].instance[0].sopClass",
    }
    modality = {"coding": [study()["series"][0]["modality"]]}
    as_in_r5 = study(series=[{"uid": "1.2.3", "modality": modality}])
    assert [issue.expression[0] for issue in validate(as_in_r5)] == ["ImagingStudy.series[0].modality.coding"]
    prefixed = study(series=[{**study()["series"][0], "uid": "urn:oid:1.2.3"}])
    assert [issue.expression[0] for issue in validate(prefixed)] == ["ImagingStudy.series[0].uid"]
    good = study(identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}])
    assert validate(good) == ()


@pytest.mark.requirement("IS-01")
def test_counts_that_do_not_fit_and_a_study_before_birth_are_said_and_cost_nothing() -> None:
    instance = {"uid": "1.2.3.4", "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2"}}
    series = {**study()["series"][0], "numberOfInstances": 5, "instance": [instance]}
    found = mapped(study(numberOfSeries=3, series=[series]))
    assert len(found.timeline.exams) == 1
    said = [issue.expression for issue in found.issues if issue.detail == "count-mismatch"]
    assert said == [
        ("Bundle.entry[1].resource.numberOfSeries",),
        ("Bundle.entry[1].resource.series[0].numberOfInstances",),
    ]
    early = mapped(study(started="1960-01-01"))
    assert details(early)["impossible-date"] == "Bundle.entry[1].resource.started"
    assert len(early.timeline.exams) == 1
