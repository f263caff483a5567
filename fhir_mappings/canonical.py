"""This file holds every address and name of ours: code systems, identifiers, extensions, the own-output tag.

They are fixed by the contract (section 4): clients recognise our resources by them, and so do we, because our own
output is never evidence. Codes of standards that we write stand here too, so that each is spelt once.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid5

BASE: Final = "https://fillertrace.example/fhir"

# Identifier systems
REPORT_IDENTIFIER: Final = f"{BASE}/report"
RESULT_IDENTIFIER: Final = f"{BASE}/result"
DEVICE_IDENTIFIER: Final = f"{BASE}/device"
ORGANIZATION_IDENTIFIER: Final = f"{BASE}/organization"
SHA256_IDENTIFIER: Final = f"{BASE}/sha256"
"""The SHA-256, in hex, of a resource as we read it."""

OWN_IDENTIFIER_SYSTEMS: Final = frozenset(
    {REPORT_IDENTIFIER, RESULT_IDENTIFIER, DEVICE_IDENTIFIER, ORGANIZATION_IDENTIFIER}
)

# Code systems
CODE_SYSTEM_BASE: Final = f"{BASE}/CodeSystem/"
REPORT: Final = f"{CODE_SYSTEM_BASE}report"
REPORT_CATEGORY: Final = f"{CODE_SYSTEM_BASE}report-category"
RESULT: Final = f"{CODE_SYSTEM_BASE}result"
ATTRIBUTION: Final = f"{CODE_SYSTEM_BASE}attribution"
ALERT: Final = f"{CODE_SYSTEM_BASE}alert"
CAUSE: Final = f"{CODE_SYSTEM_BASE}cause"
QUESTION: Final = f"{CODE_SYSTEM_BASE}question"
REPLY: Final = f"{CODE_SYSTEM_BASE}reply"
CATEGORY: Final = f"{CODE_SYSTEM_BASE}category"
BODY_SITE: Final = f"{CODE_SYSTEM_BASE}body-site"
FILLER_MATERIAL: Final = f"{CODE_SYSTEM_BASE}filler-material"
ISSUE: Final = f"{CODE_SYSTEM_BASE}issue"

REPORT_CODE: Final = "filler-calcification-correlation"
OWN_OUTPUT_CODE: Final = "own-output"
CORRELATION_CATEGORY: Final = "correlation"

# Codes of the code system `result`
FILLER_ATTRIBUTION: Final = "filler-attribution"
CAUSE_ASSESSMENT: Final = "cause-assessment"
FINDING_ATTRIBUTION: Final = "finding-attribution"
RESULT_ALERT: Final = "alert"

# Extensions
STRUCTURE_DEFINITION_BASE: Final = f"{BASE}/StructureDefinition/"
ANSWER_STRENGTH: Final = f"{STRUCTURE_DEFINITION_BASE}answer-strength"
EVIDENCE: Final = f"{STRUCTURE_DEFINITION_BASE}evidence"
KNOWLEDGE_EDITION: Final = f"{STRUCTURE_DEFINITION_BASE}knowledge-edition"
KNOWLEDGE_DIGEST: Final = f"{STRUCTURE_DEFINITION_BASE}knowledge-digest"
WRITTEN_CONTENT: Final = f"{STRUCTURE_DEFINITION_BASE}written-content"
"""Put on when a report is written back, by `ehr`."""

# Operations and conformance
CORRELATE_OPERATION: Final = f"{BASE}/OperationDefinition/correlate"
PATIENT_CORRELATE_OPERATION: Final = f"{BASE}/OperationDefinition/patient-correlate"
EXPLAIN_OPERATION: Final = f"{BASE}/OperationDefinition/report-explain"
VALIDATE_OPERATION: Final = f"{BASE}/OperationDefinition/validate"
TASK_RETRY_OPERATION: Final = f"{BASE}/OperationDefinition/task-retry"
CAPABILITY_STATEMENT: Final = f"{BASE}/CapabilityStatement/fillertrace"

# Standards' code systems that we write
SNOMED: Final = "http://snomed.info/sct"
DIAGNOSTIC_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
OBSERVATION_VALUE: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

SOFTWARE_NAME: Final = "Fillertrace"
ORGANIZATION_VALUE: Final = "fillertrace"

_OWN: Final = UUID("9d0ac7b6-5a0f-5c1e-8f0c-3b1a0f6f2f10")
"""Namespace of the ids that do not belong to one report: our Organization, our Device."""

ORGANIZATION_ID: Final = str(uuid5(_OWN, "organization"))


def own_id(name: str) -> str:
    """The id of something of ours that belongs to no single report, the same on every server."""
    return str(uuid5(_OWN, name))


def id_within(report_id: str, key: str) -> str:
    """The id of a part of one report: the same key has the same id in all versions of it."""
    return str(uuid5(UUID(report_id), key))


def device_value(*, software_version: str, edition: str, digest: str) -> str:
    """The identifier of our Device: one for each pair of software and knowledge, so that an old report keeps its own.

    >>> device_value(software_version="0.1.0", edition="2026.1", digest="abcdef0123456789")
    'fillertrace-0.1.0-knowledge-2026.1-abcdef012345'
    """
    return f"fillertrace-{software_version}-knowledge-{edition}-{digest[:12]}"


def own_output_tag() -> dict[str, Any]:
    """The Coding in `meta.tag` by which our output is known on any server."""
    return {"system": REPORT, "code": OWN_OUTPUT_CODE, "display": "Made by Fillertrace; never evidence for it"}
