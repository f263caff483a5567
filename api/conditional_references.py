"""This file finds the references of a transaction that are searches: `Practitioner?identifier=system|value`.

FHIR R4 https://hl7.org/fhir/R4/http.html#trules: each must find exactly one resource. What is not kept here cannot be
looked for: that is said, and the reference stays as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from admission.incoming import is_kept
from admission.search_terms import ConditionRefused
from api.access.errors import NotPermitted
from api.access.sight import Sight
from api.entry_refusals import EntryRefusal
from api.entry_rights import condition_of, refusal_of
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.elements import every_reference
from fhir_mappings.resource_types import KEPT_TYPES
from store.incoming import ConditionalReference

_SEARCH: Final = re.compile(r"([A-Z][A-Za-z]+)\?.")


def searches_in(bundle: ParsedBundle) -> Iterator[tuple[ParsedEntry, str, str, str]]:
    """Entry, path inside it, text and type of each such reference in what is kept, in the order of the entries."""
    for entry in bundle.entries:
        if not is_kept(entry):
            continue
        found = sorted((path, text) for path, text in every_reference(entry.resource, path="resource") if "?" in text)
        for path, text in found:
            if named := _SEARCH.match(text):
                yield entry, f"{path}.reference", text, named[1]


def references_of(
    bundle: ParsedBundle, *, sight: Sight
) -> tuple[tuple[ConditionalReference, ...], Mapping[int, EntryRefusal]]:
    """Those that are looked for, each text once, and the entries whose search cannot be asked."""
    found: dict[str, ConditionalReference] = {}
    refused: dict[int, EntryRefusal] = {}
    for entry, path, text, type_ in searches_in(bundle):
        if text in found or type_ not in KEPT_TYPES:
            continue
        try:
            criteria = condition_of(sight, type_, text)
        except ConditionRefused as no:
            where = f"Bundle.entry[{entry.index}].{path}"
            refused.setdefault(
                entry.index, EntryRefusal.of("value", detail="invalid-condition", text=no.text, path=where)
            )
            continue
        except NotPermitted:
            refused.setdefault(entry.index, refusal_of(f"Bundle.entry[{entry.index}].{path}"))
            continue
        found[text] = ConditionalReference(
            text=text, type=type_, criteria=criteria, entry_index=entry.index, element=path
        )
    return tuple(found.values()), refused
