"""This file reads Conditions (and a few Procedures, such as dialysis) as the concepts that rules ask for.

FHIR R4 Condition: https://hl7.org/fhir/R4/condition.html. Concepts: `codes/conditions.toml`.
"""

from __future__ import annotations

from typing import Final

from correlation.timeline import ClinicalCondition
from fhir_mappings.body_sites import sites_of, sites_of_list
from fhir_mappings.codes import condition_concepts, says_history
from fhir_mappings.elements import code_of, codings, concept_text, concept_words, string
from fhir_mappings.record import ENTERED_IN_ERROR, Record, Source
from fhir_mappings.text_sites import sites_in_text

_NOT_SO: Final = ("refuted", ENTERED_IN_ERROR, "differential")
_OVER: Final = ("inactive", "remission", "resolved")
_ACTS_DONE: Final = ("completed", "in-progress", "stopped", "unknown", "")


def read_condition(source: Source, record: Record) -> list[ClinicalCondition]:
    """The concepts of one Condition; none where it is refuted, entered in error or one of several guesses."""
    resource = source.resource
    if code_of(resource.get("verificationStatus")) in _NOT_SO:
        text = "This condition is refuted, one of several guesses, or entered in error; it was left out."
        record.inform("not-counted", text, f"{source.path}.verificationStatus")
        return []
    code = resource.get("code")
    text = "; ".join(concept_words(code))
    concepts = condition_concepts(codings(code), text)
    if not concepts:
        return []
    sites = sites_of_list(resource.get("bodySite"), record.knowledge) or sites_of(code, record.knowledge)
    over = code_of(resource.get("clinicalStatus")) in _OVER or any(name.startswith("abatement") for name in resource)
    onset = record.quiet_when(source, stem="onset")
    return [
        ClinicalCondition(
            source=source.ref,
            concept=concept,
            text=concept_text(code),
            onset=onset,
            active=not over and not says_history(codings(code), text),
            site=sites[0] if sites else None,
        )
        for concept in concepts
    ]


def read_procedure_condition(source: Source, record: Record) -> list[ClinicalCondition]:
    """What a Procedure says of the patient's state, such as dialysis; nothing for most."""
    resource = source.resource
    if string(resource.get("status")) not in _ACTS_DONE:
        return []
    code = resource.get("code")
    text = "; ".join(concept_words(code))
    found = condition_concepts(codings(code), text, of_procedure=True)
    if not found:
        return []
    sites = sites_in_text(text, record.knowledge)
    onset = record.quiet_when(source, stem="performed")
    return [
        ClinicalCondition(
            source=source.ref, concept=one, text=concept_text(code), onset=onset, site=sites[0] if sites else None
        )
        for one in found
    ]
