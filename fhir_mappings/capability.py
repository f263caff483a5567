"""This file writes the CapabilityStatement from one table of what the API does, which a test compares with its routes.

FHIR R4 CapabilityStatement: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.resource_types import KEPT_TYPES
from fhir_mappings.search_parameters import EVERYWHERE, parameters_of, searched_types

FHIR_VERSION: Final = "4.0.1"
MEDIA_TYPE: Final = "application/fhir+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCapability:
    """What may be done with one type: `operations` holds (name, canonical) pairs."""

    type: str
    interactions: tuple[str, ...]
    operations: tuple[tuple[str, str], ...] = ()
    says: str = ""


MADE_TYPES: Final = ("DiagnosticReport", "Observation", "Provenance", "Device", "Organization", "Task")
"""What we make ourselves."""

_READ: Final = ("read", "vread", "history-instance", "search-type")
_KEPT: Final = (*_READ, "create", "update", "delete")

_SPECIAL: Final = {
    "Patient": TypeCapability(
        type="Patient",
        interactions=_KEPT,
        operations=(("correlate", canonical.PATIENT_CORRELATE_OPERATION),),
    ),
    "DiagnosticReport": TypeCapability(
        type="DiagnosticReport",
        interactions=_KEPT,
        operations=(("explain", canonical.EXPLAIN_OPERATION),),
        says="A search finds radiologists' reports and ours; ours by code. "
        "Update of a report of ours signs or withdraws it (status and resultsInterpreter only) and needs If-Match. "
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
    _SPECIAL.get(type_, TypeCapability(type=type_, interactions=_KEPT if type_ in KEPT_TYPES else _READ))
    for type_ in sorted({*KEPT_TYPES, *MADE_TYPES})
)
CONFORMANCE_TYPES: Final = ("CodeSystem", "ConceptMap", "OperationDefinition", "StructureDefinition", "ValueSet")
"""What we say of ourselves: read and searched, the same for everyone."""
CONFORMANCE_SEARCH: Final = (("_id", "token"), ("url", "uri"))
SYSTEM_INTERACTIONS: Final = ("transaction", "batch")
SYSTEM_OPERATIONS: Final = (("correlate", canonical.CORRELATE_OPERATION), ("validate", canonical.VALIDATE_OPERATION))


def capability_statement(
    *,
    base_url: str,
    software_version: str,
    edition: str,
    max_bytes: int,
    date: date,
    open_access: bool = True,
    oauth_uris: Mapping[str, str] = MappingProxyType({}),
    cors: bool = False,
) -> dict[str, Any]:
    """The CapabilityStatement of this instance. `max_bytes` is the largest body accepted; open access is said aloud.

    `oauth_uris`: the authorization server's addresses by the names of SMART's extension. `cors`: pages of other sites
    may call it.
    """
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
        "rest": [_rest(max_bytes=max_bytes, security=_security(open_access, oauth_uris=oauth_uris, cors=cors))],
    }


def _rest(*, max_bytes: int, security: dict[str, Any]) -> dict[str, Any]:
    return {
        "mode": "server",
        "documentation": f"The largest body accepted is {max_bytes} bytes. A transaction or batch is answered at once; "
        "correlation follows, one Task per patient (Link rel=status). Prefer: respond-async is honoured in "
        "three dialects: the batch-response Bundle of R5, with _outputFormat an NDJSON manifest as in R4, with "
        "async-result=redirect a 303 to the direct answer.",
        "security": security,
        "resource": [*(_resource(row) for row in TYPES), *(_artefacts(type_) for type_ in CONFORMANCE_TYPES)],
        "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
        "operation": _operations(SYSTEM_OPERATIONS),
    }


def _security(open_access: bool, *, oauth_uris: Mapping[str, str], cors: bool) -> dict[str, Any]:
    """Who may call. SMART App Launch: service `SMART-on-FHIR`, and the addresses in an extension."""
    if open_access:
        words = "Open access: whoever reaches this address may do everything. For a trusted machine only."
        return {"cors": cors, "description": words}
    security: dict[str, Any] = {
        "cors": cors,
        "service": [{"coding": [{"system": canonical.SECURITY_SERVICE, "code": "SMART-on-FHIR"}]}],
        "description": "SMART App Launch 2.2: see .well-known/smart-configuration.",
    }
    addresses = [{"url": name, "valueUri": address} for name, address in oauth_uris.items()]
    if addresses:
        security = {"extension": [{"url": canonical.OAUTH_URIS, "extension": addresses}], **security}
    return security


def _resource(row: TypeCapability) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "type": row.type,
        "interaction": [{"code": code} for code in row.interactions],
        "versioning": "versioned" if "vread" in row.interactions else "no-version",
        "readHistory": "vread" in row.interactions,
        "updateCreate": False,
        "conditionalCreate": "create" in row.interactions,
        "conditionalRead": "full-support" if "vread" in row.interactions else "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
    }
    if row.says:
        resource["documentation"] = row.says
    if "search-type" in row.interactions:
        resource |= _search(row.type)
    resource["operation"] = _operations((*row.operations, ("validate", canonical.VALIDATE_OPERATION)))
    return resource


def _artefacts(type_: str) -> dict[str, Any]:
    return {
        "type": type_,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "documentation": "Our own conformance artefacts.",
        "searchParam": [{"name": name, "type": kind} for name, kind in CONFORMANCE_SEARCH],
    }


def _search(type_: str) -> dict[str, Any]:
    every = parameters_of(type_)
    searched = [*EVERYWHERE, *((one.name, one.kind) for one in every if one.searched)]
    found: dict[str, Any] = {"searchParam": [{"name": name, "type": kind} for name, kind in sorted(searched)]}
    includes = [f"{type_}:{one.name}" for one in every if one.kind == "reference"]
    referring = [
        f"{source}:{one.name}"
        for source in sorted(searched_types())
        for one in parameters_of(source)
        if one.kind == "reference" and one.searched and type_ in _MEANT.get(one.name, ())
    ]
    if includes:
        found["searchInclude"] = includes
    if referring:
        found["searchRevInclude"] = referring
    return found


_MEANT: Final = {"patient": ("Patient",), "subject": ("Patient",), "target": ("DiagnosticReport",)}
"""The types that a reference which is searched by leads to."""


def _operations(operations: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "definition": definition} for name, definition in operations]
