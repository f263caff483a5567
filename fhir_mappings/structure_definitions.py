"""This file writes the StructureDefinitions of our extensions, so that a validator can check what we send.

FHIR R4: https://hl7.org/fhir/R4/defining-extensions.html
"""

from __future__ import annotations

from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.capability import FHIR_VERSION

_EXTENSIONS: Final = (
    (
        canonical.ANSWER_STRENGTH,
        "code",
        ("Observation.component",),
        "How much this answer weighs for or against the cause: strong-for … none … strong-against.",
    ),
    (
        canonical.EVIDENCE,
        "Reference",
        ("Observation", "Observation.component"),
        "An input that this rests on and that derivedFrom cannot name.",
    ),
    (canonical.KNOWLEDGE_EDITION, "string", ("DiagnosticReport",), "The edition of the knowledge base that was used."),
    (
        canonical.KNOWLEDGE_DIGEST,
        "string",
        ("DiagnosticReport",),
        "The SHA-256, in hex, over the files of the knowledge base that was used.",
    ),
    (
        canonical.WRITTEN_CONTENT,
        "string",
        ("DiagnosticReport", "Observation", "Provenance", "Device", "Organization"),
        "The SHA-256, in hex, over the content as it was written to this server; where it does not fit, someone else "
        "has changed the resource since.",
    ),
)


def structure_definitions(*, software_version: str) -> tuple[dict[str, Any], ...]:
    """One StructureDefinition per extension of ours."""
    return tuple(
        _extension(url, value_type, contexts, says, software_version) for url, value_type, contexts, says in _EXTENSIONS
    )


def _extension(
    url: str, value_type: str, contexts: tuple[str, ...], says: str, software_version: str
) -> dict[str, Any]:
    name = url.rsplit("/", 1)[1]
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": url,
        "version": software_version,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "status": "draft",
        "experimental": True,
        "publisher": canonical.SOFTWARE_NAME,
        "description": says,
        "fhirVersion": FHIR_VERSION,
        "kind": "complex-type",
        "abstract": False,
        # As FHIRPath: for an element HAPI's validator asks a package registry, which it has not offline.
        "context": [{"type": "fhirpath", "expression": context} for context in contexts],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Extension", "path": "Extension", "short": says, "definition": says},
                {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
                {"id": "Extension.url", "path": "Extension.url", "fixedUri": url},
                {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{"code": value_type}]},
            ]
        },
    }
