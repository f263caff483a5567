"""Conditions and medicines as the concepts that rules ask for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fhir_mappings.reading import SUBJECT, mapped


def condition(text: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": {"text": text}, **fields}


def concepts(*resources: dict[str, Any]) -> dict[str, bool]:
    return {one.concept: one.active for one in mapped(*resources).timeline.conditions}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("end-stage kidney disease on haemodialysis", "dialysis"),
        ("insuficiencia renal terminal", "esrd"),
        ("limited cutaneous systemic sclerosis (CREST)", "systemic_sclerosis"),
        ("recurrent right parotid swelling at meals", "salivary_swelling"),
        ("painful violaceous thigh plaques with black eschar", "painful_necrosis"),
        ("Parry-Romberg syndrome", "localised_scleroderma"),
        ("pérdida de visión", "vascular_occlusion"),
    ],
)
def test_words_become_concepts(text: str, concept: str) -> None:
    assert concept in concepts(condition(text))


def test_codes_become_concepts() -> None:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "D86.3"}]}
    assert concepts(condition("", code=code)) == {"sarcoidosis": True}


@pytest.mark.parametrize("text", ["history of melanoma", "melanoma in remission", "antecedente de melanoma"])
def test_the_past_is_not_active(text: str) -> None:
    assert concepts(condition(text)) == {"malignancy": False}


@pytest.mark.parametrize("text", ["no sarcoidosis", "rule out sarcoidosis", "family history of sarcoidosis"])
def test_what_is_denied_is_left_out(text: str) -> None:
    assert concepts(condition(text)) == {}


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_refuted_is_left_out(status: str) -> None:
    assert concepts(condition("sarcoidosis", verificationStatus={"coding": [{"code": status}]})) == {}


def medicine(text: str, **fields: Any) -> dict[str, Any]:
    base = {"resourceType": "MedicationStatement", "id": "m", "status": "active", "subject": SUBJECT}
    return {**base, "medicationCodeableConcept": {"text": text}, **fields}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("warfarin", "warfarin"),
        ("Vitamina D3 25.000 UI", "vitamin_d"),
        ("calcitriol", "active_vitamin_d"),
        ("hydrochlorothiazide 25 mg", "thiazide"),
        ("sevelamer", "phosphate_binder"),
        ("carbonato cálcico", "calcium_supplement"),
    ],
)
def test_medicines_become_concepts(text: str, concept: str) -> None:
    assert concept in {one.concept for one in mapped(medicine(text)).timeline.medications}


def test_a_calcium_channel_blocker_is_no_calcium() -> None:
    assert mapped(medicine("calcium channel blocker")).timeline.medications == ()


def test_a_medicine_by_reference_and_one_not_taken() -> None:
    named = {"resourceType": "Medication", "id": "w", "code": {"text": "warfarin"}}
    by_reference = medicine("", medicationReference={"reference": "Medication/w"})
    del by_reference["medicationCodeableConcept"]
    assert [one.concept for one in mapped(by_reference, named).timeline.medications] == ["warfarin"]
    assert mapped(medicine("warfarin", status="not-taken")).timeline.medications == ()
