"""This file checks a resource against one profile of ours: cardinality, fixed and pattern values, types, codes.

It reads the differential of a StructureDefinition as we write them (`report_profiles.py`): no slicing, no own
invariants. FHIR R4: https://hl7.org/fhir/R4/profiling.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_mappings.elements import objects, string
from fhir_mappings.r4.fault import Fault

_Definitions = Mapping[str, Mapping[str, Any]]


def profile_faults(
    resource: Mapping[str, Any], profile: Mapping[str, Any], *, definitions: _Definitions, path: str
) -> Iterator[Fault]:
    """What the profile asks for and the resource does not have."""
    for element in profile["differential"]["element"]:
        steps = element["path"].split(".")[1:]
        if steps:
            for parent, where in _parents(resource, steps[:-1], path):
                yield from _element_faults(parent, steps[-1], element, definitions, where)


def _parents(content: Mapping[str, Any], steps: list[str], path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The objects that hold the element, with their FHIRPaths; none where an optional one is absent."""
    if not steps:
        yield content, path
        return
    value = content.get(steps[0])
    for at, one in enumerate(objects(value)):
        where = f"{path}.{steps[0]}[{at}]" if isinstance(value, list) else f"{path}.{steps[0]}"
        yield from _parents(one, steps[1:], where)


def _element_faults(
    parent: Mapping[str, Any], name: str, element: Mapping[str, Any], definitions: _Definitions, path: str
) -> Iterator[Fault]:
    stem = name.removesuffix("[x]")
    where = f"{path}.{stem}"
    names = [stem]
    if stem != name:
        names = [one for one in parent if one.startswith(stem) and one[len(stem) :][:1].isupper()]
    values = [value for one in names if one in parent for value in _listed(parent[one])]
    if len(values) < element.get("min", 0):
        text = "The profile requires this element: add it."
        yield Fault(path=where, code="required", detail="missing-element", text=text)
    if (most := element.get("max", "*")) != "*" and len(values) > int(most):
        yield Fault(path=where, code="structure", detail="invalid-element", text="The profile allows fewer of this.")
    types = [f"{stem}{one['code'][0].upper()}{one['code'][1:]}" for one in element.get("type", ())]
    if stem != name and types and any(one not in types for one in names):
        yield Fault(path=where, code="value", detail="invalid-element", text="The profile asks for another type here.")
    for wanted in (value for key, value in element.items() if key.startswith(("fixed", "pattern"))):
        if not all(_fits(value, wanted) for value in values):
            text = "The profile fixes the value of this element: see the StructureDefinition."
            yield Fault(path=where, code="value", detail="invalid-element", text=text)
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        allowed = _codes(definitions, binding["valueSet"])
        if not all(_is_coded(value, allowed) for value in values):
            text = "The profile requires a code of its value set here: take one of that."
            yield Fault(path=where, code="code-invalid", detail="unknown-code", text=text)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value has all that a pattern names; a fixed simple value is the same value."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), part) for key, part in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_fits(one, part) for one in value) for part in wanted)
    return bool(value == wanted)


def _codes(definitions: _Definitions, address: str) -> set[tuple[str, str]]:
    """The codes of one of our value sets, each of which takes whole code systems of ours."""
    found: set[tuple[str, str]] = set()
    for include in definitions[address.partition("|")[0]]["compose"]["include"]:
        system = include["system"]
        found |= {(system, concept["code"]) for concept in definitions[system]["concept"]}
    return found


def _is_coded(value: Any, allowed: set[tuple[str, str]]) -> bool:
    every = (one for concept in objects(value) for one in objects(concept.get("coding")))
    return any((string(one.get("system")), string(one.get("code"))) in allowed for one in every)
