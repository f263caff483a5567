"""This file writes references to the resources that were read: as evidence of a claim, and as entities of Provenance.

A reference keeps the form it has in the `ResourceRef`. A contained resource (`Procedure/p1#device`) cannot be referred
to from outside, so its container is named instead.
FHIR R4 references: https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from correlation.timeline import ResourceRef
from fhir_mappings import canonical

_DERIVED_FROM: Final = frozenset({"Observation", "ImagingStudy"})
"""What Observation.derivedFrom may name, of the types that we read."""


def input_reference(ref: ResourceRef) -> dict[str, Any]:
    """A plain Reference to an input, in the input's own form."""
    container, fragment, _ = ref.reference.partition("#")
    if not container:
        return {"display": ref.type}
    # The type of a container is not known here, so it is not claimed.
    return {"reference": container} if fragment else {"reference": container, "type": ref.type}


def versioned_reference(ref: ResourceRef) -> dict[str, Any]:
    """A Reference to the exact version that was read: by version where there is one, and by the hash of its content."""
    reference = input_reference(ref)
    if ref.version and "reference" in reference and not reference["reference"].startswith("urn:"):
        reference["reference"] = f"{reference['reference']}/_history/{ref.version}"
    if ref.sha256:
        reference["identifier"] = {"system": canonical.SHA256_IDENTIFIER, "value": ref.sha256}
    return reference


def derived_from(evidence: Iterable[ResourceRef]) -> list[dict[str, Any]]:
    """The evidence that `Observation.derivedFrom` can carry, each resource once, in order."""
    return _once(ref for ref in evidence if _can_be_derived_from(ref))


def evidence_extensions(evidence: Iterable[ResourceRef]) -> list[dict[str, Any]]:
    """All other evidence, as our extension `evidence`, each resource once, in order."""
    references = _once(ref for ref in evidence if not _can_be_derived_from(ref))
    return [{"url": canonical.EVIDENCE, "valueReference": reference} for reference in references]


def _can_be_derived_from(ref: ResourceRef) -> bool:
    return ref.type in _DERIVED_FROM and "#" not in ref.reference


def _once(evidence: Iterable[ResourceRef]) -> list[dict[str, Any]]:
    unique: dict[str, dict[str, Any]] = {}
    for ref in evidence:
        reference = input_reference(ref)
        if "reference" in reference:
            unique.setdefault(reference["reference"], reference)
    return list(unique.values())
