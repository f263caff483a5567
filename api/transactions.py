"""This file is `POST /fhir`: a Bundle of type transaction or batch is stored, answered at once, correlated later.

One Task and one `Link: <…/Task/{id}>; rel="status"` per patient it touches. A transaction is kept whole or not at all;
of a batch, an entry that cannot be kept costs the others nothing.
FHIR R4 https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.answers import fhir_response
from api.body import FhirBody
from api.content import read_preferences
from api.entry_checks import EntryRefusal, deletions_of, refusals_of
from api.errors import RequestRefused, outcome_response
from api.incoming import Intake, intake_from
from api.parts import GivenParts, Parts, base_of
from api.receiving import KickOff, held_in, receive
from api.transaction_response import response_bundle, stored_answer
from fhir_mappings.bundle import BundleRejected, ParsedBundle, parse_bundle
from fhir_mappings.issues import INFORMATION, Issue
from fhir_mappings.patient_groups import sort_by_patient
from store import submissions
from store.errors import PatientConflict, VersionConflict
from store.incoming import Received

router = APIRouter(prefix="/fhir", tags=["correlation"])


@router.post("/", include_in_schema=False)  # many clients end the base with a slash
@router.post("", summary="Store a transaction or batch, and correlate")
def transaction(
    request: Request,
    body: FhirBody,
    caller: Annotated[Caller, needs("user|system", "Bundle", "c")],
    parts: GivenParts,
) -> Response:
    """Stores the entries, queues every patient they touch, and answers with the response Bundle in the same order."""
    bundle = parse_bundle(body, limits=parts.limits, patient_needed=False)
    if bundle.type not in {"transaction", "batch"}:
        raise RequestRefused(
            400,
            code="value",
            detail="not-a-transaction",
            text="Only a Bundle of type transaction or batch can be sent here. Any other Bundle about one patient "
            "goes to $correlate at this base.",
            expression=("Bundle.type",),
        )
    preferences = read_preferences(request.headers.getlist("prefer"))
    refusals = refusals_of(bundle)
    if bundle.type == "transaction" and refusals:
        raise BundleRejected(*(refusal.issue for refusal in refusals.values()), status=400)
    received, kick_off = _receive(
        request,
        parts,
        caller=caller,
        body=body,
        bundle=bundle,
        refusals=refusals,
        respond_async=preferences.respond_async,
    )
    base = base_of(request)
    links = {"Link": ", ".join(f'<{base}/Task/{job.job_id}>; rel="status"' for job in received.jobs)}
    if preferences.respond_async and preferences.wait_seconds is None:
        return _accepted(f"{base}/async-status/{received.submission_id}", links)
    if received.repeated:
        answer = stored_answer(submissions.read(parts.database, received.submission_id), limits=parts.limits)
    else:
        answer = response_bundle(
            bundle, received=received, refusals=kick_off.refusals, issues=kick_off.issues, now=parts.clock()
        )
    return fhir_response(answer, headers=links if received.jobs else {})


def _receive(
    request: Request,
    parts: Parts,
    *,
    caller: Caller,
    body: bytes,
    bundle: ParsedBundle,
    refusals: Mapping[int, EntryRefusal],
    respond_async: bool,
) -> tuple[Received, KickOff]:
    """Store what can be stored. In a batch, the entries of a patient or version that conflicts are refused alone."""
    refused = dict(refusals)
    while True:
        readable = replace(bundle, entries=tuple(entry for entry in bundle.entries if entry.index not in refused))
        sorted_ = sort_by_patient(readable)
        brought = intake_from(readable, sorted_, base_url=base_of(request), held=held_in(parts))
        kick_off = KickOff(respond_async=respond_async, issues=(*bundle.issues, *brought.issues), refusals=refused)
        try:
            received = receive(
                request,
                parts,
                caller=caller,
                kind=bundle.type,
                raw=body,
                brought=brought,
                kick_off=kick_off,
                deletions=deletions_of(readable),
            )
        except (PatientConflict, VersionConflict) as conflict:
            if bundle.type == "transaction":
                raise
            newly = _conflicting(conflict, brought)
            if not newly - refused.keys():
                raise
            refused |= {index: EntryRefusal.of_conflict(conflict, index=index) for index in newly}
        else:
            return received, kick_off


def _conflicting(conflict: PatientConflict | VersionConflict, brought: Intake) -> set[int]:
    """The entries of a batch that a conflict is about."""
    if isinstance(conflict, VersionConflict):
        return {
            resource.entry_index
            for resource in (*brought.loose, *(resource for group in brought.groups for resource in group.resources))
            if resource.own_id == conflict.identity and resource.entry_index is not None
        }
    if conflict.element == "subject" and conflict.entry_index is not None:
        return {conflict.entry_index}
    group = brought.groups[conflict.group]
    return {resource.entry_index for resource in group.resources if resource.entry_index is not None}


def _accepted(status_url: str, links: Mapping[str, str]) -> Response:
    issue = Issue(
        severity=INFORMATION,
        code="informational",
        detail="accepted",
        text="Received and stored. The response Bundle is at the address in Content-Location.",
    )
    headers = {"Content-Location": status_url, "Retry-After": "1", "Preference-Applied": "respond-async"}
    return outcome_response(202, issues=[issue], headers={**headers, **links} if links["Link"] else headers)
