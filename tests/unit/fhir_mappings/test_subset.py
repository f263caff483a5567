"""Parts of a resource: the summary goes inside, and what changes the meaning is never left out."""

from typing import Any

import pytest

from fhir_mappings.subset import SUBSETTED, data_of, is_subsetted, only, summary_of, text_of

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "meta": {"versionId": "3", "tag": [{"code": "x"}]},
    "modifierExtension": [{"url": "https://a.example/not"}],
    "text": {"status": "generated", "div": "<div/>"},
    "extension": [{"url": "https://a.example/more"}],
    "status": "final",
    "code": {"text": "CT"},
    "_issued": {"extension": []},
    "issued": "2020",
    "note": [{"text": "long"}],
    "component": [
        {
            "id": "c1",
            "code": {"text": "Density"},
            "modifierExtension": [{"url": "https://a.example/absent"}],
            "valueQuantity": {"value": 1, "unit": "HU"},
            "interpretation": [{"text": "high"}],
        }
    ],
    "xUnknown": 1,
}


@pytest.mark.requirement("HTTP-03")
def test_the_summary_goes_into_the_elements() -> None:
    part = summary_of(OBSERVATION)
    assert part.keys() == {
        "resourceType", "id", "meta", "modifierExtension", "status", "code", "issued", "_issued", "component"
    }  # fmt: skip
    assert part["component"][0].keys() == {"id", "code", "modifierExtension", "valueQuantity"}
    assert part["component"][0]["valueQuantity"] == {"value": 1, "unit": "HU"}
    assert part["meta"] == {"versionId": "3", "tag": [{"code": "x"}, SUBSETTED]}
    assert "tag" not in OBSERVATION["meta"] or SUBSETTED not in OBSERVATION["meta"]["tag"], "the whole stays as it was"


@pytest.mark.requirement("HTTP-03")
def test_required_and_modifying_elements_come_along() -> None:
    always = {"resourceType", "id", "meta", "modifierExtension", "status", "code"}
    assert only(OBSERVATION, {"note"}).keys() == always | {"note"}
    assert text_of(OBSERVATION).keys() == always | {"text"}
    assert data_of(OBSERVATION).keys() == OBSERVATION.keys() - {"text"}


def test_an_element_of_several_types_has_one_name() -> None:
    measured = {"resourceType": "Observation", "valueQuantity": {"value": 1}, "valuesMore": 1, "_valueString": {}}
    assert only(measured, {"value"}).keys() - {"resourceType", "meta"} == {"valueQuantity", "_valueString"}
    assert "valueQuantity" in only(measured, {"valueQuantity"})


def test_the_mark_is_set_once() -> None:
    twice = data_of(summary_of(OBSERVATION))
    assert [tag for tag in twice["meta"]["tag"] if tag == SUBSETTED] == [SUBSETTED]
    assert is_subsetted(twice)
    assert not is_subsetted(OBSERVATION)
