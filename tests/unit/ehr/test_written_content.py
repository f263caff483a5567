"""The digest that says whether a resource stands as we wrote it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ehr.written_content import WRITTEN_CONTENT, content_digest, mark_of, marked, stands_as_written
from fhir_mappings import canonical

WRITTEN: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "meta": {"tag": [{"code": "own-output"}]},
    "text": {"status": "generated", "div": "<div/>"},
    "extension": [{"url": "http://a.example/one", "valueCode": "x"}],
    "status": "preliminary",
    "valueQuantity": {"value": Decimal("2.350"), "unit": "mmol/L"},
}


def test_the_extension_has_its_definition() -> None:
    assert canonical.WRITTEN_CONTENT == WRITTEN_CONTENT


def test_what_a_server_may_change_by_itself_does_not_count() -> None:
    there = dict(reversed(marked(WRITTEN).items()))
    there["meta"] = {"versionId": "7", "lastUpdated": "2026-11-28T12:00:00Z"}
    there["text"] = {"status": "generated", "div": "<div>other</div>"}
    there["valueQuantity"] = {"unit": "mmol/L", "value": Decimal("2.35")}
    there["extension"] = list(reversed(there["extension"]))
    assert stands_as_written(there)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "final"},
        {"note": [{"text": "seen"}]},
        {"valueQuantity": {"value": Decimal("2.36"), "unit": "mmol/L"}},
        {"extension": [{"url": "http://a.example/one", "valueCode": "y"}]},
    ],
)
def test_what_a_person_changes_does(change: dict[str, Any]) -> None:
    there = {**marked(WRITTEN), **change}
    if "extension" in change:
        there["extension"] = [*change["extension"], *marked(WRITTEN)["extension"][1:]]
    assert mark_of(there) == content_digest(WRITTEN)
    assert not stands_as_written(there)


def test_a_resource_without_our_mark_is_not_as_we_wrote_it() -> None:
    assert not stands_as_written(WRITTEN)
    twice = {**marked(WRITTEN), "extension": [*marked(WRITTEN)["extension"], *marked(WRITTEN)["extension"]]}
    assert mark_of(twice) is None


def test_to_mark_twice_is_to_mark_once() -> None:
    assert marked(marked(WRITTEN)) == marked(WRITTEN)
    without = {name: value for name, value in WRITTEN.items() if name != "extension"}
    assert stands_as_written(marked(without))
