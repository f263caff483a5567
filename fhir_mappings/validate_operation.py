"""This file is `$validate` without HTTP: what is asked, and the issues that answer it. Nothing is stored.

FHIR R4: https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_mappings.elements import string
from fhir_mappings.fhir_version import foreign_version
from fhir_mappings.issues import ERROR, Issue, grouped
from fhir_mappings.limits import Limits
from fhir_mappings.operation_input import operation_input
from fhir_mappings.resource_json import NotJson, TooDeep, read_json
from fhir_mappings.resource_types import KEPT_TYPES, R4_TYPES
from fhir_mappings.validation import validate

MODES: Final = ("create", "update", "delete", "profile")
TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "resource": ("resource",),
    "mode": ("valueCode", "valueString"),
    "profile": ("valueUri", "valueCanonical", "valueString"),
}
"""The parameters of the operation with the elements that may hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateInput:
    """What is asked: the resource (None where only Parameters without one came), `mode`, `profile`.

    `issues` says why a body could not be read as a resource at all.
    """

    resource: dict[str, Any] | None = None
    mode: str | None = None
    profile: str | None = None
    issues: tuple[Issue, ...] = ()


def read_validate_body(raw: bytes, *, limits: Limits) -> ValidateInput:
    """The body: a resource, or Parameters. Raises ParameterRefused for Parameters that the operation does not take."""
    if not raw.strip():
        return ValidateInput()
    try:
        read = read_json(raw, depth=limits.depth)
    except TooDeep:
        text = f"The body is nested deeper than {limits.depth} levels: no FHIR resource needs that."
        return ValidateInput(issues=(_error("too-deep", text, code="too-long"),))
    except NotJson:
        text = "The body is not JSON in UTF-8: send one FHIR R4 resource as application/fhir+json."
        return ValidateInput(issues=(_error("not-json", text, code="structure"),))
    if not isinstance(read.content, dict):
        text = "The body is no resource: send one object with a resourceType."
        return ValidateInput(issues=(_error("invalid-element", text, code="structure"),))
    if read.content.get("resourceType") == "Parameters":
        values = operation_input(read.content, takes=TAKES, operation="$validate")
        return ValidateInput(**values, issues=_repeated_keys(read.duplicate_keys))
    return ValidateInput(resource=read.content, issues=_repeated_keys(read.duplicate_keys))


def validate_issues(
    asked: ValidateInput,
    *,
    definitions: Mapping[str, Mapping[str, Any]],
    type_: str | None = None,
    id_: str | None = None,
) -> tuple[Issue, ...]:
    """The answer. `type_` and `id_` are those of the address, where it has them; `definitions` are our artefacts."""
    found = list(asked.issues)
    if asked.mode is not None and asked.mode not in MODES:
        found.append(_error("unknown-code", f"The mode is one of {', '.join(MODES)}.", code="code-invalid"))
    resource = asked.resource
    if resource is None:
        if not found and asked.mode != "delete":
            text = "There is no resource to validate: send it as the body, or as the parameter resource."
            found.append(_error("no-resource", text, code="required"))
        return tuple(found)
    kind = string(resource.get("resourceType"))
    if type_ is not None and kind != type_ and kind in R4_TYPES:
        text = "The resource is of another type than the address: send it to the address of its own type."
        found.append(_error("invalid-element", text, code="invalid", expression=f"{kind}.resourceType"))
    other = foreign_version({}, [resource])
    if other is not None:
        text = f"This looks like FHIR {other[0]}: send FHIR R4 (4.0.1)."
        found.append(_error("fhir-version", text, code="not-supported", expression=kind or "Resource"))
    if kind in R4_TYPES:
        found.extend(_mode_issues(asked.mode, resource, kind, id_))
    if asked.mode != "delete":
        profiles = [asked.profile] if asked.profile else []
        found.extend(validate(resource, profiles=profiles, definitions=definitions))
    return tuple(found)


def _mode_issues(mode: str | None, resource: Mapping[str, Any], kind: str, id_: str | None) -> list[Issue]:
    found = []
    if mode in ("create", "update") and kind not in KEPT_TYPES:
        text = "This type cannot be created or changed here. The CapabilityStatement at metadata names what can."
        found.append(_error("not-offered", text, code="not-supported", expression=kind))
    if mode == "update" and "id" not in resource:
        text = "An update names the id of what it changes: add it."
        found.append(_error("missing-element", text, code="required", expression=f"{kind}.id"))
    if id_ is not None and mode != "create" and resource.get("id", id_) != id_:
        text = "The id of the resource is not that of the address: correct one of them."
        found.append(_error("invalid-element", text, code="invalid", expression=f"{kind}.id"))
    return found


def _repeated_keys(paths: tuple[str, ...]) -> tuple[Issue, ...]:
    if not paths:
        return ()
    text = "The same key stands twice in one object: send each key once."
    return (grouped(_error("duplicate-key", text, code="structure"), paths=paths),)


def _error(detail: str, text: str, *, code: str, expression: str | None = None) -> Issue:
    places = (expression,) if expression else ()
    return Issue(severity=ERROR, code=code, detail=detail, text=text, expression=places)
