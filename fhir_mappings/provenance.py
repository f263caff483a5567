"""This file writes the Provenance of one report version: what it is, what made it, and every input it was made from.

FHIR R4 Provenance: https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from correlation.timeline import ResourceRef
from fhir_mappings import canonical
from fhir_mappings.input_references import versioned_reference
from fhir_mappings.report_frame import ReportFrame

_PARTICIPANTS = {"assembler": "Assembler", "author": "Author"}


def provenance_id(report_id: str, version: int) -> str:
    """Each version of a report has its own Provenance."""
    return canonical.id_within(report_id, f"provenance:{version}")


def write_provenance(
    inputs: Iterable[ResourceRef], *, frame: ReportFrame, stored: bool, revision_of: str | None
) -> dict[str, Any]:
    """Provenance of the version in `frame`.

    `stored` says that the report has versions to point at. `revision_of` is the id of a withdrawn report that this one
    follows. An input appears once, by version and by the hash of its content as far as each is known.
    """
    identity = frame.identity
    entities = _entities(inputs, frame, revision_of)
    provenance: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": provenance_id(identity.report_id, identity.version),
        "meta": frame.meta(),
        "target": [{"reference": _target(frame, stored=stored)}],
        "recorded": frame.issued,
        "activity": _activity(identity.version),
        "agent": [
            _agent("assembler", frame.device, on_behalf_of=frame.performer),
            _agent("author", frame.performer),
        ],
    }
    if entities:
        provenance["entity"] = entities
    return provenance


def _target(frame: ReportFrame, *, stored: bool) -> str:
    reference = frame.own_reference("DiagnosticReport", frame.identity.report_id)
    return f"{reference}/_history/{frame.identity.version}" if stored else reference


def _activity(version: int) -> dict[str, Any]:
    code, display = ("CREATE", "create") if version == 1 else ("UPDATE", "revise")
    return {
        "coding": [{"system": canonical.DATA_OPERATION, "code": code, "display": display}],
        "text": "Correlated filler history with imaging and laboratory findings",
    }


def _agent(role: str, who: dict[str, Any], *, on_behalf_of: dict[str, Any] | None = None) -> dict[str, Any]:
    agent: dict[str, Any] = {
        "type": {"coding": [{"system": canonical.PARTICIPANT, "code": role, "display": _PARTICIPANTS[role]}]},
        "who": who,
    }
    if on_behalf_of is not None:
        agent["onBehalfOf"] = on_behalf_of
    return agent


def _entities(inputs: Iterable[ResourceRef], frame: ReportFrame, revision_of: str | None) -> list[dict[str, Any]]:
    entities = []
    if revision_of is not None:
        withdrawn = {"reference": frame.own_reference("DiagnosticReport", revision_of)}
        entities.append({"role": "revision", "what": withdrawn})
    entities.extend({"role": "source", "what": versioned_reference(ref)} for ref in _each_once(inputs))
    return entities


def _each_once(inputs: Iterable[ResourceRef]) -> list[ResourceRef]:
    """Each resource once. A contained one is part of its container, which is named instead where it is not yet."""
    unique: dict[str, ResourceRef] = {}
    contained = []
    for ref in inputs:
        if "#" in ref.reference:
            contained.append(ref)
        else:
            unique.setdefault(ref.reference, ref)
    for ref in contained:
        unique.setdefault(ref.reference.partition("#")[0], ref)
    return list(unique.values())
