"""This file names first-level fields that FHIR R4 does not have. They never reject a resource.

Deeper ones are found by `validation.validate`, which costs far more and is not on the way of a bundle.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from fhir_mappings.code_tables import code_table
from fhir_mappings.issues import INFORMATION, Issue
from fhir_mappings.resource_json import ELEMENT_NAME

_COMMENTS: Final = "fhir_comments"


@cache
def _known(kind: str) -> frozenset[str] | None:
    table = code_table("elements")
    own = table["elements"].get(kind)
    return None if own is None else frozenset((*own, *table["common"], _COMMENTS))


def unknown_fields(resource: dict[str, Any], *, kind: str, path: str) -> Iterator[Issue]:
    """One issue for each field of the first level that this resource type does not have."""
    known = _known(kind)
    if known is None:
        return
    for name in resource:
        if name not in known and name.removeprefix("_") not in known:
            # A key that is no element name could be anything, so it is not repeated.
            where = f"{path}.{name}" if ELEMENT_NAME.fullmatch(name) else path
            text = "FHIR R4 has no such field here: it was not read. It stays in the received bytes."
            yield Issue(severity=INFORMATION, code="structure", detail="unknown-field", text=text, expression=(where,))
