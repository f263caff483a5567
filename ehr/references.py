"""This file finds and replaces the references inside a resource, whatever its type.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

LOGICAL_REFERENCE: Final = "https://fillertrace.example/fhir/input"
"""The system of an identifier that names, on another server, what we know a resource as."""

_LITERAL: Final = re.compile(
    r"(?:(?P<base>https?://.+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A reference to a resource of a FHIR server. `base_url` is None where it is the server it was read from."""

    base_url: str | None
    type: str
    id: str


def references_in(value: Any) -> Iterator[str]:
    """Every literal reference inside a resource, as it stands there."""
    if isinstance(value, list):
        for item in value:
            yield from references_in(item)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from references_in(item)


def literal(reference: object) -> Literal | None:
    """The reference taken apart, without its version; None for `#contained`, `urn:…` and anything else.

    >>> literal("Patient/12/_history/3").id
    '12'
    """
    found = _LITERAL.fullmatch(reference) if isinstance(reference, str) else None
    return Literal(base_url=found["base"], type=found["type"], id=found["id"]) if found else None


def with_references(value: Any, known: Mapping[str, str]) -> Any:
    """The same resource with each reference as `known` has it, and without versions.

    One that is not known is kept as a logical one, by identifier: a server refuses what it cannot resolve.
    """
    if isinstance(value, list):
        return [with_references(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("reference"), str):
        return _reference(value, known)
    return {key: with_references(item, known) for key, item in value.items()}


def _reference(value: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    target = value["reference"]
    bare, _, _version = target.partition("/_history/")
    if bare in known:
        return {**value, "reference": known[bare]}
    kept = {key: item for key, item in value.items() if key != "reference"}
    return kept if "identifier" in kept else {**kept, "identifier": {"system": LOGICAL_REFERENCE, "value": target}}
