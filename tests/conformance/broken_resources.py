"""This file breaks resources on purpose: every element in every way that its type in FHIR R4 can be broken.

Nothing is left to chance: the same resource gives the same broken ones, each with the name of what was done to it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

from fhir_mappings.r4.definitions import TYPES, element_of, type_inside

_BAD_TEXT: Final[dict[str, tuple[Any, ...]]] = {
    "date": ("2020-13-01", "2021-02-29", "01/02/2020"),
    "dateTime": ("2020-01-01T10:00:00", "2020-01-01T10:00Z", "2020-02-30", "yesterday"),
    "instant": ("2020-01-01", "2020-01-01T10:00:00"),
    "time": ("25:00:00", "10:00"),
    "code": (" final", ""),
    "id": ("a b", "x" * 65),
    "uri": ("a b", ""),
    "url": ("a b",),
    "canonical": ("not-absolute", "a b"),
    "oid": ("1.2.3", "urn:oid:abc"),
    "uuid": ("123",),
    "string": ("", "   "),
    "markdown": ("",),
    "base64Binary": ("***",),
    "xhtml": (
        "<p>no div</p>",
        '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>',
        "<div>bare</div>",
        "<div",
    ),
}
_BAD_JSON: Final[dict[str, tuple[Any, ...]]] = {
    "boolean": ("true", 1),
    "integer": ("3", 1.5),
    "positiveInt": (0, "3"),
    "unsignedInt": (-1,),
    "decimal": ("1.0", True),
}


_OF_ANY: Final = frozenset(
    {"one for a list", "a list for one", "null", "text for an object", "empty object", "unknown field", "empty list"}
)


def broken(
    resource: dict[str, Any], *, done: set[tuple[str, str, str]] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each broken form of a resource with what was done: `(what, resource)`.

    `done` remembers what was broken, as (type, element, how): a Coding is not broken anew in every place it stands in.
    """
    done = set() if done is None else done
    for place, kind, name in _places(resource, str(resource["resourceType"]), ()):
        for what, change in _ways(kind, name):
            # What is wrong with any list or any object is tried once for each type of element, not for each element.
            known = (type_inside(kind, name), "", what) if what in _OF_ANY else (kind, name, what)
            if known in done:
                continue
            done.add(known)
            changed = copy.deepcopy(resource)
            parent: Any = changed
            for step in place:
                parent = parent[step]
            if change(parent):
                where = ".".join(str(step) for step in (*place, name))
                yield f"{where}: {what}", changed


def _places(content: Any, kind: str, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """Every element that is there, as (way to its parent, the parent's type, its name); lists by their first item."""
    for name, value in content.items():
        element = element_of(kind, name)
        if element is None or name in ("resourceType", "contained", "extension", "modifierExtension"):
            continue
        yield place, kind, name
        first = value[0] if isinstance(value, list) else value
        inner = type_inside(kind, name)
        if isinstance(first, dict) and inner in TYPES:
            yield from _places(first, inner, (*place, name, 0) if isinstance(value, list) else (*place, name))


def _ways(kind: str, name: str) -> Iterator[tuple[str, Any]]:
    element = element_of(kind, name)
    assert element is not None
    inner = type_inside(kind, name)

    def put(value: Any) -> Any:
        def change(parent: dict[str, Any]) -> bool:
            parent[name] = [value] if isinstance(parent[name], list) else value
            return True

        return change

    def remove(parent: dict[str, Any]) -> bool:
        del parent[name]
        return True

    def other_form(parent: dict[str, Any]) -> bool:
        parent[name] = parent[name][0] if isinstance(parent[name], list) else [parent[name]]
        return True

    if element.min:
        yield "missing", remove
    yield "a list for one" if element.max == "1" else "one for a list", other_form
    yield "null", put(None)
    if inner in TYPES:
        yield "text for an object", put("text")
        yield "empty object", put({})
        yield "unknown field", put({"unknownField": "x", "id": "a"})
    if element.max != "1":

        def empty_list(parent: dict[str, Any]) -> bool:
            parent[name] = []
            return True

        yield "empty list", empty_list
    for value in (*_BAD_TEXT.get(inner, ()), *_BAD_JSON.get(inner, ())):
        yield f"bad {inner} {value!r}"[:60], put(value)
    if inner == "code" and element.binding:
        yield "code out of its value set", put("no-such-code")
    if inner == "CodeableConcept":
        known = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
        yield "coding out of its value set", put({"coding": [{"system": known, "code": "zz-none"}]})
        yield "text alone", put({"text": "x"})
    if inner == "Coding":
        yield "relative system", put({"system": "relative", "code": "x"})
    if inner == "Reference":
        yield "reference to another type", put({"reference": "Basic/1"})
        yield "reference to nothing inside", put({"reference": "#nothing"})
        yield "type and reference differ", put({"reference": "Patient/1", "type": "Device"})
    if inner == "Identifier":
        yield "urn without scheme", put({"system": "urn:ietf:rfc:3986", "value": "1.2.3"})
    if inner == "Period":
        yield "end before start", put({"start": "2021-01-02", "end": "2020-01-01"})
    if inner in ("Quantity", "SimpleQuantity", "Age", "Duration"):
        yield "code without system", put({"value": 1, "code": "mg"})
        yield "no such unit", put({"value": 1, "system": "http://unitsofmeasure.org", "code": "nosuchunit"})
        yield "bad comparator", put({"value": 1, "comparator": "!"})
    if inner == "Range":
        yield "high below low", put({"low": {"value": 3}, "high": {"value": 2}})
    if inner == "Attachment":
        yield "data without type", put({"data": "YWJj"})
        yield "wrong hash", put({"contentType": "text/plain", "data": "YWJj", "hash": "YWJj"})
        yield "wrong size", put({"contentType": "text/plain", "data": "YWJj", "size": 99})
