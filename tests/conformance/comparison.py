"""This file puts what `$validate` says of a resource beside what HAPI's base R4 validator says of the same bytes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fhir_mappings.issues import ERROR, Issue
from fhir_mappings.limits import DEFAULT_LIMITS
from fhir_mappings.validate_operation import read_validate_body, validate_issues
from tests.conformance.broken_resources import broken
from tests.conformance.hand_broken import hand_broken
from tests.servers.hapi import Finding

_EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_DIFFERENCES: Final = tomllib.loads((Path(__file__).parent / "validation_differences.toml").read_text(encoding="utf-8"))
DIFFERENCES: Final[list[dict[str, Any]]] = _DIFFERENCES["difference"]
STRICTER: Final[list[dict[str, Any]]] = _DIFFERENCES["stricter"]
_FOLDERS: Final = ("hl7-r4", "us-core", "official/hl7-r4", "official/us-core", "official/fhir-test-cases")
_TO_BREAK: Final = (
    *("Patient-example", "Observation-f001", "Observation-blood-pressure", "Procedure-example-implant"),
    *("Procedure-f201", "DiagnosticReport-f201", "ImagingStudy-example-xr", "Condition-f201"),
    *("MedicationAdministration-medadmin0303", "Device-f001", "DeviceUseStatement-example"),
    *("AllergyIntolerance-example", "Specimen-101", "Encounter-f001", "Practitioner-f002", "Organization-2"),
)


def examples() -> dict[str, bytes]:
    """Every official example of a kept type, as it was published."""
    files = (file for folder in _FOLDERS for file in sorted((_EXAMPLES / folder).glob("*.json")))
    return {str(file.relative_to(_EXAMPLES)): file.read_bytes() for file in files}


def broken_examples() -> dict[str, bytes]:
    """Some of them, broken in every way their elements can be, and those that were broken by hand."""
    by_name = {Path(name).stem: content for name, content in examples().items()}
    done: set[tuple[str, str, str]] = set()
    made = {
        f"{name} {what}": json.dumps(resource).encode()
        for name in _TO_BREAK
        for what, resource in broken(json.loads(by_name[name]), done=done)
    }
    return made | {name: json.dumps(resource).encode() for name, resource in hand_broken()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What one side says and the other does not: `missed` are HAPI's errors, `extra` our own."""

    name: str
    missed: tuple[Finding, ...]
    extra: tuple[Issue, ...]
    rows: frozenset[str]
    """The differences that were met, by their `where`."""


def compared(name: str, raw: bytes, findings: list[Finding]) -> Compared:
    """One resource, with HAPI's findings on it."""
    issues = [one for one in _ours(raw) if one.severity == ERROR]
    ours = {_same(path) for issue in issues for path in issue.expression}
    errors = [one for one in findings if one.is_error]
    theirs = {_hapi_path(one) for one in errors}
    unmatched = [one for one in errors if _hapi_path(one) not in ours]
    rows = {one: _difference(one, ours) for one in unmatched}
    extra = [one for one in issues if not theirs & {_same(path) for path in one.expression}]
    excused = {id(one): row for one in extra if (row := _stricter(one, theirs)) is not None}
    return Compared(
        name=name,
        missed=tuple(one for one in unmatched if rows[one] is None),
        extra=tuple(one for one in extra if id(one) not in excused),
        rows=frozenset({*(row for row in rows.values() if row), *(row for row in excused.values() if row)}),
    )


def _ours(raw: bytes) -> Iterator[Issue]:
    yield from validate_issues(read_validate_body(raw, limits=DEFAULT_LIMITS), definitions={})


def _difference(finding: Finding, ours: set[str]) -> str | None:
    """The row that excuses an error of HAPI's which we do not report at the same element."""
    for row in DIFFERENCES:
        if row.get("inside"):
            if any(_inside(path, _hapi_path(finding)) for path in ours):
                return str(row["where"])
        elif re.fullmatch(row["code"], finding.code) and re.search(row.get("says", ""), finding.message):
            return str(row["where"])
    return None


def _stricter(issue: Issue, theirs: set[str]) -> str | None:
    """The row that excuses an error of ours; blank where HAPI reports the same fault at an element around or inside."""
    for path in issue.expression:
        if any(_inside(_same(path), one) or _inside(one, _same(path)) for one in theirs):
            return ""
    for row in STRICTER:
        places = issue.expression or ("",)
        if re.search(row["says"], issue.text) and re.search(row.get("place", ""), places[0]):
            return str(row["where"])
    return None


def _inside(path: str, outer: str) -> bool:
    """Whether an element lies inside another one."""
    return path.startswith(outer) and path[len(outer) :][:1] in (".", "[")


def _hapi_path(finding: Finding) -> str:
    """HAPI's location as the FHIRPath that we write: the missing or unknown element itself, not its parent."""
    path = re.sub(r"/\*.*?\*/|\.ofType\(\w+\)|\[url='[^']*'\]|\[x\]", "", finding.location)
    if finding.code == "Validation_VAL_Profile_Minimum":
        path += "." + finding.message.split(":")[0].rsplit(".", 1)[-1].removesuffix("[x]")
    elif unknown := re.match(r"Unrecognized property '(\w+)'", finding.message):
        path += f".{unknown[1]}"
    return _same(path)


def _same(path: str) -> str:
    """`name` and `name[0]` are the same element where a list was expected."""
    return path.removesuffix("[0]")
