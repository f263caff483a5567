"""This file tells what kind of imaging something is, from DICOM and procedure codes or from the words of its title."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fhir_mappings.code_tables import code_table
from fhir_mappings.codes import LOINC, SNOMED, every_fit, word_groups
from fhir_mappings.elements import Coding, codings, concept_words, objects, string

_SYSTEMS: Final = {LOINC: "loinc", SNOMED: "snomed", "http://www.ama-assn.org/go/cpt": "cpt"}


def pictures(codes: Iterable[str]) -> frozenset[str]:
    """The DICOM modalities among these that show the patient; documents beside the pictures are left out."""
    known = frozenset(code_table("imaging")["pictures"])
    return frozenset(code.upper() for code in codes) & known


def modality_codes(value: object) -> frozenset[str]:
    """The DICOM codes of `modality`: Codings in R4; a CodeableConcept is read as well."""
    return pictures(coding.code for item in objects(value) for coding in codings(item))


def coded_modalities(codes: Iterable[Coding]) -> frozenset[str] | None:
    """The modalities of study codes; `None` where none of the codes is an imaging code we know."""
    table = code_table("imaging")
    found = [table[_SYSTEMS[one.system]].get(one.code) for one in codes if one.system in _SYSTEMS]
    known = [names for names in found if names is not None]
    return frozenset(name for names in known for name in names) if known else None


def worded_modalities(texts: Iterable[str]) -> frozenset[str]:
    """The modalities that the words of a title name."""
    groups = word_groups("imaging", "words")
    return frozenset(name for text in texts if text for name in every_fit(groups, text))


def modalities_of_concepts(value: object, *, titles: Iterable[str] = ()) -> frozenset[str]:
    """The modalities of `procedureCode` or `code`, by code first, else by words."""
    concepts = objects(value)
    by_code = coded_modalities(coding for concept in concepts for coding in codings(concept))
    words = [text for concept in concepts for text in concept_words(concept)]
    return by_code or worded_modalities([*words, *(string(title) for title in titles)])
