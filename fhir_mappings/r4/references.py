"""This file checks references inside a resource: to what type they may lead, and that what is contained is there.

Whether a reference leads to something that exists elsewhere is not asked. FHIR R4: https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from fhir_mappings.elements import objects
from fhir_mappings.r4.definitions import Element
from fhir_mappings.r4.fault import Fault
from fhir_mappings.resource_types import R4_TYPES

_TYPED: Final = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a check goes on: in which resource, under which FHIRPath, and in which contained one, if in one."""

    root: dict[str, Any]
    path: str
    other: Callable[[dict[str, Any], str], Iterator[Fault]]
    """Checks a resource whose type the table does not have."""
    contained: dict[str, Any] | None = None

    @cached_property
    def contained_types(self) -> dict[str, str]:
        """The types of the contained resources by id."""
        return {
            one["id"]: one["resourceType"]
            for one in objects(self.root.get("contained"))
            if isinstance(one.get("id"), str) and isinstance(one.get("resourceType"), str)
        }


def reference_faults(reference: dict[str, Any], element: Element, path: str, place: Place) -> Iterator[Fault]:
    """What is wrong with one Reference that is of the right form."""
    address = reference.get("reference", "")
    said = reference.get("type")
    if any(character.isspace() for character in address):
        yield _fault(path, "A reference is an address without blanks: correct it, or leave it out.")
        return
    if address.startswith("#") and address != "#" and address[1:] not in place.contained_types:
        yield _fault(path, "No contained resource has this id: add it, or correct the reference.", code="not-found")
        return
    leads_to = _type_of(address, place)
    if said is not None and leads_to is not None and said != leads_to:
        yield _fault(path, "The type that is said and the type in the address differ: correct one of them.")
    if not element.targets:
        return
    for kind in dict.fromkeys(one for one in (leads_to, said) if one is not None):
        if kind not in element.targets:
            allowed = ", ".join(element.targets)
            yield _fault(path, f"This reference may lead to: {allowed}.")


def _type_of(address: str, place: Place) -> str | None:
    if address == "#":
        return str(place.root.get("resourceType"))
    if address.startswith("#"):
        return place.contained_types.get(address[1:])
    found = _TYPED.fullmatch(address)
    return found["type"] if found and found["type"] in R4_TYPES else None


def _fault(path: str, text: str, *, code: str = "value") -> Fault:
    return Fault(path=path, code=code, detail="invalid-reference", text=text)
