"""This file writes the CapabilityStatement from one table of what the API does, which a test compares with its routes.

FHIR R4 CapabilityStatement: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.resource_types import KEPT_TYPES

FHIR_VERSION: Final = "4.0.1"
MEDIA_TYPE: Final = "application/fhir+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCapability:
    """What may be done with one type: `search` holds (name, type) pairs, `operations` (name, canonical) pairs."""

    type: str
    interactions: tuple[str, ...]
    search: tuple[tuple[str, str], ...] = ()
    operations: tuple[tuple[str, str], ...] = ()
    says: str = ""


MADE_TYPES: Final = ("DiagnosticReport", "Observation", "Provenance", "Device", "Organization", "Task")
"""What we make ourselves."""

_SPECIAL: Final = {
    "Patient": TypeCapability(
        type="Patient",
        interactions=("read",),
        operations=(("correlate", canonical.PATIENT_CORRELATE_OPERATION),),
    ),
    "DiagnosticReport": TypeCapability(
        type="DiagnosticReport",
        interactions=("read", "vread", "search-type", "update"),
        search=(("_id", "token"), ("code", "token"), ("patient", "reference"), ("subject", "reference")),
        says="A search names patient, subject or _id. "
        "Update signs a report of ours (status and resultsInterpreter only) and needs If-Match. "
        "Any other change of what we made is refused.",
    ),
    "Task": TypeCapability(
        type="Task",
        interactions=("read",),
        operations=(("retry", canonical.TASK_RETRY_OPERATION),),
        says="One job of correlation; Task.for is its patient. $retry starts a failed or cancelled one again.",
    ),
}

TYPES: Final = tuple(
    _SPECIAL.get(type_, TypeCapability(type=type_, interactions=("read",)))
    for type_ in sorted({*KEPT_TYPES, *MADE_TYPES})
)
SYSTEM_INTERACTIONS: Final = ("transaction", "batch")
SYSTEM_OPERATIONS: Final = (("correlate", canonical.CORRELATE_OPERATION),)


def capability_statement(
    *, base_url: str, software_version: str, edition: str, max_bytes: int, date: date, open_access: bool = True
) -> dict[str, Any]:
    """The CapabilityStatement of this instance. `max_bytes` is the largest body accepted; open access is said aloud."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "fillertrace",
        "url": canonical.CAPABILITY_STATEMENT,
        "version": software_version,
        "name": canonical.SOFTWARE_NAME,
        "title": "Fillertrace: correlation of filler history with imaging and laboratory findings",
        "status": "active",
        "experimental": True,
        "date": date.isoformat(),
        "publisher": canonical.SOFTWARE_NAME,
        "description": "Decision support, not a diagnosis; for review by a licensed clinician. "
        f"Knowledge edition {edition}.",
        "kind": "instance",
        "software": {"name": canonical.SOFTWARE_NAME, "version": software_version},
        "implementation": {"description": f"Fillertrace, knowledge edition {edition}", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": [MEDIA_TYPE, "json"],
        "rest": [_rest(max_bytes=max_bytes, open_access=open_access)],
    }


def _rest(*, max_bytes: int, open_access: bool) -> dict[str, Any]:
    return {
        "mode": "server",
        "documentation": f"The largest body accepted is {max_bytes} bytes. A transaction or batch is answered at once; "
        "correlation follows, one Task per patient (Link rel=status). Prefer: respond-async is honoured.",
        "security": {"description": _security_words(open_access=open_access)},
        "resource": [_resource(row) for row in TYPES],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
        "operation": _operations(SYSTEM_OPERATIONS),
    }


def _security_words(*, open_access: bool) -> str:
    if open_access:
        return "Open access: whoever reaches this address may do everything. For a trusted machine only."
    return "SMART App Launch 2.2: see .well-known/smart-configuration."


def _resource(row: TypeCapability) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "type": row.type,
        "interaction": [{"code": code} for code in row.interactions],
        "versioning": "versioned-update" if "update" in row.interactions else "versioned",
    }
    if row.says:
        resource["documentation"] = row.says
    if row.search:
        resource["searchParam"] = [{"name": name, "type": type_} for name, type_ in row.search]
    if row.operations:
        resource["operation"] = _operations(row.operations)
    return resource


def _operations(operations: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "definition": definition} for name, definition in operations]
