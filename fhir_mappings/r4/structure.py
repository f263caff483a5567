"""This file walks a resource beside its definition: names, cardinality, JSON forms, and what the other files check.

What is not of its form is named once and then taken as absent, so that an invariant is only asked of what is there.
FHIR R4 JSON: https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from fhir_mappings.r4.definitions import TYPES, Element, Rule, TypeDefinition
from fhir_mappings.r4.fault import Fault
from fhir_mappings.r4.invariants import holds
from fhir_mappings.r4.primitives import NOT_TEXT, primitive_fault
from fhir_mappings.r4.references import Place, reference_faults
from fhir_mappings.r4.special import special_faults
from fhir_mappings.r4.terminology import coding_faults
from fhir_mappings.resource_json import ELEMENT_NAME

_Found = Generator[Fault, None, Any]
"""Yields faults, returns the content without what was of a wrong form."""

_ABSENT: Final = object()
_COMMENTS: Final = "fhir_comments"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One value of an element: its primitive's shadow (`_birthDate`), its type, its element, its FHIRPath."""

    value: Any
    shadow: Any
    kind: str
    element: Element
    path: str


def resource_faults(
    resource: dict[str, Any], *, path: str, other: Callable[[dict[str, Any], str], Iterator[Fault]]
) -> Iterator[Fault]:
    """The faults of one resource. `other` checks those, itself or inside, whose type the table does not have."""
    yield from _resource_faults(resource, path, Place(root=resource, path=path, other=other))


def _resource_faults(resource: dict[str, Any], path: str, place: Place) -> Iterator[Fault]:
    kind = resource["resourceType"]
    if kind in TYPES and TYPES[kind].kind == "resource":
        yield from _object(resource, kind, path, place)
    else:
        yield from place.other(resource, path)


def _object(content: dict[str, Any], kind: str, path: str, place: Place) -> _Found:
    definition = TYPES[kind]
    if not content.keys() - {"resourceType"}:
        yield Fault(path=path, code="structure", detail="invalid-element", text="An object has at least one element.")
    yield from _unknown_names(content, definition, path)
    clean: dict[str, Any] = {}
    for name, element in definition.elements.items():
        json_name, inner = yield from _present(content, name, element, path)
        if json_name is None:
            continue
        label = name.removesuffix("[x]")
        found = yield from _element(content, json_name, inner, element, f"{path}.{label}", place)
        if found is not _ABSENT:
            clean[json_name] = found
    if definition.kind == "resource":
        clean["resourceType"] = kind
    yield from _rule_faults(definition.rules, clean, path)
    yield from special_faults(clean, kind, path, place)
    return clean


def _unknown_names(content: dict[str, Any], definition: TypeDefinition, path: str) -> Iterator[Fault]:
    for name in content:
        if name == _COMMENTS or (name == "resourceType" and definition.kind == "resource"):
            continue
        plain = name.removeprefix("_")
        if plain in definition.choices or (plain in definition.elements and not plain.endswith("[x]")):
            continue
        # A key that is no element name could be anything, so it is not repeated.
        where = f"{path}.{plain}" if ELEMENT_NAME.fullmatch(name) else path
        text = "FHIR R4 has no such field here: leave it out or use an extension."
        yield Fault(path=where, code="structure", detail="unknown-field", text=text)


def _present(
    content: dict[str, Any], name: str, element: Element, path: str
) -> Generator[Fault, None, tuple[str | None, str]]:
    """The JSON name under which the element stands, with its type; None where it is absent."""
    stem = name.removesuffix("[x]")
    names = (
        {stem + kind[0].upper() + kind[1:]: kind for kind in element.types}
        if stem != name
        else {name: element.types[0]}
    )
    present = [(one, kind) for one, kind in names.items() if one in content or f"_{one}" in content]
    if len(present) > 1:
        text = "Only one form of this element may stand here: keep one."
        yield Fault(path=f"{path}.{stem}", code="structure", detail="invalid-element", text=text)
    if not present:
        if element.min:
            text = "An element that FHIR R4 requires is missing: add it."
            yield Fault(path=f"{path}.{stem}", code="required", detail="missing-element", text=text)
        return None, ""
    return present[0]


