"""This file alone decides the shape of an asynchronous answer: accepted, running, ended, in each of the three dialects.

| | R4 manifest | R5 Bundle | redirect |
|---|---|---|---|
| running | 202, X-Progress, Retry-After | the same | the same |
| done | 200, manifest of NDJSON files | 200, batch-response | 303 to the direct answer |
| failed | the direct answer's error | 200, batch-response with the error | 303 to the direct answer |
"""

from __future__ import annotations

from email.utils import format_datetime

from fastapi import Request, Response

from api.access.sight import Sight
from api.answers import fhir_response
from api.async_requests import AsyncRequest, address_of
from api.dialects import Ask, Dialect
from api.direct_answers import DirectAnswer, answer_of
from api.errors import outcome_response
from api.job_words import progress_of
from api.parts import Parts, base_of
from fhir_mappings.async_response import batch_response, files_of, manifest
from fhir_mappings.issues import INFORMATION, Issue, operation_outcome
from fhir_mappings.resource_json import dumps
from store.incoming import Received

_JSON = "application/json"
_STATUS_OF_JOB = "X-Export-Status"


def accepted(request: Request, parts: Parts, received: Received, *, own_id: str, ask: Ask, words: str = "") -> Response:
    """202: everything is stored, the answer follows at the address in Content-Location."""
    base = base_of(request)
    text = " ".join(
        ["Received and stored; the result follows. Ask the address in Content-Location for it.", words]
    ).strip()
    headers = {
        "Content-Location": f"{base}/async-status/{address_of(parts, received, own_id=own_id, ask=ask)}",
        "Retry-After": str(parts.settings.retry_after_seconds),
        **ask.applied,
    }
    if received.jobs:
        headers["Link"] = ", ".join(f'<{base}/Task/{job.job_id}>; rel="status"' for job in received.jobs)
    issue = Issue(severity=INFORMATION, code="informational", detail="accepted", text=text)
    return outcome_response(202, issues=[issue], headers=headers)


def running(parts: Parts, found: AsyncRequest) -> Response:
    """How it goes, in words of fewer than 100 characters."""
    headers = {
        "X-Progress": progress_of(found.jobs)[:99],
        "Retry-After": str(parts.settings.retry_after_seconds),
        "Cache-Control": "no-store",
    }
    return _with_status_of_job(Response(status_code=202, headers=headers), found, "202 Accepted")


def ended(request: Request, sight: Sight, found: AsyncRequest) -> Response:
    """The end of it, in the dialect of its kick-off."""
    parts, address = sight.parts, f"{sight.base}/async-status/{found.id}"
    if found.ask.dialect is Dialect.REDIRECT:
        return Response(status_code=303, headers={"Location": f"{address}/result", **_kept(parts, found)})
    answer = answer_of(sight, found)
    if found.ask.dialect is Dialect.BUNDLE:
        return fhir_response(_wrapped(answer, found), headers=_kept(parts, found))
    if answer.resource is None:
        response = answer.response()
    else:
        listed = manifest(
            files_of(answer.resource),
            folder=f"{address}/files",
            finished=found.ended,
            kick_off_url=found.ask.url,
            needs_token=parts.settings.access != "open",
        )
        response = Response(dumps(listed), media_type=_JSON)
    response.headers.update(_kept(parts, found))
    return _with_status_of_job(response, found, answer.status_line)


def _wrapped(answer: DirectAnswer, found: AsyncRequest) -> dict[str, object]:
    return batch_response(
        status=answer.status_line,
        finished=found.ended,
        resource=answer.resource,
        outcome=operation_outcome(answer.issues) if answer.issues else None,
        location=answer.location,
    )


def _kept(parts: Parts, found: AsyncRequest) -> dict[str, str]:
    until = found.kept_until(parts.settings.result_seconds)
    return {"Expires": format_datetime(until, usegmt=True), "Cache-Control": "no-store"}


def _with_status_of_job(response: Response, found: AsyncRequest, status_line: str) -> Response:
    """Bulk Data 3: where the kick-off asked for it, 200 is the status of the poll, and the job's has its own header."""
    if found.ask.separate_status:
        response.status_code = 200
        response.headers[_STATUS_OF_JOB] = status_line
    return response
