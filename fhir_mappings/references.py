"""This file follows references between the resources at hand: urn, absolute, relative and contained.

One step at a time, so that a circle of references can never hold anything up; circles are reported apart.
FHIR R4: https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhir_mappings.elements import objects, string

_RELATIVE: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")
_ABSOLUTE: Final = re.compile(r"(https?://.+?)/([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")
_VERSION: Final = re.compile(r"/_history/[A-Za-z0-9.\-]{1,64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """Something that can be referred to: its place in the input, its full URL where it has one, its resource."""

    index: int
    full_url: str | None
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a reference leads. `contained_id` is set where it leads into the referring resource."""

    at: Addressed
    resource: dict[str, Any]
    contained_id: str | None = None


Unresolved = Literal["missing", "ambiguous"]


def without_version(reference: str) -> str:
    """A reference without `/_history/…`."""
    return _VERSION.sub("", reference)


def base_of(full_url: str | None) -> str | None:
    """The server's base in `https://server/base/Type/id`; `None` for a urn or anything else."""
    found = _ABSOLUTE.fullmatch(without_version(full_url or ""))
    return found.group(1) if found else None


def named_type(reference: str) -> str | None:
    """The resource type a reference names by itself, such as `Device` in `Device/d1` or `Device?identifier=…`."""
    plain = without_version(reference)
    found = _RELATIVE.fullmatch(plain) or re.fullmatch(r"([A-Z][A-Za-z]+)\?.*", plain)
    if found:
        return found.group(1)
    absolute = _ABSOLUTE.fullmatch(plain)
    return absolute.group(2) if absolute else None


class References:
    """The resources at hand, by every name under which they can be referred to."""

    def __init__(self, entries: Iterable[Addressed]) -> None:
        self._by_url: dict[str, list[Addressed]] = {}
        self._by_local: dict[str, list[Addressed]] = {}
        for entry in entries:
            self._add(entry)

    def resolve(self, reference: str, source: Addressed) -> Target | Unresolved:
        """What `reference` inside `source` leads to, or why it leads nowhere."""
        if reference.startswith("#"):
            return _contained(reference[1:], source)
        plain = without_version(reference)
        found = self._candidates(plain, source)
        if not found:
            return "missing"
        if len(found) > 1:
            return "ambiguous"
        return Target(at=found[0], resource=found[0].resource)

    def _add(self, entry: Addressed) -> None:
        kind, identity = string(entry.resource.get("resourceType")), string(entry.resource.get("id"))
        if entry.full_url:
            self._by_url.setdefault(without_version(entry.full_url), []).append(entry)
            absolute = _ABSOLUTE.fullmatch(without_version(entry.full_url))
            if absolute:
                identity = identity or absolute.group(3)
        if kind and identity:
            self._by_local.setdefault(f"{kind}/{identity}", []).append(entry)

    def _candidates(self, reference: str, source: Addressed) -> list[Addressed]:
        if reference in self._by_url:
            return self._by_url[reference]
        base = base_of(source.full_url)
        if base is not None and f"{base}/{reference}" in self._by_url:
            return self._by_url[f"{base}/{reference}"]
        if _RELATIVE.fullmatch(reference):
            return self._by_local.get(reference, [])
        absolute = _ABSOLUTE.fullmatch(reference)
        if absolute is None:
            return []
        # Some servers send entries without full URL and refer to them in full: their type and id must do.
        local = self._by_local.get(f"{absolute.group(2)}/{absolute.group(3)}", [])
        return [entry for entry in local if not entry.full_url]


def _contained(name: str, source: Addressed) -> Target | Unresolved:
    for resource in objects(source.resource.get("contained")):
        if string(resource.get("id")) == name:
            return Target(at=source, resource=resource, contained_id=name)
    return "missing" if name else Target(at=source, resource=source.resource)
