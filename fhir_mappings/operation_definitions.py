"""This file writes the OperationDefinitions of `$correlate`: over a bundle, and over what is stored of one patient.

FHIR R4 OperationDefinition: https://hl7.org/fhir/R4/operationdefinition.html
"""

from __future__ import annotations

from typing import Any

from fhir_mappings import canonical


def operation_definitions(*, software_version: str) -> tuple[dict[str, Any], ...]:
    """Both definitions."""
    return (_over_bundle(software_version), _over_patient(software_version))


def _over_bundle(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.CORRELATE_OPERATION, software_version),
        "name": "Correlate",
        "title": "Correlate a bundle about one patient",
        "description": "Reads a Bundle of any type about one patient, correlates it with what is already known of the "
        "patient, and answers with a Bundle whose first entry is the DiagnosticReport. The body is the Bundle itself, "
        "or Parameters. Prefer: respond-async answers 202 with Content-Location.",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _parameter("bundle", use="in", least=1, type_="Bundle", says="The record: a Bundle about one patient."),
            _parameter(
                "store",
                use="in",
                least=0,
                type_="boolean",
                says="Default true. With false nothing is kept, nothing is queued and no stored history is used.",
            ),
            _result(),
        ],
    }


def _over_patient(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.PATIENT_CORRELATE_OPERATION, software_version),
        "name": "PatientCorrelate",
        "title": "Correlate what is stored of one patient",
        "description": "Correlates the stored history of the patient anew and answers as the system operation does.",
        "resource": ["Patient"],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [_result()],
    }


def _definition(url: str, software_version: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationDefinition",
        "id": url.rsplit("/", 1)[1],
        "url": url,
        "version": software_version,
        "status": "draft",
        "experimental": True,
        "kind": "operation",
        "publisher": canonical.SOFTWARE_NAME,
        "code": "correlate",
        "affectsState": True,
    }


def _parameter(name: str, *, use: str, least: int, type_: str, says: str) -> dict[str, Any]:
    return {"name": name, "use": use, "min": least, "max": "1", "documentation": says, "type": type_}


def _result() -> dict[str, Any]:
    return _parameter(
        "return",
        use="out",
        least=1,
        type_="Bundle",
        says="A collection: the DiagnosticReport, the Patient, result Observations, Provenance, Device, Organization, "
        "and an OperationOutcome when something was left out or guessed. Without imaging: the OperationOutcome and the "
        "Patient.",
    )
