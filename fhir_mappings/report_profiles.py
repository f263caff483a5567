"""This file writes the profiles of what we answer: the report and its four kinds of result.

They say what contract section 4 promises, so that a validator can hold us to it. What we send does not name them in
`meta.profile`: a server that does not have them would warn or refuse. FHIR R4: https://hl7.org/fhir/R4/profiling.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.capability import FHIR_VERSION
from fhir_mappings.value_sets import value_set_url


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """One profile: its id, the type it narrows, what it says, its elements as (path below the type, constraints)."""

    id: str
    type: str
    title: str
    says: str
    elements: tuple[tuple[str, dict[str, Any]], ...]


def _code(system: str, code: str) -> dict[str, Any]:
    return {"min": 1, "patternCodeableConcept": {"coding": [{"system": system, "code": code}]}}


def _value(system: str) -> dict[str, Any]:
    return {
        "min": 1,
        "type": [{"code": "CodeableConcept"}],
        "binding": {"strength": "required", "valueSet": value_set_url(system)},
    }


_RESULT: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("identifier", {"min": 1, "max": "1", "patternIdentifier": {"system": canonical.RESULT_IDENTIFIER}}),
    ("subject", {"min": 1}),
    ("issued", {"min": 1}),
    ("performer", {"min": 1, "max": "1"}),
    ("device", {"min": 1}),
)

_PROFILES: Final = (
    _Profile(
        id="correlation-report",
        type="DiagnosticReport",
        title="Report of a correlation",
        says="What entry 0 of an answer is. It is not a radiologist's read and must not be filed as one.",
        elements=(
            ("text", {"min": 1}),
            ("identifier", {"min": 1, "max": "1", "patternIdentifier": {"system": canonical.REPORT_IDENTIFIER}}),
            ("category", {"min": 2}),
            ("code", _code(canonical.REPORT, canonical.REPORT_CODE)),
            ("subject", {"min": 1}),
            ("issued", {"min": 1}),
            ("performer", {"min": 1}),
            ("result", {"min": 1}),
            ("media", {"max": "0"}),
            ("conclusion", {"min": 1}),
            ("presentedForm", {"min": 2}),
            ("presentedForm.contentType", {"min": 1}),
            ("presentedForm.data", {"min": 1}),
            ("presentedForm.size", {"min": 1}),
            ("presentedForm.hash", {"min": 1}),
        ),
    ),
    _Profile(
        id="filler-attribution",
        type="Observation",
        title="Whether a recorded filler explains the imaging findings",
        says="The first result of a report: the attribution of the patient's findings.",
        elements=(
            *_RESULT,
            ("code", _code(canonical.RESULT, canonical.FILLER_ATTRIBUTION)),
            ("value[x]", _value(canonical.ATTRIBUTION)),
        ),
    ),
    _Profile(
        id="cause-assessment",
        type="Observation",
        title="How well one possible cause fits",
        says="One cause with its category; each component is one question with its reply and its weight.",
        elements=(
            *_RESULT,
            ("code", _code(canonical.RESULT, canonical.CAUSE_ASSESSMENT)),
            ("value[x]", _value(canonical.CATEGORY)),
            (
                "component.code",
                {"binding": {"strength": "required", "valueSet": value_set_url(canonical.QUESTION)}},
            ),
            ("component.value[x]", _value(canonical.REPLY)),
        ),
    ),
    _Profile(
        id="finding-attribution",
        type="Observation",
        title="Whether a recorded filler explains one finding",
        says="One finding of one site, with its course over the studies in note.",
        elements=(
            *_RESULT,
            ("code", _code(canonical.RESULT, canonical.FINDING_ATTRIBUTION)),
            ("value[x]", _value(canonical.ATTRIBUTION)),
            ("bodySite", {"min": 1}),
        ),
    ),
    _Profile(
        id="alert",
        type="Observation",
        title="An alert",
        says="What holds whatever the ranking says, and is said first.",
        elements=(
            *_RESULT,
            ("code", _code(canonical.RESULT, canonical.RESULT_ALERT)),
            ("value[x]", _value(canonical.ALERT)),
        ),
    ),
)

PROFILE_OF_RESULT: Final = {
    canonical.FILLER_ATTRIBUTION: f"{canonical.STRUCTURE_DEFINITION_BASE}filler-attribution",
    canonical.CAUSE_ASSESSMENT: f"{canonical.STRUCTURE_DEFINITION_BASE}cause-assessment",
    canonical.FINDING_ATTRIBUTION: f"{canonical.STRUCTURE_DEFINITION_BASE}finding-attribution",
    canonical.RESULT_ALERT: f"{canonical.STRUCTURE_DEFINITION_BASE}alert",
}
"""The profile of a result Observation by its code of the code system `result`."""

REPORT_PROFILE: Final = f"{canonical.STRUCTURE_DEFINITION_BASE}correlation-report"


def report_profiles(*, software_version: str) -> tuple[dict[str, Any], ...]:
    """The profiles as StructureDefinitions with a differential."""
    return tuple(_definition(profile, software_version) for profile in _PROFILES)


def _definition(profile: _Profile, software_version: str) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "id": profile.id,
        "url": f"{canonical.STRUCTURE_DEFINITION_BASE}{profile.id}",
        "version": software_version,
        "name": "".join(part.capitalize() for part in profile.id.split("-")),
        "title": profile.title,
        "status": "draft",
        "experimental": True,
        "publisher": canonical.SOFTWARE_NAME,
        "description": profile.says,
        "fhirVersion": FHIR_VERSION,
        "kind": "resource",
        "abstract": False,
        "type": profile.type,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{profile.type}",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": profile.type, "path": profile.type, "short": profile.title, "definition": profile.says},
                *(_element(profile.type, path, constraints) for path, constraints in _in_order(profile)),
            ]
        },
    }


def _element(type_: str, path: str, constraints: dict[str, Any]) -> dict[str, Any]:
    whole = f"{type_}.{path}"
    return {"id": whole, "path": whole, **constraints}


_ORDER: Final = (
    "text", "identifier", "category", "code", "subject", "issued", "performer", "value[x]", "bodySite", "device",
    "result", "media", "conclusion", "presentedForm", "component",
)  # fmt: skip
"""The elements in FHIR's order, which a differential keeps."""


def _in_order(profile: _Profile) -> list[tuple[str, dict[str, Any]]]:
    return sorted(profile.elements, key=lambda one: _ORDER.index(one[0].partition(".")[0]))
