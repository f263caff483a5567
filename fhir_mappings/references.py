"""This file follows references between the resources at hand: urn, absolute, relative and contained.

One step at a time, so that a circle of references can never hold anything up; circles are reported apart.
FHIR R4: https://hl7.org/fhir/R4/bundle.html#references, https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from fhir_mappings.elements import every_reference, objects, string

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
    return _VERSION.sub("", reference) if "/_history/" in reference else reference


@lru_cache(maxsize=4096)
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


def meaning(reference: str, *, base: str | None) -> str:
    """A reference without version, as the address it means: a relative one starts from the server it came from."""
    plain = without_version(reference)
    return f"{base}/{plain}" if base is not None and _RELATIVE.fullmatch(plain) else plain


class References:
    """The resources at hand, by every name under which they can be referred to.

    `Patient/1` of one server is never `Patient/1` of another. A resource that came without a server's address may stand
    for one server's, and for one only.
    """

    def __init__(self, entries: Iterable[Addressed]) -> None:
        self._entries = tuple(entries)
        self._by_url: dict[str, list[Addressed]] = {}
        self._local: dict[str, list[Addressed]] = {}  # by type and id: those without a server's address
        self._of_servers: dict[str, list[Addressed]] = {}  # by type and id: those with one
        self._servers: set[str] = set()
        self._claims: dict[str, set[str]] | None = None
        for entry in self._entries:
            self._add(entry)

    @property
    def one_server(self) -> bool:
        """Whether all that came with a server's address came from the same one: only then is type and id a name."""
        return len(self._servers) <= 1

    def resolve(self, reference: str, source: Addressed) -> Target | Unresolved:
        """What `reference` inside `source` leads to, or why it leads nowhere."""
        if reference.startswith("#"):
            return _contained(reference[1:], source)
        found = self._candidates(reference, source)
        if not found:
            return "missing"
        if len(found) > 1 and not _same_address(found):
            return "ambiguous"
        return Target(at=found[0], resource=found[0].resource)

    def may_stand_in(self, name: str) -> bool:
        """Whether a resource without address may be the `Type/id` of a server: not where several servers' is meant."""
        return len(self._claimed().get(name, ())) <= 1

    def _add(self, entry: Addressed) -> None:
        address = without_version(entry.full_url or "")
        absolute = _ABSOLUTE.fullmatch(address)
        if address:
            self._by_url.setdefault(address, []).append(entry)
        if absolute:
            self._servers.add(absolute.group(1))
        names = self._of_servers if absolute else self._local
        kind = string(entry.resource.get("resourceType"))
        identity = string(entry.resource.get("id")) or (absolute.group(3) if absolute else "")
        if kind and identity:
            names.setdefault(f"{kind}/{identity}", []).append(entry)

    def _candidates(self, reference: str, source: Addressed) -> list[Addressed]:
        meant = meaning(reference, base=base_of(source.full_url))
        if meant in self._by_url:
            return self._by_url[meant]
        absolute = _ABSOLUTE.fullmatch(meant)
        if absolute is None:
            return self._local.get(meant, []) + (self._of_servers.get(meant, []) if self.one_server else [])
        name = f"{absolute.group(2)}/{absolute.group(3)}"
        if name not in self._local or not self.may_stand_in(name):
            return []
        if meant != without_version(reference):
            return self._local[name]
        # Some servers send entries without full URL and refer to them in full: their type and id must do.
        return [entry for entry in self._local[name] if not entry.full_url]

    def _claimed(self) -> dict[str, set[str]]:
        """The servers whose `Type/id` is meant somewhere and was not sent with its address, by `Type/id`."""
        if self._claims is None:
            self._claims = {}
            for entry in self._entries:
                base = base_of(entry.full_url)
                for _, reference in every_reference(entry.resource, path=""):
                    meant = meaning(reference, base=base)
                    absolute = _ABSOLUTE.fullmatch(meant)
                    if absolute and meant not in self._by_url:
                        self._claims.setdefault(f"{absolute.group(2)}/{absolute.group(3)}", set()).add(
                            absolute.group(1)
                        )
        return self._claims


def _same_address(found: list[Addressed]) -> bool:
    """Whether these are one resource, sent more than once."""
    return all(one.full_url for one in found) and len({_name(one) for one in found}) == 1


def _name(entry: Addressed) -> tuple[str, str, str]:
    resource = entry.resource
    return without_version(entry.full_url or ""), string(resource.get("resourceType")), string(resource.get("id"))


def _contained(name: str, source: Addressed) -> Target | Unresolved:
    for resource in objects(source.resource.get("contained")):
        if string(resource.get("id")) == name:
            return Target(at=source, resource=resource, contained_id=name)
    return "missing" if name else Target(at=source, resource=source.resource)
