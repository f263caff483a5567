"""This file writes one job as a FHIR Task: its state, for whom, what came of it, and why it failed.

Our job states are FHIR's own words, so nothing is translated.
FHIR R4 Task: https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from fhir_mappings import canonical
from fhir_mappings.code_systems import REPORT_WORDS, coding
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.report_frame import instant

STATUSES: Final = frozenset({"received", "in-progress", "completed", "failed", "cancelled"})
_ENDED_BADLY: Final = frozenset({"failed", "cancelled"})
_ISSUES_ID: Final = "issues"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """What a client may know of a job.

    `reason` is a finer word than the status ("waiting for a worker"), or why it failed; never a value from a record.
    `outputs` are references to what came of it, the report first; `written_back` says by the name of an EHR how the
    report stands there. Times must know their time zone.
    """

    id: str
    status: str
    reason: str
    patient: str
    received: datetime
    last_modified: datetime
    outputs: tuple[str, ...] = ()
    written_back: Mapping[str, str] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


def write_task(job: JobView) -> dict[str, Any]:
    """The job as a Task; issues travel in a contained OperationOutcome. Raises ValueError for an unknown status."""
    if job.status not in STATUSES:
        raise ValueError("a job has no such status")
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": job.id,
        "meta": {"tag": [canonical.own_output_tag()]},
        "status": job.status,
    }
    if job.issues:
        task["contained"] = [{**operation_outcome(job.issues), "id": _ISSUES_ID}]
    if job.reason:
        task["statusReason" if job.status in _ENDED_BADLY else "businessStatus"] = {"text": job.reason}
    task["intent"] = "order"
    task["code"] = {
        "coding": [coding(canonical.REPORT, canonical.REPORT_CODE, REPORT_WORDS[canonical.REPORT_CODE])],
        "text": REPORT_WORDS[canonical.REPORT_CODE],
    }
    if job.outputs:
        task["focus"] = {"reference": job.outputs[0]}
    task["for"] = {"reference": job.patient, "type": "Patient"}
    task["authoredOn"] = instant(job.received)
    task["lastModified"] = instant(job.last_modified)
    if outputs := _outputs(job):
        task["output"] = outputs
    return task


def _outputs(job: JobView) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = [
        {"type": {"text": "result"}, "valueReference": {"reference": output}} for output in job.outputs
    ]
    for server, words in job.written_back.items():
        written.append({"type": {"text": f"write-back to {server}"}, "valueString": words})
    if job.issues:
        written.append({"type": {"text": "issues"}, "valueReference": {"reference": f"#{_ISSUES_ID}"}})
    return written
