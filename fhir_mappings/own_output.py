"""This file knows our own resources again, from any server and version: they are never evidence (contract, 3)."""

from __future__ import annotations

from typing import Any

from fhir_mappings import canonical
from fhir_mappings.elements import codings, mapping, objects, string


def is_own_output(resource: dict[str, Any]) -> bool:
    """Whether we made this resource: by identifier system, by a code of ours, or by `meta.tag`."""
    tags = objects(mapping(resource.get("meta")).get("tag"))
    return (
        any(_is_own_tag(tag) for tag in tags)
        or any(
            string(one.get("system")) in canonical.OWN_IDENTIFIER_SYSTEMS for one in objects(resource.get("identifier"))
        )
        or any(_is_own_concept(resource.get(name)) for name in ("code", "type"))
        or any(_is_own_concept(category) for category in objects(resource.get("category")))
    )


def _is_own_tag(tag: dict[str, Any]) -> bool:
    return string(tag.get("system")).startswith(canonical.CODE_SYSTEM_BASE)


def _is_own_concept(concept: object) -> bool:
    return any(coding.system.startswith(canonical.CODE_SYSTEM_BASE) for coding in codings(concept))
