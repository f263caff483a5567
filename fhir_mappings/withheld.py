"""This file says which class of data is not seen where a type of resource is not: named by class, never by content.

FHIR R4 security labels: https://hl7.org/fhir/R4/security-labels.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from correlation.catalogue import Knowledge
from correlation.timeline import DataClass, Withheld, WithheldBecause
from fhir_mappings.elements import mapping, objects, string
from fhir_mappings.issues import WARNING, Issue

CLASS_OF_TYPE: Final[Mapping[str, DataClass]] = {
    "Patient": DataClass.PERSON,
    "Procedure": DataClass.FILLER_HISTORY,
    "Device": DataClass.FILLER_HISTORY,
    "DeviceUseStatement": DataClass.FILLER_HISTORY,
    "ImagingStudy": DataClass.IMAGING,
    "DiagnosticReport": DataClass.IMAGING,
    "Observation": DataClass.OBSERVATIONS,
    "Specimen": DataClass.OBSERVATIONS,
    "Condition": DataClass.CONDITIONS,
    "AllergyIntolerance": DataClass.CONDITIONS,
    "Encounter": DataClass.CONDITIONS,
    "MedicationStatement": DataClass.MEDICINES,
    "MedicationRequest": DataClass.MEDICINES,
    "MedicationAdministration": DataClass.MEDICINES,
    "Medication": DataClass.MEDICINES,
}
"""The class of data that each type of resource belongs to. Who treated a patient, and where, is no evidence."""

_TAKEN_OUT: Final = frozenset({"REDACTED", "MASKED"})
_TO_MEND: Final[Mapping[WithheldBecause, str]] = {
    WithheldBecause.MASKED: "Ask the server that sent them for whole resources, with an access that may read them",
    WithheldBecause.NOT_PERMITTED: "Ask for an access that reaches it, such as a SMART scope for these types",
    WithheldBecause.LIMITED: "Ask for an access without that limit, such as a SMART scope without search parameters",
    WithheldBecause.NOT_FETCHED: "Fetch it again when the server answers, or send it yourself",
    WithheldBecause.CONFIDENTIAL: "Let a reader ask for it who may see data of that confidentiality",
}


def withheld_types(types: Iterable[str], *, because: WithheldBecause) -> tuple[Withheld, ...]:
    """The classes of data that are not seen where these types are not; a type that is no evidence gives none."""
    classes = {CLASS_OF_TYPE[type_] for type_ in types if type_ in CLASS_OF_TYPE}
    return tuple(Withheld(data=data, because=because) for data in sorted(classes))


def masked(resources: Iterable[Mapping[str, Any]]) -> tuple[Withheld, ...]:
    """The classes of resources that a server sent with parts taken out (security label REDACTED or MASKED)."""
    types = (
        string(resource.get("resourceType"))
        for resource in resources
        for label in objects(mapping(resource.get("meta")).get("security"))
        if string(label.get("code")) in _TAKEN_OUT
    )
    return withheld_types(types, because=WithheldBecause.MASKED)


def withheld_issues(withheld: Iterable[Withheld], knowledge: Knowledge) -> tuple[Issue, ...]:
    """One issue for each class and reason: what could not be seen, why, and how to mend it. Never what it holds."""
    return tuple(
        Issue(
            severity=WARNING,
            code="suppressed",
            detail="withheld",
            text=f"Not seen: {', '.join(knowledge.base.words.withheld([item]))}. What is concluded is less certain. "
            f"{_TO_MEND[item.because]}, and correlate again.",
        )
        for item in withheld
    )
