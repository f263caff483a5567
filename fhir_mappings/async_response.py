"""This file writes the result of a finished job as the asynchronous patterns have it.

FHIR R5, https://hl7.org/fhir/R5/async-bundle.html: a `batch-response` Bundle whose single entry holds what the direct
answer would have been, its body in `resource` or its error in `response.outcome`.
FHIR R4, https://hl7.org/fhir/R4/async.html: a manifest that names files of NDJSON, each of one type of resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fhir_mappings.report_frame import instant


def batch_response(
    *,
    status: str,
    finished: datetime,
    resource: dict[str, Any] | None = None,
    outcome: dict[str, Any] | None = None,
    location: str | None = None,
) -> dict[str, Any]:
    """The Bundle. `status` is the status line of the direct answer, such as `200 OK`; `outcome` an OperationOutcome."""
    response: dict[str, Any] = {"status": status}
    if location is not None:
        response["location"] = location
    response["lastModified"] = instant(finished)
    if outcome is not None:
        response["outcome"] = outcome
    entry: dict[str, Any] = {} if resource is None else {"resource": resource}
    return {
        "resourceType": "Bundle",
        "type": "batch-response",
        "timestamp": instant(finished),
        "entry": [{**entry, "response": response}],
    }


def files_of(result: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The resources of a direct answer by type: the entries of a result Bundle, or the response Bundle itself."""
    if result.get("type") != "collection":
        return {str(result["resourceType"]): [result]}
    files: dict[str, list[Mapping[str, Any]]] = {}
    for entry in result["entry"]:
        files.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return files


def manifest(
    files: Mapping[str, Sequence[object]], *, folder: str, finished: datetime, kick_off_url: str, needs_token: bool
) -> dict[str, Any]:
    """The manifest of R4; `folder` is the address of the files. What was left out or guessed is in `error`."""
    written = [
        {"type": type_, "url": f"{folder}/{type_}.ndjson", "count": len(resources)}
        for type_, resources in files.items()
    ]
    return {
        "transactionTime": instant(finished),
        "request": kick_off_url,
        "requiresAccessToken": needs_token,
        "output": [file for file in written if file["type"] != "OperationOutcome"],
        "error": [file for file in written if file["type"] == "OperationOutcome"],
    }
