"""This file is the status address of an asynchronous request: polling, cancelling, and the result that it leads to.

What an answer looks like in the dialect of the kick-off is decided in async_answers.py.
"""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Request, Response

from api import async_answers
from api.access.guard import known_caller
from api.access.sight import Sight
from api.async_requests import AsyncRequest, find, release
from api.dialects import NDJSON
from api.direct_answers import answer_of
from api.errors import RequestRefused, outcome_response
from api.parts import GivenParts, log_ids
from fhir_mappings.async_response import files_of
from fhir_mappings.issues import INFORMATION, Issue
from fhir_mappings.resource_json import dumps
from store import jobs
from store.errors import NotFound

router = APIRouter(prefix="/fhir/async-status", tags=["asynchronous requests"])
files_router = APIRouter(prefix="/fhir/async-status", tags=["asynchronous requests"])  # these are not FHIR JSON

AsyncCaller = Annotated[Sight, known_caller()]  # what the kick-off needed is needed again: async_requests.find


@router.get("/{status_id}", summary="How an asynchronous request stands, or its result")
def read_status(request: Request, status_id: str, sight: AsyncCaller, parts: GivenParts) -> Response:
    """202 while it runs; then, in the dialect of its kick-off, 200 or 303. 404 when cancelled, 410 when expired."""
    found = _find(request, sight, status_id)
    if not found.running:
        return async_answers.ended(request, sight, found)
    if not parts.pace.allows(found.submission_id, now=time.monotonic()):
        raise RequestRefused(
            429,
            code="throttled",
            detail="polled-too-fast",
            text="You ask far too often. The job goes on; ask again after the seconds named in Retry-After.",
            headers={"Retry-After": str(parts.settings.retry_after_seconds)},
        )
    return async_answers.running(parts, found)


@router.get("/{status_id}/result", summary="The answer that the direct request would have had")
def read_result(request: Request, status_id: str, sight: AsyncCaller) -> Response:
    """Where a status address leads by 303: the direct answer, also where that is an error."""
    found = _find_ended(request, sight, status_id)
    return answer_of(sight, found).response()


@files_router.get("/{status_id}/files/{name}", summary="One file of a manifest: resources of one type as NDJSON")
def read_file(request: Request, status_id: str, name: str, sight: AsyncCaller) -> Response:
    """One resource per line, for the caller who asked for the manifest."""
    found = _find_ended(request, sight, status_id)
    answer = answer_of(sight, found)
    resources = files_of(answer.resource).get(name.removesuffix(".ndjson")) if answer.resource else None
    if resources is None or not name.endswith(".ndjson"):
        raise NotFound("async-status", status_id)
    return Response(b"".join(dumps(resource) + b"\n" for resource in resources), media_type=NDJSON)


@router.delete("/{status_id}", summary="Cancel an asynchronous request, or let go of its result")
def cancel(request: Request, status_id: str, sight: AsyncCaller, parts: GivenParts) -> Response:
    """202; what a worker is doing for it now will not be kept. What was received stays. Later polls answer 404."""
    found = _find(request, sight, status_id)
    for job in found.running:
        if jobs.cancel(parts.database, job.id, now=parts.clock()):
            parts.queue.announce(job.id)
    release(parts, found)
    text = "Cancelled. What was received is stored; a job that had ended keeps its report."
    issue = Issue(severity=INFORMATION, code="informational", detail="cancelled", text=text)
    return outcome_response(202, issues=[issue])


def _find(request: Request, sight: Sight, status_id: str) -> AsyncRequest:
    """The caller's request. 404 where it was cancelled, 410 where its result is no longer kept."""
    found, parts = find(sight, status_id), sight.parts
    log_ids(request, jobs=[job.id for job in found.jobs])
    if found.cancelled:
        text = "It was cancelled. What was received is stored; POST Task/{id}/$retry starts a cancelled job again."
        raise RequestRefused(404, code="not-found", detail="job-cancelled", text=text)
    if not found.running and parts.clock() > found.kept_until(parts.settings.result_seconds):
        text = "The result has expired. The report is still there: search DiagnosticReport, or send the request again."
        raise RequestRefused(410, code="deleted", detail="expired", text=text)
    return found


def _find_ended(request: Request, sight: Sight, status_id: str) -> AsyncRequest:
    found = _find(request, sight, status_id)
    if found.running:
        raise NotFound("async-status", status_id)
    return found
