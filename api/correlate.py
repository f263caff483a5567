"""This file is `$correlate`: a Bundle about one patient in, the result Bundle out, now or a little later.

Also over the stored history of a patient. The operation affects state, so it is POST only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Request, Response

from admission.incoming import intake_from
from api import async_answers
from api.access.guard import needs
from api.access.sight import Sight
from api.answers import fhir_response
from api.body import FhirBody
from api.dialects import Ask, read_ask
from api.direct_answers import answer_of_job
from api.entry_rights import bounds_of_all
from api.errors import RequestRefused
from api.job_words import progress_words
from api.parts import GivenParts, Parts
from api.receiving import KickOff, hand_over, held_in, idempotency_key, receive
from api.spoken import in_language, language_in, language_of
from fhir_mappings.bundle import ParsedBundle, parse_correlate_body
from fhir_mappings.patient import one_patient
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.stateless import correlate_parsed
from store import intake
from store.errors import NotFound
from store.incoming import Received
from store.jobs import Job
from store.outbox import wait_until_finished
from store.search_criteria import NO_VALUES

router = APIRouter(prefix="/fhir", tags=["correlation"])

_SLICE_SECONDS = 1.0


@router.post("/$correlate", summary="Correlate a Bundle about one patient")
def correlate(
    request: Request,
    sight: Annotated[Sight, needs("c", "DiagnosticReport")],
    body: FhirBody,
    parts: GivenParts,
) -> Response:
    """Stores, correlates with what is already known of the patient, and answers with the result Bundle."""
    sight.require("DiagnosticReport", "r")  # or there would be nothing to answer with
    given = parse_correlate_body(body, limits=parts.limits)
    if given.source is not None:
        raise _source_refused("source is for Patient/{id}/$correlate: here the Bundle is the source. Leave it out.")
    if given.bundle is None:
        raise _without_bundle()
    ask = read_ask(request)
    if not given.store:
        return _stateless(request, parts, given.bundle, ask=ask)
    received = _receive(request, sight, body=body, bundle=given.bundle, ask=ask)
    return _answer(request, sight, received, ask=ask)


@router.post("/Patient/{patient_id}/$correlate", summary="Correlate what is stored of one patient")
def correlate_patient(
    request: Request,
    patient_id: str,
    sight: Annotated[Sight, needs("c", "DiagnosticReport")],
    body: FhirBody,
    parts: GivenParts,
    source: str | None = None,
) -> Response:
    """The same over the stored history alone. The body is empty, or Parameters without `bundle`.

    With `source`, in the address or in Parameters, the patient is fetched from that EHR first.
    """
    if body.strip():
        given = parse_correlate_body(body, limits=parts.limits)
        source = given.source or source
        if given.bundle is not None:
            raise RequestRefused(
                400,
                code="invalid",
                detail="unexpected-body",
                text="This address works on the stored history. Send a Bundle to $correlate at the base.",
            )
    _check_patient(sight, patient_id)
    _check_source(source, parts)
    ask = read_ask(request)
    received = intake.request(
        parts.database,
        patient_id=patient_id,
        caller_id=sight.caller.identity,
        now=parts.clock(),
        options=KickOff(asks=(ask,)).to_bytes(),
        idempotency_key=idempotency_key(request),
        source=source,
    )
    if source is None:
        hand_over(request, parts, received)
    return _answer(request, sight, received, ask=ask)


def _check_patient(sight: Sight, patient_id: str) -> None:
    """Of a patient out of the caller's reach nothing is said."""
    sight.require("DiagnosticReport", "r")
    reach = sight.require("DiagnosticReport", "c")
    if not reach.holds(NO_VALUES, in_compartment=patient_id in sight.caller.patient_ids):
        raise NotFound("Patient", patient_id)


def _receive(request: Request, sight: Sight, *, body: bytes, bundle: ParsedBundle, ask: Ask) -> Received:
    sorted_ = sort_by_patient(bundle)
    one_patient(sorted_.groups)
    bounds = bounds_of_all(sight, bundle)
    brought = intake_from(
        bundle,
        sorted_,
        base_url=sight.base,
        held=held_in(sight),
        keep_empty_groups=True,
        within=sight.within,
        of_one_patient=bounds.patients is not None,
    )
    if bounds.patients is not None:
        brought = replace(brought, loose=())  # beside the patient, and about nobody
    kick_off = KickOff(asks=(ask,), issues=(*bundle.issues, *brought.issues))
    return receive(request, sight, kind="correlate", raw=body, brought=brought, kick_off=kick_off, bounds=bounds)


def _stateless(request: Request, parts: Parts, bundle: ParsedBundle, *, ask: Ask) -> Response:
    """`store=false`: nothing is kept, nothing is queued, no history is used. So there is nothing to answer later."""
    if ask.asynchronous:
        raise RequestRefused(
            400,
            code="not-supported",
            detail="not-asynchronous",
            text="With store=false nothing is kept, so there would be nothing to ask for later. Leave out Prefer: "
            "respond-async and _outputFormat, or leave out store.",
            expression=("Parameters.parameter.where(name='store')",),
        )
    language = language_of(request, parts.knowledge)
    now = parts.clock()
    result = correlate_parsed(
        bundle,
        knowledge=parts.knowledge.in_language(language),
        as_of=now.date(),
        issued=now,
        software_version=parts.software_version,
    )
    return in_language(fhir_response(result.bundle), language)


def _answer(request: Request, sight: Sight, received: Received, *, ask: Ask) -> Response:
    """200 with the result, or 202 with where to look for it."""
    parts = sight.parts
    job_id = received.jobs[0].job_id
    if ask.asynchronous:
        return async_answers.accepted(request, parts, received, own_id=job_id, ask=ask)
    job = _wait(parts, job_id, seconds=_patience(parts, ask))
    if job is None or not job.finished:
        words = f"It is not ready yet: {progress_words(job)}." if job else ""
        return async_answers.accepted(request, parts, received, own_id=job_id, ask=ask, words=words)
    # Without a key a repeat asks for the report as it is now; with one, for the very answer it had.
    current = received.repeated and idempotency_key(request) is None
    language = language_of(request, parts.knowledge)
    answer = answer_of_job(sight, job, current=current, language=language)
    return in_language(answer.response(), language_in(answer.resource))


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


def _patience(parts: Parts, ask: Ask) -> float:
    if ask.wait_seconds is None:
        return parts.settings.wait_seconds
    return min(ask.wait_seconds, parts.settings.wait_max_seconds)


def _check_source(source: str | None, parts: Parts) -> None:
    if source is not None and source not in parts.ehr.known_servers():
        raise _source_refused(
            "No EHR of this name is configured here to fetch from: leave source out, or send the record as a Bundle."
        )


def _source_refused(text: str) -> RequestRefused:
    where = ("Parameters.parameter.where(name='source')",)
    return RequestRefused(422, code="not-found", detail="source-not-known", text=text, expression=where)


def _without_bundle() -> RequestRefused:
    return RequestRefused(
        422,
        code="required",
        detail="not-a-bundle",
        text="These Parameters hold no Bundle: add one as the resource of the parameter named bundle.",
        expression=("Parameters.parameter",),
    )
