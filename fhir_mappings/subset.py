"""This file gives parts of a resource: its summary, its narrative, its data, or the elements that were asked for.

FHIR R4 https://hl7.org/fhir/R4/search.html#summary and #elements. Which elements are which is FHIR's own list, in
`codes/summary_elements.toml`. Whatever is not whole is tagged SUBSETTED, so that nobody puts it back as if it were.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.code_tables import code_table
from fhir_mappings.elements import mapping, objects

SUBSETTED: Final = {"system": canonical.OBSERVATION_VALUE, "code": "SUBSETTED"}
"""The Coding in `meta.tag` of a resource that is not whole."""

_EVERYWHERE: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    """What the table says of one type: `choices` are the elements that FHIR writes with `[x]`."""

    summary: frozenset[str]
    always: frozenset[str]
    choices: frozenset[str]


def summary_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """`_summary=true`: the elements that FHIR marks as summary, inside of them, too, and those that are required."""
    listed = _lists_of(resource)
    return _tagged(_within(resource, wanted=listed.summary | listed.always, path=""))


def text_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """`_summary=text`: the narrative and the required elements."""
    return only(resource, {"text"})


def data_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """`_summary=data`: all but the narrative."""
    return _tagged({name: value for name, value in resource.items() if name != "text"})


def only(resource: Mapping[str, Any], names: Set[str]) -> dict[str, Any]:
    """`_elements`: these elements of the first level, with those that are required or change the meaning."""
    listed = _lists_of(resource)
    wanted = names | listed.always | _EVERYWHERE
    asked_choices = tuple(names & listed.choices)
    return _tagged(
        {
            name: value
            for name, value in resource.items()
            if _plain(name) in wanted or any(_is_choice(_plain(name), of=one) for one in asked_choices)
        }
    )


def can_be_subsetted(resource: Mapping[str, Any]) -> bool:
    """Whether there is a list of elements for this type; a Bundle or an OperationOutcome is always given whole."""
    return resource.get("resourceType") in code_table("summary_elements")


def is_subsetted(resource: Mapping[str, Any]) -> bool:
    """Whether a resource says that it is not whole."""
    tags = objects(mapping(resource.get("meta")).get("tag"))
    return any(tag.get("code") == SUBSETTED["code"] and tag.get("system") == SUBSETTED["system"] for tag in tags)


def _within(found: Mapping[str, Any], *, wanted: Set[str], path: str) -> dict[str, Any]:
    """The wanted members of an object; of one whose own members the list names, those alone.

    It goes no deeper than the list does.
    """
    kept: dict[str, Any] = {}
    for name, value in found.items():
        place = f"{path}{_plain(name)}"
        if _plain(name) in _EVERYWHERE or place in wanted:
            kept[name] = _members(value, wanted=wanted, path=f"{place}.")
    return kept


def _members(value: object, *, wanted: Set[str], path: str) -> object:
    if not any(one.startswith(path) for one in wanted):
        return value
    if isinstance(value, list):
        return [_within(one, wanted=wanted, path=path) if isinstance(one, dict) else one for one in value]
    return _within(value, wanted=wanted, path=path) if isinstance(value, dict) else value


def _plain(name: str) -> str:
    """`_birthDate` holds the extensions of `birthDate` and goes with it."""
    return name.removeprefix("_")


def _is_choice(name: str, *, of: str) -> bool:
    """Whether an element is one of a choice: `valueQuantity` of `value`."""
    return name.startswith(of) and name[len(of) :][:1].isupper()


def _lists_of(resource: Mapping[str, Any]) -> _Lists:
    return _lists(str(resource["resourceType"]))


@cache
def _lists(type_: str) -> _Lists:
    row = code_table("summary_elements")[type_]
    return _Lists(**{name: frozenset(members) for name, members in row.items()})


def _tagged(part: dict[str, Any]) -> dict[str, Any]:
    meta = mapping(part.get("meta"))
    tags = objects(meta.get("tag"))
    if is_subsetted(part):
        return part
    return {**part, "meta": {**meta, "tag": [*tags, SUBSETTED]}}
