"""This file wraps the result of a finished job in a `batch-response` Bundle, as FHIR R5's asynchronous pattern has it.

The single entry holds what the direct answer would have been: its body in `resource`, or its error in
`response.outcome`.
FHIR R5: https://hl7.org/fhir/R5/async-bundle.html
"""

from __future__ import annotations

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
