"""This file knows the addresses of resources: what a type looks like, and which methods each address takes.

The methods come from the same table as the CapabilityStatement, so that `Allow` and the statement cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from starlette.convertors import StringConvertor, register_url_convertor

from api.errors import RequestRefused
from fhir_mappings.capability import CONFORMANCE_TYPES, TYPES


class _TypeName(StringConvertor):
    """A name as FHIR gives its types: `$correlate` and `metadata` are none, and keep their own answers."""

    regex = "[A-Z][A-Za-z]*"


class _Id(StringConvertor):
    """An id as FHIR writes it: `_search` and `$validate` are none, and nothing is deleted under these names."""

    regex = r"[A-Za-z0-9.\-]{1,64}"


register_url_convertor("fhir_type", _TypeName())
register_url_convertor("fhir_id", _Id())
TYPE: Final = "/{resource_type:fhir_type}"
INSTANCE: Final = f"{TYPE}/{{resource_id:fhir_id}}"
HISTORY: Final = f"{INSTANCE}/_history"
VERSION: Final = f"{HISTORY}/{{version}}"

GENERIC: Final = frozenset(re.sub(":fhir_(type|id)", "", address) for address in (TYPE, INSTANCE, HISTORY, VERSION))
"""The addresses that all types share, as routes write them without the base."""

ROWS: Final = {row.type: row for row in TYPES}
_ADDRESS: Final = re.compile(
    r"/fhir/(?P<type>[A-Z][A-Za-z]*)(?:/(?P<id>[A-Za-z0-9.\-]+)(?:/(?P<history>_history)(?:/(?P<version>[^/]+))?)?)?"
)
READABLE_TYPES: Final = frozenset(row.type for row in TYPES if "read" in row.interactions)
_INTERACTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "read": ("Type/id", ("GET", "HEAD")),
    "update": ("Type/id", ("PUT",)),
    "delete": ("Type/id", ("DELETE",)),
    "history-instance": ("Type/id/_history", ("GET", "HEAD")),
    "vread": ("Type/id/_history/version", ("GET", "HEAD")),
    "create": ("Type", ("POST",)),
    "search-type": ("Type", ("GET", "HEAD")),
}
"""For each interaction of FHIR the shape of its address, and its methods."""
_WRITES: Final = frozenset({"create", "update", "delete"})


def methods_of_type(resource_type: str, shape: str) -> frozenset[str]:
    """The methods of an address of this type and shape, by what is said of the type in the CapabilityStatement."""
    row = ROWS.get(resource_type)
    offered = () if row is None else row.interactions
    found = [_INTERACTIONS[one] for one in offered if one in _INTERACTIONS]
    return frozenset(method for at, methods in found if at == shape for method in methods)


def shape_of(path: str) -> tuple[str, str] | None:
    """The type and the shape of an address below the base, None where it is of no resource.

    >>> shape_of("/fhir/Patient/1/_history")
    ('Patient', 'Type/id/_history')
    """
    found = _ADDRESS.fullmatch(path)
    if found is None:
        return None
    steps = ("Type", found["id"] and "id", found["history"] and "_history", found["version"] and "version")
    return found["type"], "/".join(step for step in steps if step)


def allow(methods: Iterable[str]) -> str:
    """The methods as `Allow` names them."""
    return ", ".join(sorted(methods))


def check_type(resource_type: str, *, interaction: str) -> None:
    """Refuse a type that is not kept here (404), and one of which this is not offered (405 with Allow)."""
    row = ROWS.get(resource_type)
    if row is None:
        if resource_type in CONFORMANCE_TYPES and interaction in _WRITES:
            raise not_allowed(("GET", "HEAD"))  # our own artefacts are read and searched (artefacts.py)
        raise RequestRefused(
            404,
            code="not-supported",
            detail="unknown-type",
            text="This type is not kept here. The CapabilityStatement at metadata names the types that are.",
        )
    if interaction in row.interactions:
        return
    methods = methods_of_type(resource_type, _INTERACTIONS[interaction][0])
    if methods:
        raise not_allowed(methods)
    text = "This is not offered for this type. The CapabilityStatement at metadata names what is."
    raise RequestRefused(404, code="not-supported", detail="not-offered", text=text)


def not_allowed(methods: Iterable[str], *, text: str = "", detail: str = "method-not-allowed") -> RequestRefused:
    """405: this address takes other methods than the one it was given."""
    return RequestRefused(
        405,
        code="not-supported",
        detail=detail,
        text=text or "This address does not take this method; Allow names the ones it takes.",
        headers={"Allow": allow(methods)},
    )
