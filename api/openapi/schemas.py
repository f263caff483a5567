"""This file holds the JSON Schemas of the OpenAPI document. FHIR's own definitions say the rest: these stay loose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.issue_codes import DOOR_ISSUE_CODES
from fhir_mappings import canonical
from fhir_mappings.capability import CONFORMANCE_TYPES, TYPES
from fhir_mappings.issues import ISSUE_CODES
from fhir_mappings.resource_types import R4_TYPES

STORED: Final = tuple(row.type for row in TYPES if "vread" in row.interactions)
"""The types whose resources have versions here."""
KEPT: Final = tuple(row.type for row in TYPES if "create" in row.interactions)
"""The types that clients write."""

ID: Final = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}

_ISSUE_CODES: Final = sorted({*ISSUE_CODES, *DOOR_ISSUE_CODES})


def ref(name: str) -> dict[str, Any]:
    """A schema by its name in the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def either(*choices: Mapping[str, Any]) -> dict[str, Any]:
    """One of several schemas."""
    return {"anyOf": list(choices)}


def bundle(type_: str) -> dict[str, Any]:
    """A Bundle of one type."""
    return {"allOf": [ref("Bundle"), {"properties": {"type": {"const": type_}}, "required": ["type"]}]}


def _resource(type_: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": type_, **properties},
    }


def _outcome() -> dict[str, Any]:
    coding = {
        "type": "object",
        "required": ["system", "code"],
        "properties": {"system": {"type": "string"}, "code": {"type": "string"}},
    }
    ours = {"properties": {"system": {"const": canonical.ISSUE}, "code": {"enum": _ISSUE_CODES}}}
    issue = {
        "type": "object",
        "required": ["severity", "code"],
        "anyOf": [{"required": ["details"]}, {"required": ["diagnostics"]}],
        "properties": {
            "severity": {"enum": ["fatal", "error", "warning", "information"]},
            "code": {"type": "string", "description": "FHIR's kind of issue."},
            "details": {
                "type": "object",
                "required": ["coding", "text"],
                "properties": {
                    "coding": {"type": "array", "items": coding, "contains": ours},
                    "text": {"type": "string", "description": "What to do about it."},
                },
            },
            "diagnostics": {"type": "string", "description": "Where there is nothing to be said."},
            "expression": {"type": "array", "minItems": 1, "items": {"type": "string", "description": "FHIRPath."}},
        },
    }
    return _resource({"const": "OperationOutcome"}, issue={"type": "array", "minItems": 1, "items": issue})


def _bundle() -> dict[str, Any]:
    entry = {"type": "array", "items": {"type": "object"}}
    return _resource({"const": "Bundle"}, type={"type": "string"}, entry=entry, link=entry)


def _parameters() -> dict[str, Any]:
    parameter = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    return _resource({"const": "Parameters"}, parameter={"type": "array", "items": parameter})


def _manifest() -> dict[str, Any]:
    file = {
        "type": "object",
        "required": ["type", "url"],
        "properties": {"type": {"type": "string"}, "url": {"type": "string"}, "count": {"type": "integer"}},
    }
    return {
        "type": "object",
        "description": "Files of an asynchronous request, one type each: https://hl7.org/fhir/R4/async.html",
        "required": ["transactionTime", "request", "requiresAccessToken", "output", "error"],
        "properties": {
            "transactionTime": {"type": "string"},
            "request": {"type": "string"},
            "requiresAccessToken": {"type": "boolean"},
            "output": {"type": "array", "items": file},
            "error": {"type": "array", "items": file},
        },
    }


def _smart_configuration() -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    lists = ("grant_types_supported", "code_challenge_methods_supported", "capabilities")
    return {
        "type": "object",
        "description": "https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html",
        "required": ["issuer", "token_endpoint", *lists],
        "properties": {
            "issuer": {"type": "string"},
            "token_endpoint": {"type": "string"},
            **dict.fromkeys(lists, texts),
        },
    }


_HEALTH: Final = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
_META: Final = {
    "type": "object",
    "required": ["versionId", "lastUpdated"],
    "properties": {"versionId": {"type": "string"}, "lastUpdated": {"type": "string"}},
}


def schemas() -> dict[str, Any]:
    """Every schema by its name."""
    named = ("CapabilityStatement", "Task", *CONFORMANCE_TYPES)
    return {
        "R4Type": {"type": "string", "enum": sorted(R4_TYPES)},
        "StoredType": {"type": "string", "enum": sorted(STORED)},
        "KeptType": {"type": "string", "enum": sorted(KEPT)},
        "OperationOutcome": _outcome(),
        "Bundle": _bundle(),
        "Parameters": _parameters(),
        "Resource": {
            "description": "A resource of any type.",
            **_resource(ref("R4Type"), id=ID),
        },
        "StoredResource": {
            "description": "A resource as it is read: what was received or made, with id and meta of ours.",
            **_resource(ref("StoredType"), id=ID, meta=_META),
            "required": ["resourceType", "id", "meta"],
        },
        "KeptResource": {
            "description": "A resource of a type that is kept.",
            **_resource(ref("KeptType"), id=ID),
        },
        **{name: _resource({"const": name}) for name in named},
        "Manifest": _manifest(),
        "Health": _HEALTH,
        "SmartConfiguration": _smart_configuration(),
        "EvidenceCard": {"type": "object"},
    }
