"""This file writes fhir_mappings/r4/definitions.json out of HL7's own definitions: `make r4-definitions`.

Source: profiles-types.xml, profiles-resources.xml, valuesets.xml, v3-codesystems.xml and v2-tables.xml of FHIR 4.0.1
(HL7, CC0-1.0), as the Maven artefact ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4 holds them, and the units of
UCUM (ucum-essence.xml, of org.fhir:ucum). deploy/hapi brings both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

from fhir_mappings.resource_types import KEPT_TYPES
from tests.servers import hapi

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "fhir_mappings" / "r4" / "definitions.json"
JAR = "hapi-fhir-validation-resources-r4-*.jar"
MADE_TYPES = ("Bundle", "OperationOutcome", "Parameters", "Provenance", "Task")
"""What we send or take beside the kept types."""
UCUM_JAR = "ucum-1*.jar"

_FOLDER = "org/hl7/fhir/r4/model"
_F = "{http://hl7.org/fhir}"
_REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
_LEAST_RULES = {"ele-1", "ext-1"}
"""Said of every element; the reader of the table knows them."""
_PROFILE_RULES = {
    "SimpleQuantity": {
        "key": "sqty-1",
        "severity": "error",
        "says": "The comparator is not used on a SimpleQuantity",
    }
}
"""What the profiles of data types add to the elements that name them."""


def definitions(jar: Path, *, kept: Iterable[str]) -> dict[str, Any]:
    """The table: types with their elements, required value sets, complete code systems, patterns of primitive types."""
    with ZipFile(jar) as archive:
        structures = {
            _value(one, "type"): one
            for name in ("profiles-types", "profiles-resources")
            for one in _all(archive, f"{_FOLDER}/profile/{name}.xml", "StructureDefinition")
            if _value(one, "derivation") != "constraint" or _value(one, "name") == _value(one, "type")
        }
        terminology = [
            one
            for name in ("valuesets", "v3-codesystems", "v2-tables")
            for kind in ("CodeSystem", "ValueSet")
            for one in _all(archive, f"{_FOLDER}/valueset/{name}.xml", kind)
        ]
    types = _closure(structures, (*kept, *MADE_TYPES, "Element"))
    primitives = {
        name: _pattern(one) for name, one in structures.items() if _value(one, "kind") == "primitive-type" and name
    }
    systems = {_value(one, "url"): one for one in terminology if one.tag == f"{_F}CodeSystem"}
    sets = {_value(one, "url"): one for one in terminology if one.tag == f"{_F}ValueSet"}
    named = sorted(
        {element["binding"] for one in types.values() for element in one["elements"].values() if "binding" in element}
    )
    required = {url: codes for url in named if (codes := _expand(url, sets, systems)) is not None}
    for one in types.values():
        for element in one["elements"].values():
            if element.get("binding") not in required:
                element.pop("binding", None)
    return {
        "source": "FHIR R4 4.0.1, HL7, CC0-1.0; written by tests/conformance/r4_definitions.py",
        "primitives": dict(sorted(primitives.items())),
        "types": dict(sorted(types.items())),
        "value_sets": required,
        "code_systems": _complete(systems),
        "units": _units(jar),
    }


def _all(archive: ZipFile, name: str, kind: str) -> Iterator[ElementTree.Element]:
    yield from ElementTree.fromstring(archive.read(name)).iter(f"{_F}{kind}")


def _value(element: ElementTree.Element, name: str) -> str:
    found = element.find(f"{_F}{name}")
    return "" if found is None else found.get("value", "")


def _closure(structures: dict[str, ElementTree.Element], wanted: Iterable[str]) -> dict[str, Any]:
    types: dict[str, Any] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in types or name not in structures or _value(structures[name], "kind") == "primitive-type":
            continue
        for path, one in _types_of(structures[name]).items():
            types[path] = one
            waiting.extend(code for element in one["elements"].values() for code in element["types"])
    return types


def _types_of(structure: ElementTree.Element) -> dict[str, Any]:
    """The type itself and the types that stand only inside it, by path."""
    kind = _value(structure, "kind")
    found: dict[str, Any] = {}
    for element in structure.iter(f"{_F}element"):
        if element not in list(structure.find(f"{_F}snapshot") or ()):
            continue
        path = _value(element, "path")
        above, _, name = path.rpartition(".")
        rules = [
            {"key": _value(one, "key"), "severity": _value(one, "severity"), "says": _value(one, "human")}
            for one in element.findall(f"{_F}constraint")
            if _value(one, "key") not in _LEAST_RULES
        ]
        if not above:
            found[path] = {"kind": kind, "rules": rules, "elements": {}}
            continue
        types = [_type_name(one, path) for one in element.findall(f"{_F}type")]
        inside = "BackboneElement" in types or types == ["Element"]
        if inside:
            found[path] = {"kind": "part", "rules": [], "elements": {}}
            types = [path]
        reference = _value(element, "contentReference")
        row: dict[str, Any] = {"types": [reference.removeprefix("#")] if reference else types}
        if _value(element, "min") != "0":
            row["min"] = int(_value(element, "min"))
        if _value(element, "max") != "1":
            row["max"] = _value(element, "max")
        profiles = {one.get("value", "").rsplit("/", 1)[-1] for one in element.findall(f"{_F}type/{_F}profile")}
        rules.extend(_PROFILE_RULES[name] for name in sorted(profiles & _PROFILE_RULES.keys()))
        if rules:
            row["rules"] = rules
        targets = sorted(
            {
                target.get("value", "").rsplit("/", 1)[-1]
                for one in element.findall(f"{_F}type")
                if _value(one, "code") == "Reference"
                for target in one.findall(f"{_F}targetProfile")
            }
            - {"Resource"}
        )
        if targets:
            row["targets"] = targets
        binding = element.find(f"{_F}binding")
        if binding is not None and _value(binding, "strength") == "required":
            row["binding"] = _value(binding, "valueSet").partition("|")[0]
        found[above]["elements"][name] = row
    return found


def _type_name(element: ElementTree.Element, path: str) -> str:
    code = _value(element, "code")
    for extension in element.findall(f"{_F}extension"):
        if extension.get("url") == _FHIR_TYPE:
            code = next(iter(extension)).get("value", code)
    if path == "Extension.url":
        return "uri"
    return code.removeprefix(_SYSTEM_TYPE).lower() if code.startswith(_SYSTEM_TYPE) else code


def _pattern(structure: ElementTree.Element) -> str:
    for extension in structure.iter(f"{_F}extension"):
        if extension.get("url") == _REGEX:
            return next(iter(extension)).get("value", "")
    return ""


def _expand(
    url: str, sets: dict[str, ElementTree.Element], systems: dict[str, ElementTree.Element]
) -> dict[str, list[str]] | None:
    """The codes of a value set by system; None where it cannot be listed (languages, media types, units)."""
    compose = sets[url].find(f"{_F}compose") if url in sets else None
    if compose is None or compose.find(f"{_F}exclude") is not None:
        return None
    found: dict[str, list[str]] = {}
    for include in compose.findall(f"{_F}include"):
        system = _value(include, "system")
        inner = [one.get("value", "") for one in include.findall(f"{_F}valueSet")]
        concepts = [_value(one, "code") for one in include.findall(f"{_F}concept")]
        if inner:
            parts = [_expand(one.partition("|")[0], sets, systems) for one in inner]
            if None in parts or system:
                return None
            for part in parts:
                for name, codes in (part or {}).items():
                    found.setdefault(name, []).extend(codes)
        elif concepts:
            found.setdefault(system, []).extend(concepts)
        elif include.find(f"{_F}filter") is not None or system not in systems:
            return None
        else:
            codes = _codes(systems[system])
            if not codes:
                return None
            found.setdefault(system, []).extend(codes)
    return {system: sorted(set(codes)) for system, codes in found.items()} or None


def _codes(system: ElementTree.Element) -> list[str]:
    if _value(system, "content") != "complete":
        return []
    return [_value(one, "code") for one in system.iter(f"{_F}concept")]


def _complete(systems: dict[str, ElementTree.Element]) -> dict[str, list[str]]:
    return {url: sorted(set(codes)) for url, one in sorted(systems.items()) if (codes := _codes(one))}


def _units(jar: Path) -> dict[str, list[str]]:
    """UCUM's prefixes, the units that take them, and those that do not (ucum-essence.xml; copyright Regenstrief)."""
    [ucum] = jar.parent.glob(UCUM_JAR)
    with ZipFile(ucum) as archive:
        root = ElementTree.fromstring(archive.read("ucum-essence.xml"))
    found: dict[str, list[str]] = {"prefixes": [], "metric": [], "other": []}
    for one in root:
        code = one.get("Code", "")
        if one.tag == "prefix":
            found["prefixes"].append(code)
        elif code:
            base = one.tag.endswith("base-unit")
            found["metric" if base or one.get("isMetric") == "yes" else "other"].append(code)
    return {name: sorted(codes) for name, codes in found.items()}


def written(jar: Path) -> str:
    """The file as it is packaged: one line per type, value set and code system."""
    table = definitions(jar, kept=sorted(KEPT_TYPES))
    parts = []
    for name, part in table.items():
        if isinstance(part, dict):
            rows = ",\n".join(
                f"{json.dumps(key)}:{json.dumps(row, separators=(',', ':'))}" for key, row in part.items()
            )
            parts.append(f"{json.dumps(name)}:{{\n{rows}\n}}")
        else:
            parts.append(f"{json.dumps(name)}:{json.dumps(part)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def built_jar() -> Path:
    """The jar with HL7's definitions, where the build of deploy/hapi left it."""
    [jar] = (hapi.build() / "lib").glob(JAR)
    return jar


def main() -> int:
    """Write the file."""
    TARGET.write_text(written(built_jar()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
