"""This file reads MedicationStatements, -Requests and -Administrations as the concepts that rules ask for.

FHIR R4: https://hl7.org/fhir/R4/medicationstatement.html and its sisters. Concepts: `codes/medications.toml`.
"""

from __future__ import annotations

from typing import Final

from correlation.timeline import FillerInjection, Medication
from fhir_mappings.codes import medication_concepts
from fhir_mappings.elements import codings, concept_text, concept_words, string
from fhir_mappings.loose_products import injection_of_medicine
from fhir_mappings.record import Record, Source

MEDICATION_TYPES: Final = ("MedicationStatement", "MedicationRequest", "MedicationAdministration")

_LEFT_OUT: Final = ("entered-in-error", "not-taken", "not-done", "cancelled", "draft", "unknown")
_ACTIVE: Final = ("active", "in-progress")
_ORDERS: Final = ("", "order", "original-order", "reflex-order", "filler-order", "instance-order")


def read_medication(source: Source, record: Record) -> tuple[list[Medication], list[FillerInjection]]:
    """The concepts of one medicine on record, and a filler where one was recorded as a medicine."""
    resource = source.resource
    if string(resource.get("status")) in _LEFT_OUT or resource.get("doNotPerform") is True:
        return [], []
    if string(resource.get("intent")) not in _ORDERS:
        return [], []
    concept = _medicine(source, record)
    text = "; ".join(concept_words(concept))
    found = [
        Medication(
            source=source.ref,
            concept=one,
            text=concept_text(concept),
            active=string(resource.get("status")) in _ACTIVE,
        )
        for one in medication_concepts(codings(concept), text)
    ]
    given = None if source.type == "MedicationRequest" else injection_of_medicine(source, concept, record)
    return found, [given] if given is not None else []


def _medicine(source: Source, record: Record) -> object:
    concept = source.resource.get("medicationCodeableConcept")
    if concept is not None:
        return concept
    found = record.follow_all(source.resource.get("medicationReference"), source)
    return found[0].resource.get("code") if found else None
