"""Procedures as injections: product, place, sides, date, status."""

from __future__ import annotations

from typing import Any

import pytest

from correlation.timeline import FillerInjection, Side
from tests.unit.fhir_mappings.reading import SUBJECT, details, mapped, procedure

BOTH = {Side.LEFT, Side.RIGHT}
CPT = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "11951"}]}


def one(*resources: dict[str, Any]) -> FillerInjection:
    (injection,) = mapped(*resources).timeline.injections
    return injection


def sides(injection: FillerInjection) -> dict[str, set[Side]]:
    return {site.region: set(site.sides) for site in injection.sites}


def test_reads_a_line_of_free_text() -> None:
    found = one(procedure())
    assert (found.material, str(found.performed), str(found.volume_ml)) == ("caha", "2018-05", "1.5")
    assert sides(found) == {"malar": BOTH}


def test_a_billing_code_alone_leaves_the_material_unknown() -> None:
    found = one(procedure(code=CPT))
    assert found.material == "unknown"
    assert "CPT 11951" in found.recognised_by


def test_hcpcs_q2026_names_the_material() -> None:
    code = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.285", "code": "Q2026"}]}
    assert one(procedure(code=code)).material == "caha"


@pytest.mark.parametrize(
    "code",
    [
        {"text": "Laparoscopic appendectomy"},
        {"text": "Botulinum toxin injection, glabella"},
        {"text": "Application of composite dental filling material to dentin of tooth"},
        {"text": "Hyaluronidase injection to dissolve filler"},
        {"text": "Consultation about dermal fillers"},
        {"text": "Intravitreal silicone oil injection"},
    ],
)
def test_what_is_no_filler_yields_nothing(code: dict[str, Any]) -> None:
    assert mapped(procedure(code=code)).timeline.injections == ()


def test_a_note_about_another_time_is_not_this_procedure() -> None:
    found = mapped(procedure(code={"text": "Laparoscopic appendectomy"}, note=[{"text": "Radiesse in both cheeks."}]))
    assert found.timeline.injections == ()
    assert details(found)["product-in-note"] == "Bundle.entry[1].resource.note"


@pytest.mark.parametrize(
    "sites",
    [
        [{"text": "Malar region, bilateral"}],
        [{"text": "Left malar region"}, {"text": "Right malar region"}],
        [{"text": "Malar region"}, {"coding": [{"system": "http://snomed.info/sct", "code": "51440002"}]}],
        [{"text": "Malar area (right and left)"}],
    ],
)
@pytest.mark.requirement("PR-01")
def test_sides_are_written_in_many_ways(sites: list[dict[str, Any]]) -> None:
    assert sides(one(procedure(code=CPT, usedCode=[{"text": "Radiesse"}], bodySite=sites))) == {"malar": BOTH}


def test_a_precise_place_in_the_note_wins_over_face() -> None:
    face = {"coding": [{"system": "http://snomed.info/sct", "code": "89545001"}], "text": "Face"}
    note = [{"text": "Dermal filler: Radiesse 1.5 mL, submalar cheek, left."}]
    assert sides(one(procedure(code=CPT, bodySite=[face], note=note))) == {"buccal": {Side.LEFT}}


def test_opposite_sides_leave_the_side_open() -> None:
    found = mapped(
        procedure(code=CPT, bodySite=[{"text": "Left malar region"}], note=[{"text": "Radiesse, right malar."}])
    )
    assert sides(found.timeline.injections[0]) == {"malar": set()}
    assert details(found)["contradictory-sides"] == "Bundle.entry[1].resource.bodySite"


@pytest.mark.requirement("PR-01")
@pytest.mark.parametrize("status", ["not-done", "entered-in-error", "preparation", "on-hold"])
def test_some_statuses_are_shown_and_not_counted(status: str) -> None:
    assert one(procedure(status=status)).ignored_because


def test_without_a_date_it_is_an_exposure_of_unknown_date() -> None:
    undated = procedure()
    del undated["performedDateTime"]
    found = mapped(undated)
    assert found.timeline.injections[0].performed is None
    assert details(found)["no-date"] == "Bundle.entry[1].resource.performed"


DEVICE = {
    "resourceType": "Device",
    "id": "d",
    "deviceName": [{"name": "Radiesse", "type": "manufacturer-name"}],
    "type": {"text": "Dermal filler"},
    "patient": SUBJECT,
}
USE = {
    "resourceType": "DeviceUseStatement",
    "id": "u",
    "status": "completed",
    "subject": SUBJECT,
    "device": {"reference": "Device/d"},
}


@pytest.mark.parametrize(
    "use",
    [
        {"derivedFrom": [{"reference": "Procedure/f"}]},
        {"timingDateTime": "2018-05"},
        {"note": [{"text": "Used in the procedure of 2018-05."}]},
    ],
)
@pytest.mark.requirement("PR-01")
def test_a_device_use_is_tied_to_its_procedure(use: dict[str, Any]) -> None:
    found = one(procedure(code=CPT), DEVICE, {**USE, **use})
    assert found.material == "caha"
    assert [ref.reference for ref in found.also_from] == ["Device/d", "DeviceUseStatement/u"]


def test_a_contained_device_counts_and_a_use_without_procedure_is_an_injection() -> None:
    contained = {**USE, "contained": [{**DEVICE, "id": "x"}], "device": {"reference": "#x"}, "timingDateTime": "2018"}
    found = one({**contained, "bodySite": {"text": "Left chin"}})
    assert (found.material, str(found.performed), sides(found)) == ("caha", "2018", {"chin": {Side.LEFT}})


@pytest.mark.requirement("PR-01")
def test_a_patient_reported_name_is_less_certain() -> None:
    reported = {**DEVICE, "deviceName": [{"name": "silicone", "type": "patient-reported-name"}]}
    used = procedure(code={"text": "Filler injection by another provider"}, usedReference=[{"reference": "Device/d"}])
    found = one(used, reported)
    assert (found.material, found.source_certainty) == ("silicone", "patient-reported")


def test_two_products_that_disagree_are_both_kept_with_an_issue() -> None:
    code = {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.285", "code": "Q2026"}]}
    found = mapped(procedure(code=code, usedCode=[{"text": "Restylane"}]))
    assert {injection.material for injection in found.timeline.injections} == {"ha", "caha"}
    assert "product-conflict" in details(found)
