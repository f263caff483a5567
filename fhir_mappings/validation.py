"""This file checks one resource against FHIR R4's structure with fhir.resources, and names each fault by its FHIRPath.

It is the only file that imports fhir.resources, and only when asked: `$validate` and the tests of what we write use it.
On the way of a bundle the tolerant readers of this room take its place (one validation costs as much as all reading).
fhir.resources has no R4 but R4B; for the types read here their structure is the same. Not checked by it: codes of
required value sets, invariants, terminology. Its messages may hold values of the record, so none is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from fhir_mappings.elements import string
from fhir_mappings.issues import ERROR, INFORMATION, Issue
from fhir_mappings.resource_json import ELEMENT_NAME
from fhir_mappings.resource_types import R4_TYPES

_CHOICE: Final = re.compile(
    r"^(value|effective|performed|onset|abatement|occurrence|timing|medication|deceased|multipleBirth|reported|defaultValue)[A-Z]"
)
_KINDS: Final = {
    "missing": ("required", "An element that FHIR R4 requires is missing: add it."),
    "extra_forbidden": ("structure", "FHIR R4 has no such field here: leave it out or use an extension."),
}
_OTHERWISE: Final = ("value", "This element is not as FHIR R4 has it: check its type and form.")


def validate(resource: dict[str, Any], *, path: str | None = None) -> tuple[Issue, ...]:
    """The faults of one resource; empty where fhir.resources finds none. `path` is the FHIRPath it stands under."""
    kind = string(resource.get("resourceType"))
    if kind not in R4_TYPES:
        text = "FHIR R4 has no resource type of this name: correct resourceType."
        where = f"{path}.resourceType" if path else "Resource.resourceType"
        return (Issue(severity=ERROR, code="not-supported", detail="unknown-type", text=text, expression=(where,)),)
    return tuple(dict.fromkeys(_faults(resource, kind, path or kind)))


def _faults(resource: dict[str, Any], kind: str, path: str) -> Iterator[Issue]:
    from fhir.resources.R4B import get_fhir_model_class  # costs a third of a second: only who validates pays it
    from pydantic import ValidationError

    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False, include_context=False):
            yield _issue(error["type"], error["loc"], path)
    except RecursionError:
        yield _unreadable(path, "too-deep", "Nested too deep to be checked.", code="too-long")
    except (KeyError, LookupError, TypeError, ValueError, AttributeError):
        # fhir.resources lets these through, for instance for an unknown type inside `contained`.
        yield _unreadable(
            path, "invalid-element", "A part of this resource is of no known type: check contained and entry."
        )


def _issue(kind: str, location: Iterable[int | str], path: str) -> Issue:
    code, text = _KINDS.get(kind, _OTHERWISE)
    unknown = kind == "extra_forbidden"
    return Issue(
        severity=INFORMATION if unknown else ERROR,
        code=code,
        detail="unknown-field" if unknown else "invalid-element",
        text=text,
        expression=(_fhirpath(location, path),),
    )


def _fhirpath(location: Iterable[int | str], path: str) -> str:
    """`("entry", 3, "resource", "valueQuantity", "unit")` as `Bundle.entry[3].resource.value.unit`."""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif ELEMENT_NAME.fullmatch(step):
            choice = _CHOICE.match(step)
            path += f".{choice.group(1) if choice else step.removeprefix('_')}"
    return path


def _unreadable(path: str, detail: str, text: str, *, code: str = "structure") -> Issue:
    return Issue(severity=ERROR, code=code, detail=detail, text=text, expression=(path,))
