"""Records the tests read: the public clinical cases and Synthea patients (see SOURCES.md)."""

import json
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
CONSTRUCTED = Path(__file__).parent / "constructed"
SYNTHEA = Path(__file__).parent / "synthea"
CASE_IDS = sorted(file.name.removesuffix(".bundle.json") for file in CASES.glob("*.bundle.json"))
CONSTRUCTED_IDS = sorted(file.name.removesuffix(".bundle.json") for file in CONSTRUCTED.glob("*.bundle.json"))


def case_bytes(case_id: str) -> bytes:
    """The record of a case, as it lies there."""
    return (_folder(case_id) / f"{case_id}.bundle.json").read_bytes()


def case_bundle(case_id: str) -> dict[str, Any]:
    """The record of a case, parsed."""
    bundle: dict[str, Any] = json.loads(case_bytes(case_id))
    return bundle


def case_expected(case_id: str) -> dict[str, Any]:
    """What must come out of it; never an input."""
    expected: dict[str, Any] = json.loads((_folder(case_id) / f"{case_id}.expected.json").read_text())
    return expected


def _folder(case_id: str) -> Path:
    return CONSTRUCTED if case_id in CONSTRUCTED_IDS else CASES


def as_transaction(bundle: dict[str, Any]) -> dict[str, Any]:
    """The same record as a transaction of creates, as a client loads it into a FHIR server that gives ids itself."""
    entries = [dict(entry) for entry in bundle["entry"]]
    names: dict[str, str] = {}
    for number, entry in enumerate(entries):
        resource = entry["resource"] = dict(entry["resource"])
        placeholder = f"urn:uuid:00000000-0000-4000-8000-{number:012d}"
        names[entry.get("fullUrl", placeholder)] = placeholder
        if "id" in resource:
            names[f"{resource['resourceType']}/{resource.pop('id')}"] = placeholder
        entry["fullUrl"] = placeholder
        entry["request"] = {"method": "POST", "url": resource["resourceType"]}
    return {"resourceType": "Bundle", "type": "transaction", "entry": _renamed(entries, names)}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {
            key: names.get(item, item) if key == "reference" else _renamed(item, names) for key, item in value.items()
        }
    return value
