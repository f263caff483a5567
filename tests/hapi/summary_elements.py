"""Writes `fhir_mappings/codes/summary_elements.toml` from FHIR's own StructureDefinitions.

`python -m tests.hapi.summary_elements`. The definitions are those of FHIR R4 (4.0.1) as HAPI's validation resources
carry them; the build of the test server brings these.
"""

import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from fhir_mappings.capability import MADE_TYPES
from fhir_mappings.resource_types import KEPT_TYPES
from tests.servers.hapi import build

TABLE = Path(__file__).parents[2] / "fhir_mappings" / "codes" / "summary_elements.toml"
_DEFINITIONS = "org/hl7/fhir/r4/model/profile/profiles-resources.xml"
_FHIR = {"f": "http://hl7.org/fhir"}
_CONFORMANCE = (
    "CapabilityStatement",
    "CodeSystem",
    "ConceptMap",
    "OperationDefinition",
    "StructureDefinition",
    "ValueSet",
)
TYPES = tuple(sorted({*KEPT_TYPES, *MADE_TYPES, *_CONFORMANCE}))
# Kept in every form anyway, or part of what every resource and element has.
_EVERYWHERE = frozenset({"id", "meta", "implicitRules", "modifierExtension"})
_HEAD = """\
# What `_summary` and `_elements` leave in a resource: written by `python -m tests.hapi.summary_elements`; do not edit.
# Source: the StructureDefinitions of FHIR R4 (4.0.1, CC0), `snapshot.element`. `summary`: isSummary is true; `always`:
# required (min 1) or changing the meaning (isModifier). Names are those of the JSON: an element that is `value[x]`
# stands with all its names, and as `value` in `choices`. Not listed, as kept everywhere: id, meta, implicitRules and
# modifierExtension.
"""


def archive() -> Path:
    """The archive of definitions that the build of the test server brings. Raises ServerUnavailable."""
    (found,) = (build() / "lib").glob("hapi-fhir-validation-resources-r4-*.jar")
    return found


def table(definitions: Path) -> str:
    """The whole file, from the archive."""
    with zipfile.ZipFile(definitions) as files, files.open(_DEFINITIONS) as file:
        read = ElementTree.parse(file).iter(f"{{{_FHIR['f']}}}StructureDefinition")
        found = {_value(one, "id"): one for one in read}
    return _HEAD + "".join(_section(type_, found[type_]) for type_ in TYPES)


def _section(type_: str, definition: ElementTree.Element) -> str:
    elements = list(_elements(definition))
    summary = [
        name
        for path, element, _ in elements
        if _value(element, "isSummary") == "true"
        for name in _names(path, element)
    ]
    always = [
        name for path, element, needed in elements if needed and "." not in path for name in _names(path, element)
    ]
    choices = [path.removesuffix("[x]") for path, _, _ in elements if path.endswith("[x]") and "." not in path]
    return f"\n[{type_}]\n{_list('summary', summary)}{_list('always', always)}{_list('choices', choices)}"


def _list(name: str, members: list[str]) -> str:
    if not members:
        return f"{name} = []\n"
    lines = textwrap.wrap(", ".join(f'"{member}"' for member in members), width=112, break_on_hyphens=False)
    return f"{name} = [\n" + "".join(f"    {line}\n" for line in lines) + "]\n"


def _elements(definition: ElementTree.Element) -> Iterator[tuple[str, ElementTree.Element, bool]]:
    """Each element below the resource with its path, and whether it is always needed."""
    for element in definition.iterfind("f:snapshot/f:element", _FHIR):
        path = _value(element, "path").partition(".")[2]
        if path and path.rpartition(".")[2] not in _EVERYWHERE:
            needed = _value(element, "min") != "0" or _value(element, "isModifier") == "true"
            yield path, element, needed


def _names(path: str, element: ElementTree.Element) -> tuple[str, ...]:
    if not path.endswith("[x]"):
        return (path,)
    types = [one.get("value", "") for one in element.iterfind("f:type/f:code", _FHIR)]
    return tuple(f"{path.removesuffix('[x]')}{type_[:1].upper()}{type_[1:]}" for type_ in types)


def _value(element: ElementTree.Element, name: str) -> str:
    found = element.find(f"f:{name}", _FHIR)
    return "" if found is None else found.get("value", "")


if __name__ == "__main__":
    TABLE.write_text(table(archive()), encoding="utf-8")
