"""This file is the status address of an asynchronous request, in the dialect of FHIR R5's asynchronous pattern.

Running: 202 with X-Progress and Retry-After. Done, also when the job failed: 200 with a `batch-response` Bundle whose
one entry holds what the direct answer would have been. https://hl7.org/fhir/R5/async-bundle.html
The shape of the answer is decided in this file only; the other dialects come with a later release.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.answers import fhir_response
from api.errors import outcome_response
from api.job_words import failure_issues, progress_words
from api.parts import GivenParts, Parts, base_of, log_ids
from api.results import result_bundle
from api.transaction_response import stored_answer
from fhir_mappings.async_response import batch_response
from fhir_mappings.issues import INFORMATION, Issue, operation_outcome
from store import jobs, submissions
from store.errors import NotFound
from store.job_states import Status
from store.jobs import Job
from store.submissions import Submission

router = APIRouter(prefix="/fhir/async-status", tags=["asynchronous requests"])


@router.get("/{status_id}", summary="How an asynchronous request stands, or its result")
def read_status(
    request: Request,
    status_id: str,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "r")],
    parts: GivenParts,
) -> Response:
    """202 while the job runs, 200 with a batch-response Bundle when it has ended, 404 when it was cancelled."""
    job = _job(parts, status_id, caller)
    if job is None:
        return _transaction_status(parts, _submission(parts, status_id, caller))
    log_ids(request, job=job.id)
    if job.status == Status.CANCELLED:
        raise NotFound("async-status", status_id)
    if not job.finished:
        return _running(parts, job)
    return fhir_response(_finished(request, parts, job), headers={"Cache-Control": "no-store"})


@router.delete("/{status_id}", summary="Cancel an asynchronous request")
def cancel(
    request: Request,
    status_id: str,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "d")],
    parts: GivenParts,
) -> Response:
    """202; what a worker is doing for it now will not be kept. What was received stays. Later polls answer 404."""
    job = _job(parts, status_id, caller)
    cancelled = [job] if job else jobs.of_submission(parts.database, _submission(parts, status_id, caller).id)
    if job is not None and job.status == Status.CANCELLED:
        raise NotFound("async-status", status_id)
    for one in cancelled:
        if jobs.cancel(parts.database, one.id, now=parts.clock()):
            parts.queue.announce(one.id)
    log_ids(request, jobs=[one.id for one in cancelled])
    text = "Cancelled. What was received is stored; a job that had ended keeps its report."
    issue = Issue(severity=INFORMATION, code="informational", detail="cancelled", text=text)
    return outcome_response(202, issues=[issue])


def _job(parts: Parts, status_id: str, caller: Caller) -> Job | None:
    try:
        job = jobs.get(parts.database, status_id)
    except NotFound:
        return None
    return job if job.caller_id == caller.client_id else None


def _submission(parts: Parts, status_id: str, caller: Caller) -> Submission:
    """The submission of a transaction or batch. Of another caller's nothing is said, not even that it exists."""
    submission = submissions.read(parts.database, status_id)
    if submission.caller_id != caller.client_id or submission.kind not in {"transaction", "batch"}:
        raise NotFound("async-status", status_id)
    return submission


def _transaction_status(parts: Parts, submission: Submission) -> Response:
    """A transaction is stored before it is answered, so its response Bundle is there at once; its Tasks may run on."""
    started = jobs.of_submission(parts.database, submission.id)
    if started and all(job.status == Status.CANCELLED for job in started):
        raise NotFound("async-status", submission.id)
    running = next((job for job in started if not job.finished), None)
    if running is not None:
        return _running(parts, running)
    answer = stored_answer(submission, limits=parts.limits)
    finished = max([submission.received_at, *(job.finished_at for job in started if job.finished_at)])
    return fhir_response(batch_response(status="200 OK", finished=finished, resource=answer))


def _running(parts: Parts, job: Job) -> Response:
    headers = {"X-Progress": progress_words(job)[:99], "Retry-After": str(parts.settings.retry_after_seconds)}
    return Response(status_code=202, headers=headers)


def _finished(request: Request, parts: Parts, job: Job) -> dict[str, Any]:
    finished = job.finished_at or job.created_at
    if job.status != Status.COMPLETED:
        return batch_response(
            status="500 Internal Server Error", finished=finished, outcome=operation_outcome(failure_issues(job))
        )
    base = base_of(request)
    location = f"{base}/DiagnosticReport/{job.report_id}/_history/{job.report_version}" if job.report_id else None
    return batch_response(
        status="200 OK",
        finished=finished,
        resource=result_bundle(parts, job, base=base, current=False),
        location=location,
    )