def _element(content: dict[str, Any], name: str, kind: str, element: Element, path: str, place: Place) -> _Found:
    value, shadow = content.get(name, _ABSENT), content.get(f"_{name}", _ABSENT)
    if element.max == "1":
        if isinstance(value, list) or isinstance(shadow, list):
            yield _wrong_form(path, "This element takes one value, not a list: write it without [ ].")
            return _ABSENT
        return (yield from _item(_Item(value=value, shadow=shadow, kind=kind, element=element, path=path), place))
    values = [] if value is _ABSENT else value
    shadows = [] if shadow is _ABSENT else shadow
    if not isinstance(values, list) or not isinstance(shadows, list):
        yield _wrong_form(path, "This element is a list: write it in [ ].")
        return _ABSENT
    if not values and not shadows:
        yield _wrong_form(path, "A list holds at least one item, or is left out.")
        return _ABSENT
    clean = []
    for at in range(max(len(values), len(shadows))):
        item = _Item(
            value=values[at] if at < len(values) else _ABSENT,
            shadow=shadows[at] if at < len(shadows) and shadows[at] is not None else _ABSENT,
            kind=kind,
            element=element,
            path=f"{path}[{at}]",
        )
        if item.value is None and item.shadow is not _ABSENT:
            item = replace(item, value=_ABSENT)
        found = yield from _item(item, place)
        if found is not _ABSENT:
            clean.append(found)
    return clean or _ABSENT


def _item(item: _Item, place: Place) -> _Found:
    if item.kind == "Resource":
        return (yield from _resource(item, place))
    if item.kind not in TYPES:
        return (yield from _primitive(item, place))
    if not isinstance(item.value, dict):
        yield _wrong_form(item.path, "This element is an object: write it in { }.")
        return _ABSENT
    clean = yield from _object(item.value, item.kind, item.path, place)
    if not clean:
        return _ABSENT
    yield from _rule_faults(item.element.rules, clean, item.path)
    yield from coding_faults(clean, item.kind, item.element, item.path)
    if item.kind == "Reference":
        yield from reference_faults(clean, item.element, item.path, place)
    return clean


def _primitive(item: _Item, place: Place) -> _Found:
    if item.shadow is not _ABSENT:
        if not isinstance(item.shadow, dict):
            yield _wrong_form(item.path, "The extension of a simple value is an object: write it in { }.")
        else:
            yield from _object(item.shadow, "Element", item.path, place)
    if item.value is _ABSENT:
        # Present by its extension alone: not a value, and not absent either.
        return "" if item.kind in ("string", "code", "uri") else _ABSENT
    fault = primitive_fault(item.value, item.kind)
    if fault is not None:
        yield Fault(path=item.path, code="value", detail="invalid-element", text=fault)
        # A text of a wrong form is there nevertheless: invariants that ask for its presence hold.
        return item.value if isinstance(item.value, str) and item.kind not in NOT_TEXT else _ABSENT
    yield from coding_faults(item.value, item.kind, item.element, item.path)
    return item.value


def _resource(item: _Item, place: Place) -> _Found:
    """A contained resource, or the resource of an entry or a parameter, which is a world of its own."""
    resource = item.value
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str):
        yield _wrong_form(item.path, "A resource is an object with a resourceType.")
        return _ABSENT
    contained = item.path.startswith(f"{place.path}.contained[")
    own = replace(place, contained=resource) if contained else replace(place, root=resource, path=item.path)
    yield from _resource_faults(resource, item.path, own)
    return resource


def _rule_faults(rules: tuple[Rule, ...], content: Any, path: str) -> Iterator[Fault]:
    for rule in rules:
        if rule.severity == "error" and not holds(rule.key, content):
            yield Fault(
                path=path, code="invariant", detail="broken-rule", text=f"{rule.key}: {rule.says.rstrip('. ')}."
            )


def _wrong_form(path: str, text: str) -> Fault:
    return Fault(path=path, code="structure", detail="invalid-element", text=text)
