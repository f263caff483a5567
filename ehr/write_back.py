"""This file puts a finished report on another FHIR server, once.

Every resource of ours carries a UUID that is the same in all its versions, so the report goes out as a transaction
of PUTs to those ids: a second delivery, after a lost answer say, finds the same ids and makes no second report. HAPI
duplicates under a concurrent conditional update, so none is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ehr.client import FhirClient

OURS = frozenset({"DiagnosticReport", "Observation", "Provenance", "Device", "Organization"})
INPUT_SYSTEM = "https://fillertrace.example/fhir/input"


def write_back(client: FhirClient, result: Mapping[str, Any], *, references: Mapping[str, str]) -> dict[str, Any]:
    """Write the report of a result Bundle (contract, section 4) to the server of `client`; its response Bundle.

    `references` turns a reference to an input, as it stands in the result, into the one that server knows
    (`Procedure/<our id>` → `Procedure/12`). A reference that is not in it is kept as a logical one, by identifier,
    since the server would refuse what it cannot resolve.
    """
    ours = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in result["entry"]
        if entry["resource"]["resourceType"] in OURS
    }
    known = {**ours, **{target: target for target in ours.values()}, **references}
    resources = [entry["resource"] for entry in result["entry"] if entry["resource"]["resourceType"] in OURS]
    return client.transaction(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": _with_references(resource, known),
                    "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
                }
                for resource in resources
            ],
        }
    )


def _with_references(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_references(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("reference"), str):
        return _reference(value, known)
    return {key: _with_references(item, known) for key, item in value.items()}


def _reference(value: dict[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    target = value["reference"]
    bare, _, _version = target.partition("/_history/")
    if bare in known:
        return {**value, "reference": known[bare]}
    kept = {key: item for key, item in value.items() if key != "reference"}
    return {**kept, "identifier": {"system": INPUT_SYSTEM, "value": target}} if "identifier" not in kept else kept
