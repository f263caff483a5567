"""This file is `$correlate`: a Bundle about one patient in, the result Bundle out, now or a little later.

Also over the stored history of a patient. The operation affects state, so it is POST only.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.answers import fhir_response
from api.body import FhirBody
from api.content import Preferences, read_preferences
from api.errors import RequestRefused, error_issue, outcome_response
from api.incoming import intake_from
from api.job_words import failure_issues, progress_words
from api.parts import GivenParts, Parts, base_of
from api.receiving import KickOff, hand_over, held_in, idempotency_key, receive
from api.results import result_bundle
from fhir_mappings.bundle import CorrelateInput, ParsedBundle, parse_correlate_body
from fhir_mappings.issues import INFORMATION, Issue
from fhir_mappings.patient import one_patient
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.stateless import correlate_parsed
from store import intake
from store.incoming import Received
from store.job_states import Status
from store.jobs import Job
from store.outbox import wait_until_finished

router = APIRouter(prefix="/fhir", tags=["correlation"])

_SLICE_SECONDS = 1.0


@router.post("/$correlate", summary="Correlate a Bundle about one patient")
def correlate(
    request: Request,
    body: FhirBody,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "c")],
    parts: GivenParts,
) -> Response:
    """Stores, correlates with what is already known of the patient, and answers with the result Bundle."""
    given = parse_correlate_body(body, limits=parts.limits)
    _refuse_source(given)
    if given.bundle is None:
        raise _without_bundle()
    if not given.store:
        return _stateless(parts, given.bundle)
    preferences = read_preferences(request.headers.getlist("prefer"))
    received = _receive(request, parts, caller=caller, body=body, bundle=given.bundle, preferences=preferences)
    return _answer(request, parts, received, preferences=preferences)


@router.post("/Patient/{patient_id}/$correlate", summary="Correlate what is stored of one patient")
def correlate_patient(
    request: Request,
    patient_id: str,
    body: FhirBody,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "c")],
    parts: GivenParts,
) -> Response:
    """The same over the stored history alone. The body is empty, or Parameters without `bundle`."""
    if body.strip():
        given = parse_correlate_body(body, limits=parts.limits)
        _refuse_source(given)
        if given.bundle is not None:
            raise RequestRefused(
                400,
                code="invalid",
                detail="unexpected-body",
                text="This address works on the stored history. Send a Bundle to $correlate at the base.",
            )
    preferences = read_preferences(request.headers.getlist("prefer"))
    received = intake.request(
        parts.database,
        patient_id=patient_id,
        caller_id=caller.client_id,
        now=parts.clock(),
        options=KickOff(respond_async=preferences.respond_async).to_bytes(),
        idempotency_key=idempotency_key(request),
    )
    hand_over(request, parts, received)
    return _answer(request, parts, received, preferences=preferences)


def _receive(
    request: Request, parts: Parts, *, caller: Caller, body: bytes, bundle: ParsedBundle, preferences: Preferences
) -> Received:
    sorted_ = sort_by_patient(bundle)
    one_patient(sorted_.groups)
    brought = intake_from(bundle, sorted_, base_url=base_of(request), held=held_in(parts), keep_empty_groups=True)
    kick_off = KickOff(respond_async=preferences.respond_async, issues=(*bundle.issues, *brought.issues))
    return receive(request, parts, caller=caller, kind="correlate", raw=body, brought=brought, kick_off=kick_off)


def _stateless(parts: Parts, bundle: ParsedBundle) -> Response:
    """`store=false`: nothing is kept, nothing is queued, no history is used."""
    now = parts.clock()
    result = correlate_parsed(
        bundle,
        knowledge=parts.knowledge,
        as_of=now.date(),
        issued=now,
        software_version=parts.software_version,
    )
    return fhir_response(result.bundle)


def _answer(request: Request, parts: Parts, received: Received, *, preferences: Preferences) -> Response:
    """200 with the result, or 202 with where to look for it."""
    job_id = received.jobs[0].job_id
    status_url = f"{base_of(request)}/async-status/{job_id}"
    if preferences.respond_async and preferences.wait_seconds is None:
        return _accepted(status_url, applied=True)
    job = _wait(parts, job_id, seconds=_patience(parts, preferences))
    if job is None or not job.finished:
        return _accepted(status_url, applied=preferences.respond_async, job=job)
    if job.status != Status.COMPLETED:
        return outcome_response(500, issues=failure_issues(job))
    # Without a key a repeat asks for the report as it is now; with one, for the very answer it had.
    current = received.repeated and idempotency_key(request) is None
    return fhir_response(
        result_bundle(parts, job, base=base_of(request), current=current),
        headers={"Link": f'<{base_of(request)}/Task/{job_id}>; rel="status"'},
    )


def _wait(parts: Parts, job_id: str, *, seconds: float) -> Job | None:
    """The job after waiting for it; None where too many are waiting already."""
    if seconds > 0 and not parts.waiting.acquire(blocking=False):
        return None
    try:
        left = seconds
        job = wait_until_finished(parts.database, parts.queue, job_id, seconds=min(left, _SLICE_SECONDS))
        while not job.finished and (left := left - _SLICE_SECONDS) > 0 and not parts.stopping.is_set():
            job = wait_until_finished(parts.database, parts.queue, job_id, seconds=min(left, _SLICE_SECONDS))
        return job
    finally:
        if seconds > 0:
            parts.waiting.release()


def _patience(parts: Parts, preferences: Preferences) -> float:
    if preferences.wait_seconds is None:
        return parts.settings.wait_seconds
    return min(preferences.wait_seconds, parts.settings.wait_max_seconds)


def _accepted(status_url: str, *, applied: bool, job: Job | None = None) -> Response:
    """202: everything is stored, the report follows. Says where it will be."""
    words = "Received and stored; the report follows. Ask the address in Content-Location for it."
    if job is not None:
        words = f"{words} It is not ready yet: {progress_words(job)}."
    issue = Issue(severity=INFORMATION, code="informational", detail="accepted", text=words)
    headers = {"Content-Location": status_url, "Retry-After": "1"}
    if applied:
        headers["Preference-Applied"] = "respond-async"
    return outcome_response(202, issues=[issue], headers=headers)


def _refuse_source(given: CorrelateInput) -> None:
    if given.source is not None:
        issue = error_issue(
            "not-found",
            detail="source-not-known",
            text="No EHR is configured here to fetch from: leave source out, or send the record as a Bundle.",
            expression=("Parameters.parameter.where(name='source')",),
        )
        raise RequestRefused(422, code=issue.code, detail=issue.detail, text=issue.text, expression=issue.expression)


def _without_bundle() -> RequestRefused:
    return RequestRefused(
        422,
        code="required",
        detail="not-a-bundle",
        text="These Parameters hold no Bundle: add one as the resource of the parameter named bundle.",
        expression=("Parameters.parameter",),
    )
