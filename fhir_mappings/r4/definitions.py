"""This file reads `definitions.json`: what HL7's definitions of FHIR R4 4.0.1 say of the types that are kept or made.

The table is written by tests/conformance/r4_definitions.py from HL7's own files. A
type that stands only inside another one is known by its path (`Observation.component`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One invariant of FHIR: its key, its severity, and what it says in HL7's words."""

    key: str
    severity: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of a type. `targets` are the types a Reference may lead to, none for any."""

    types: tuple[str, ...]
    min: int = 0
    max: str = "1"
    targets: tuple[str, ...] = ()
    binding: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefinition:
    """A resource, a data type, or a part that stands only inside one; `elements` by name, choices as `value[x]`."""

    kind: str
    elements: Mapping[str, Element]
    rules: tuple[Rule, ...] = ()
    choices: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The JSON names of choices: `valueQuantity` is (`value[x]`, `Quantity`)."""


def _table() -> dict[str, Any]:
    table: dict[str, Any] = orjson.loads((files("fhir_mappings") / "r4" / "definitions.json").read_bytes())
    return table


def _rules(rows: list[dict[str, str]]) -> tuple[Rule, ...]:
    return tuple(Rule(**row) for row in rows)


def _type(row: dict[str, Any]) -> TypeDefinition:
    elements = {
        name: Element(
            types=tuple(one["types"]),
            min=one.get("min", 0),
            max=one.get("max", "1"),
            targets=tuple(one.get("targets", ())),
            binding=one.get("binding"),
            rules=_rules(one.get("rules", [])),
        )
        for name, one in row["elements"].items()
    }
    choices = {
        name.removesuffix("[x]") + kind[0].upper() + kind[1:]: (name, kind)
        for name, element in elements.items()
        if name.endswith("[x]")
        for kind in element.types
    }
    return TypeDefinition(kind=row["kind"], elements=elements, rules=_rules(row["rules"]), choices=choices)


_TABLE: Final = _table()

TYPES: Final[Mapping[str, TypeDefinition]] = MappingProxyType(
    {name: _type(row) for name, row in _TABLE["types"].items()}
)
PRIMITIVES: Final[Mapping[str, str]] = MappingProxyType(_TABLE["primitives"])
"""Each primitive type with the regular expression of its form."""

VALUE_SETS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {url: {system: frozenset(codes) for system, codes in row.items()} for url, row in _TABLE["value_sets"].items()}
)
"""The value sets of required bindings: the codes by system."""

UNITS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {name: tuple(codes) for name, codes in _TABLE["units"].items()}
)
"""UCUM's `prefixes`, the `metric` units that take them, and the `other` ones."""


@cache
def codes_of(system: str) -> frozenset[str] | None:
    """All codes of a code system that FHIR R4 defines completely; None for any other."""
    codes = _TABLE["code_systems"].get(system)
    return None if codes is None else frozenset(codes)


def element_of(kind: str, name: str) -> Element | None:
    """The element that a JSON name stands for, such as `valueQuantity` for `value[x]`; None where there is none."""
    definition = TYPES.get(kind)
    if definition is None:
        return None
    choice = definition.choices.get(name)
    return definition.elements.get(choice[0] if choice else name)


def type_inside(kind: str, name: str) -> str:
    """The type of what a JSON name holds: `valueQuantity` holds a Quantity. Raises KeyError for an unknown name."""
    definition = TYPES[kind]
    choice = definition.choices.get(name)
    return choice[1] if choice else definition.elements[name].types[0]
