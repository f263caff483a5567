"""This file tells R5 and STU3 from R4, by what the Bundle declares and by shapes that only one version has.

A single stray field does not reject a Bundle: shapes of R4 in the same Bundle weigh against it.
R5's differences: https://hl7.org/fhir/R5/diff.html; R4's: https://hl7.org/fhir/R4/diff.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from fhir_mappings.elements import mapping, objects, string

R5: Final = "R5"
STU3: Final = "STU3"

_DECLARED: Final = (
    (re.compile(r"hl7\.org/fhir/(?:R5|5\.0)/|\|5\.0(?:\.\d+)?$|^5\.0"), R5),
    (re.compile(r"hl7\.org/fhir/(?:STU3|3\.0)/|hl7\.org/fhir/\S*stu3|\|3\.0(?:\.\d+)?$|^3\.0"), STU3),
)

_R5_ONLY_TYPES: Final = frozenset(
    {"DeviceUsage", "ImagingSelection", "BiologicallyDerivedProductDispense", "GenomicStudy"}
)
_STU3_ONLY_TYPES: Final = frozenset(
    {"BodySite", "DeviceComponent", "ProcedureRequest", "ReferralRequest", "ImagingManifest"}
)

_R5_FIELDS: Final = {
    "Procedure": ("occurrenceDateTime", "occurrencePeriod", "occurrenceString", "reportedBoolean", "used", "reason"),
    "DiagnosticReport": ("study", "supportingInfo"),
    "Observation": ("triggeredBy", "bodyStructure", "instantiatesCanonical"),
    "Encounter": ("actualPeriod", "admission"),
    "Condition": ("participant",),
    "MedicationAdministration": ("occurenceDateTime", "occurencePeriod", "occurrenceDateTime"),
    "Device": ("displayName", "biologicalSourceEvent"),
    "Specimen": ("feature",),
}
_STU3_FIELDS: Final = {
    "Procedure": ("context", "notDone", "notDoneReason", "definition"),
    "Observation": ("context", "related", "comment"),
    "DiagnosticReport": ("context", "codedDiagnosis", "image"),
    "MedicationStatement": ("taken", "reasonNotTaken"),
    "MedicationRequest": ("context", "definition"),
    "Condition": ("context", "assertedDate"),
    "ImagingStudy": ("uid", "availability", "accession", "context"),
    "DeviceUseStatement": ("whenUsed", "indication"),
    "Encounter": ("incomingReferral",),
    "Patient": ("animal",),
}
_NOT_R5_FIELDS: Final = {
    "Procedure": ("performedDateTime", "performedPeriod", "performedString", "usedCode", "usedReference"),
    "DiagnosticReport": ("imagingStudy",),
    "MedicationStatement": ("medicationCodeableConcept", "medicationReference"),
    "MedicationRequest": ("medicationCodeableConcept", "medicationReference"),
    "MedicationAdministration": ("medicationCodeableConcept", "medicationReference"),
    "DeviceUseStatement": ("timingDateTime", "timingPeriod"),
    "Device": ("deviceName",),
}
_NOT_STU3_FIELDS: Final = {
    "Procedure": ("encounter",),
    "Observation": ("encounter", "hasMember", "partOf"),
    "DiagnosticReport": ("encounter", "resultsInterpreter", "media"),
    "Condition": ("encounter", "recordedDate"),
    "ImagingStudy": ("encounter", "status"),
    "DeviceUseStatement": ("timingDateTime", "timingPeriod"),
    "Device": ("deviceName", "distinctIdentifier"),
}


def foreign_version(bundle: dict[str, Any], resources: Iterable[dict[str, Any]]) -> tuple[str, str] | None:
    """The other version and the FHIRPath of what shows it first, or `None` where nothing speaks against R4."""
    declared = _declared(bundle, path="Bundle")
    if declared is not None:
        return declared
    signs: dict[str, list[str]] = {R5: [], STU3: []}
    in_favour = {R5: 0, STU3: 0}
    for at, resource in enumerate(resources):
        path = f"Bundle.entry[{at}].resource"
        declared = _declared(resource, path=path)
        if declared is not None:
            return declared
        for version, shapes, against in ((R5, _r5_shapes, _NOT_R5_FIELDS), (STU3, _stu3_shapes, _NOT_STU3_FIELDS)):
            signs[version].extend(f"{path}.{where}" for where in shapes(resource))
            in_favour[version] += any(field in resource for field in against.get(_type(resource), ()))
    version = max(signs, key=lambda name: len(signs[name]) - in_favour[name])
    return (version, signs[version][0]) if len(signs[version]) > in_favour[version] else None


def _type(resource: dict[str, Any]) -> str:
    return string(resource.get("resourceType"))


def _declared(resource: dict[str, Any], *, path: str) -> tuple[str, str] | None:
    meta = mapping(resource.get("meta"))
    profiles = meta.get("profile")
    said = [("meta.fhirVersion", string(meta.get("fhirVersion"))), ("fhirVersion", string(resource.get("fhirVersion")))]
    said += [("meta.profile", string(one)) for one in (profiles if isinstance(profiles, list) else [])]
    for where, text in said:
        # A profile's own version (`…|5.0.1`) is no FHIR version; only HL7's core profiles carry FHIR's.
        if where == "meta.profile" and "hl7.org/fhir/" not in text:
            continue
        if where == "meta.profile" and "|" in text and "hl7.org/fhir/StructureDefinition/" not in text:
            text = text.partition("|")[0]
        for pattern, version in _DECLARED:
            if text and pattern.search(text):
                return version, f"{path}.{where}"
    return None


def _r5_shapes(resource: dict[str, Any]) -> list[str]:
    kind = _type(resource)
    found = [field for field in _R5_FIELDS.get(kind, ()) if field in resource]
    found += ["resourceType"] if kind in _R5_ONLY_TYPES else []
    found += _MORE_R5[kind](resource) if kind in _MORE_R5 else []
    return found


def _r5_imaging_study(resource: dict[str, Any]) -> list[str]:
    series = [
        f"series[{at}].modality"
        for at, one in enumerate(objects(resource.get("series")))
        if "coding" in mapping(one.get("modality")) or "text" in mapping(one.get("modality"))
    ]
    return series + [f"modality[{at}]" for at, one in enumerate(objects(resource.get("modality"))) if "coding" in one]


def _r5_medication(resource: dict[str, Any]) -> list[str]:
    shape = mapping(resource.get("medication"))
    return ["medication"] if "concept" in shape or "reference" in shape else []


def _r5_device(resource: dict[str, Any]) -> list[str]:
    named = any("value" in one for one in objects(resource.get("name")))
    return ["name"] if named else []


_MORE_R5: Final[dict[str, Callable[[dict[str, Any]], list[str]]]] = {
    "ImagingStudy": _r5_imaging_study,
    "MedicationStatement": _r5_medication,
    "MedicationRequest": _r5_medication,
    "MedicationAdministration": _r5_medication,
    "Device": _r5_device,
}


def _stu3_shapes(resource: dict[str, Any]) -> list[str]:
    kind = _type(resource)
    found = [field for field in _STU3_FIELDS.get(kind, ()) if field in resource]
    found += ["resourceType"] if kind in _STU3_ONLY_TYPES else []
    if kind in ("Condition", "AllergyIntolerance"):
        found += [name for name in ("clinicalStatus", "verificationStatus") if isinstance(resource.get(name), str)]
    return found
