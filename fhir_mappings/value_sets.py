"""This file writes our ValueSets: one for each code system of ours, with all of its codes.

FHIR R4 ValueSet: https://hl7.org/fhir/R4/valueset.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fhir_mappings import canonical

VALUE_SET_BASE: Final = f"{canonical.BASE}/ValueSet/"


def value_set_url(system: str) -> str:
    """The ValueSet with all codes of one code system of ours.

    >>> value_set_url("https://fillertrace.example/fhir/CodeSystem/reply")
    'https://fillertrace.example/fhir/ValueSet/reply'
    """
    return VALUE_SET_BASE + system.rsplit("/", 1)[1]


def value_sets(code_systems: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """One ValueSet for each of these CodeSystem resources."""
    return tuple(_value_set(system) for system in code_systems)


def _value_set(system: Mapping[str, Any]) -> dict[str, Any]:
    shared = (
        "id",
        "version",
        "name",
        "title",
        "status",
        "experimental",
        "date",
        "publisher",
        "description",
        "copyright",
    )
    return {
        "resourceType": "ValueSet",
        "url": value_set_url(system["url"]),
        **{name: system[name] for name in shared if name in system},
        "immutable": True,
        "compose": {"include": [{"system": system["url"]}]},
    }
