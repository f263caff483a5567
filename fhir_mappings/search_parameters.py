"""This file holds what each type can be searched by: the one table behind CapabilityStatement and search.

FHIR R4 https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from fhir_mappings.code_tables import code_table

Kind = Literal["token", "date", "string", "reference"]

EVERYWHERE: Final = (("_id", "token"), ("_lastUpdated", "date"))
"""What every type can be searched by, with the type of the parameter."""

SEARCHED_REFERENCES: Final = frozenset({"patient", "subject", "target"})
"""The references that are searched by; all others of the table are followed by _include alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParameter:
    """One parameter of one type: its name, its FHIR type, and the way to its element from the resource."""

    name: str
    kind: Kind
    path: tuple[str, ...]

    @property
    def searched(self) -> bool:
        """Whether it can be searched by, and not only followed."""
        return self.kind != "reference" or self.name in SEARCHED_REFERENCES


@cache
def parameters_of(type_: str) -> tuple[SearchParameter, ...]:
    """The parameters of a type; none where it is not searched."""
    row = code_table("search_parameters").get(type_, {})
    found = [_parameter(spelt, "token") for spelt in row.get("token", ())]
    if "date" in row:
        found.append(_parameter(row["date"], "date"))
    found += [_parameter(spelt, "string") for spelt in row.get("string", ())]
    found += [_parameter(spelt, "reference") for spelt in row.get("reference", ())]
    return tuple(found)


@cache
def parameter(type_: str, name: str) -> SearchParameter | None:
    """One parameter by its name, None where the type does not have it."""
    return next((one for one in parameters_of(type_) if one.name == name), None)


def searched_types() -> frozenset[str]:
    """The types that can be searched."""
    return frozenset(code_table("search_parameters"))


def _parameter(spelt: str, kind: Kind) -> SearchParameter:
    name, _, element = spelt.partition(":")
    return SearchParameter(name=name, kind=kind, path=tuple((element or name).split(".")))
