"""Small records for the tests of reading: one patient, one resource at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

from correlation.knowledge_base import load_knowledge
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.patient import one_patient
from fhir_mappings.patient_groups import patients_in
from fhir_mappings.resource_json import dumps
from fhir_mappings.timeline import Mapped, kept_from_bundle, timeline_from

TODAY = date(2026, 11, 23)
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1971-03-28", "gender": "female"}
SUBJECT = {"reference": "Patient/p"}


def bundle(*resources: dict[str, Any], kind: str = "collection") -> bytes:
    return dumps({"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]})


def mapped(*resources: dict[str, Any], patient: dict[str, Any] | None = None) -> Mapped:
    """The record of one patient; entry 0 is the Patient, so the resources begin at entry 1."""
    parsed = parse_bundle(bundle(patient or PATIENT, *resources))
    group = one_patient(patients_in(parsed))
    return timeline_from(kept_from_bundle(parsed, entries=group.entries), as_of=TODAY, knowledge=load_knowledge())


def details(result: Mapped) -> dict[str, str]:
    """The issues as detail code -> first FHIRPath."""
    return {issue.detail: issue.expression[0] for issue in reversed(result.issues)}


def procedure(**fields: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Procedure",
        "id": "f",
        "status": "completed",
        "subject": SUBJECT,
        "performedDateTime": "2018-05",
        "code": {"text": "Dermal filler: Radiesse 1.5 mL, cheekbone area, both sides"},
    }
    return {**base, **fields}


def lab(**fields: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Observation",
        "id": "l",
        "status": "final",
        "subject": SUBJECT,
        "effectiveDateTime": "2019-10-29T12:50:00Z",
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}], "text": "Calcium, serum"},
        "valueQuantity": {"value": 9, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
    }
    return {**base, **fields}


def study(**fields: Any) -> dict[str, Any]:
    base = {
        "resourceType": "ImagingStudy",
        "id": "s",
        "status": "available",
        "subject": SUBJECT,
        "started": "2019-10-15T12:00:00Z",
        "description": "CT face",
        "series": [
            {"uid": "1.2.3", "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}}
        ],
    }
    return {**base, **fields}


def report(**fields: Any) -> dict[str, Any]:
    base = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": SUBJECT,
        "effectiveDateTime": "2019-10-15T12:00:00Z",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
        "code": {"text": "CT face"},
        "imagingStudy": [{"reference": "ImagingStudy/s"}],
        "conclusion": "Calcific plaques in the subcutaneous fat of both cheeks.",
    }
    return {**base, **fields}
