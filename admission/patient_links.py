"""This file reads `Patient.link`: a Patient who was replaced by another, or who replaces one.

FHIR R4 https://hl7.org/fhir/R4/patient.html#links. `refer` and `seealso` say nothing about whose record is whose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.elements import mapping, objects, string
from fhir_mappings.own_output import is_own_output
from fhir_mappings.patient import logical_identity
from fhir_mappings.references import base_of, meaning
from store.incoming import PatientLink
from store.patients import identifier_keys

ENTRY: Final = "entry:"


def links_in(bundle: ParsedBundle, *, base_url: str) -> Iterator[PatientLink]:
    """Whose record has become a part of whose, as the Patients of a Bundle say."""
    for entry in bundle.entries:
        if entry.type != "Patient" or entry.resource is None or is_own_output(entry.resource):
            continue
        for link in objects(entry.resource.get("link")):
            other = _other(mapping(link.get("other")), entry, base_url)
            kind = string(link.get("type"))
            if other and kind == "replaced-by":
                yield PatientLink(replaced=link_key(entry), surviving=other, entry_index=entry.index)
            elif other and kind == "replaces":
                yield PatientLink(replaced=other, surviving=link_key(entry), entry_index=entry.index)


def link_key(entry: ParsedEntry) -> str:
    """A name by which a Patient of the Bundle is meant, whether it came with an address or without."""
    return f"{ENTRY}{entry.index}"


def _other(reference: dict[str, Any], entry: ParsedEntry, base_url: str) -> str:
    text = string(reference.get("reference"))
    if text:
        return meaning(text, base=base_of(entry.full_url)).removeprefix(f"{base_url}/")
    return next(iter(identifier_keys(logical_identity(reference).identifiers)), "")
