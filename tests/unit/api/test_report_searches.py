"""The searches that US Core asks of a server with reports, on a report of ours beside a radiologist's."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings import canonical
from tests.unit.api.service import Door, case

CODE = f"{canonical.REPORT}|{canonical.REPORT_CODE}"
CATEGORY = f"{canonical.REPORT_CATEGORY}|{canonical.CORRELATION_CATEGORY}"


@pytest.mark.requirement("DR-02")
def test_a_report_is_found_by_every_combination_that_us_core_asks_for(door: Door) -> None:
    answer = door.correlate(case("V01"))
    report = answer["entry"][0]["resource"]
    patient = report["subject"]["reference"].rpartition("/")[2]
    day = report["effectivePeriod"]["start"][:10]
    for asked in (
        {},
        {"category": CATEGORY},
        {"code": CODE},
        {"status": "preliminary"},
        {"category": CATEGORY, "date": f"ge{day}"},
        {"code": CODE, "date": f"ge{day}"},
        {"category": CATEGORY, "_lastUpdated": "ge2020-01-01"},
    ):
        assert report["id"] in _ids(door, patient=patient, **asked), asked
    assert report["id"] not in _ids(door, patient=patient, status="final")
    assert report["id"] not in _ids(door, patient=patient, code=CODE, date="lt1990")
    with_provenance = door.client.get(
        "/DiagnosticReport", params={"patient": patient, "code": CODE, "_revinclude": "Provenance:target"}
    ).json()
    kinds = [(one["resource"]["resourceType"], one["search"]["mode"]) for one in with_provenance["entry"]]
    assert ("DiagnosticReport", "match") in kinds
    assert ("Provenance", "include") in kinds


def _ids(door: Door, **asked: str) -> list[Any]:
    answer = door.client.get("/DiagnosticReport", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["resource"]["id"] for one in answer.json().get("entry", [])]
