"""This file writes our OperationDefinitions: `$correlate`, `$explain` of a report, `$validate`, `$retry` of a job.

FHIR R4 OperationDefinition: https://hl7.org/fhir/R4/operationdefinition.html
"""

from __future__ import annotations

from typing import Any

from fhir_mappings import canonical


def operation_definitions(*, software_version: str) -> tuple[dict[str, Any], ...]:
    """All definitions."""
    return (
        _over_bundle(software_version),
        _over_patient(software_version),
        _explain(software_version),
        _validate(software_version),
        _retry(software_version),
    )


def _over_bundle(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.CORRELATE_OPERATION, software_version, code="correlate"),
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
        **_definition(canonical.PATIENT_CORRELATE_OPERATION, software_version, code="correlate"),
        "name": "PatientCorrelate",
        "title": "Correlate what is stored of one patient",
        "description": "Correlates the stored history of the patient anew and answers as the system operation does.",
        "resource": ["Patient"],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [
            _parameter(
                "source",
                use="in",
                least=0,
                type_="string",
                says="The name of an EHR that is configured here: the patient's record is fetched from there first.",
            ),
            _result(),
        ],
    }


def _explain(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.EXPLAIN_OPERATION, software_version, code="explain"),
        "name": "ReportExplain",
        "title": "Explain a report",
        "description": "Every cause with every answer for, against and not known, with its evidence, its weight and "
        "its sources, and what would change the conclusion; findings, alerts, knowledge base and software. For our own "
        "reports: the version is computed again from its recorded inputs and knowledge base.",
        "affectsState": False,
        "resource": ["DiagnosticReport"],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [_parameter("return", use="out", least=1, type_="Parameters", says="The explanation.")],
    }


def _validate(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.VALIDATE_OPERATION, software_version, code="validate"),
        "name": "Validate",
        "title": "Validate a resource",
        "base": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        "description": "FHIR R4's $validate, also at the base, where the resource itself says its type. Always answers "
        "200 with an OperationOutcome; nothing is stored. Checked are base R4 and, where asked for, a profile of ours.",
        "affectsState": False,
        "resource": ["Resource"],
        "system": True,
        "type": True,
        "instance": True,
        "parameter": [
            _parameter(
                "resource",
                use="in",
                least=0,
                type_="Resource",
                says="The resource. Without it, at the address of a stored resource, that one as it is now.",
            ),
            _parameter("mode", use="in", least=0, type_="code", says="create, update, delete or profile."),
            _parameter("profile", use="in", least=0, type_="uri", says="A profile beside base R4: one of ours."),
            _parameter("return", use="out", least=1, type_="OperationOutcome", says="What was found."),
        ],
    }


def _retry(software_version: str) -> dict[str, Any]:
    return {
        **_definition(canonical.TASK_RETRY_OPERATION, software_version, code="retry"),
        "name": "TaskRetry",
        "title": "Start a failed or cancelled job again",
        "description": "Answers 202 with the Task, which is received again with all its attempts; 409 for a job that "
        "runs or is completed.",
        "resource": ["Task"],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [_parameter("return", use="out", least=1, type_="Task", says="The job as it stands now.")],
    }


def _definition(url: str, software_version: str, *, code: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationDefinition",
        "id": url.rsplit("/", 1)[1],
        "url": url,
        "version": software_version,
        "status": "draft",
        "experimental": True,
        "kind": "operation",
        "publisher": canonical.SOFTWARE_NAME,
        "code": code,
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
