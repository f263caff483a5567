"""This file marks what we write with a digest of its content, so that a later look says whether it still stands so.

Nothing has to be remembered for it: whoever changes the resource on the server does not change the digest to fit. What
a server may change by itself is left out: id, meta, the narrative, the order of members, how a number is spelt.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from ehr.answers import objects_in
from ehr.fhir_json import write_json

WRITTEN_CONTENT: Final = "https://fillertrace.example/fhir/StructureDefinition/written-content"
"""The extension that holds the digest; its StructureDefinition is in `fhir_mappings`."""

_LEFT_OUT: Final = frozenset({"id", "meta", "text"})


def marked(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with its digest."""
    mark = {"url": WRITTEN_CONTENT, "valueString": content_digest(resource)}
    return {**resource, "extension": [*_other_extensions(resource), mark]}


def mark_of(resource: Mapping[str, Any]) -> str | None:
    """The digest that a resource carries, whether or not it fits."""
    marks = [one.get("valueString") for one in objects_in(resource.get("extension")) if _is_mark(one)]
    return marks[0] if len(marks) == 1 and isinstance(marks[0], str) else None


def stands_as_written(resource: Mapping[str, Any]) -> bool:
    """Whether the content of a resource is what we wrote."""
    return mark_of(resource) == content_digest(resource)


def content_digest(resource: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, over the content of a resource."""
    content = {name: value for name, value in resource.items() if name not in _LEFT_OUT}
    content["extension"] = _other_extensions(resource)
    return sha256(write_json(_in_order(content))).hexdigest()


def _other_extensions(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in objects_in(resource.get("extension")) if not _is_mark(one)]


def _is_mark(extension: Mapping[str, Any]) -> bool:
    return extension.get("url") == WRITTEN_CONTENT


def _in_order(value: Any) -> Any:
    """The same content in one form: members by name, numbers without zeros that say nothing."""
    if isinstance(value, dict):
        return [[name, _in_order(value[name])] for name in sorted(value)]
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(Decimal(str(value)).normalize())
    return value
