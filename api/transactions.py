"""This file is `POST /fhir`: a Bundle of type transaction or batch is stored, answered at once, correlated later.

One Task and one `Link: <…/Task/{id}>; rel="status"` per patient it touches. A transaction is kept whole or not at all;
of a batch, an entry that cannot be kept costs the others nothing.
FHIR R4 https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Request, Response

from admission.incoming import Intake, intake_from
from api import async_answers
from api.access.guard import known_caller
from api.access.sight import Sight
from api.answers import fhir_response
from api.body import FhirBody
from api.conditional_references import references_of, searches_in
from api.content import preferences_of
from api.dialects import Ask, read_ask
from api.entry_checks import Surroundings, refusals_of, targets_of
from api.entry_refusals import EntryRefusal
from api.entry_rights import bounds_of, deletions_in, forbidden_in, known_in, readable_in, updatable_in
from api.errors import RequestRefused
from api.parts import GivenParts
from api.receiving import KickOff, held_in, receive
from api.returning import applied
from api.transaction_response import response_bundle, stored_answer
from fhir_mappings.bundle import BundleRejected, ParsedBundle, parse_bundle
from fhir_mappings.issues import Issue
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.reference_verdicts import open_references
from store import search as searches
from store import submissions
from store.errors import ConditionNotMet, OutOfBounds, PatientConflict, StoreError, VersionConflict
from store.incoming import ConditionalReference, Received

router = APIRouter(prefix="/fhir", tags=["correlation"])


@router.post("/", include_in_schema=False)  # many clients end the base with a slash
@router.post("", summary="Store a transaction or batch, and correlate")
def transaction(
    request: Request,
    sight: Annotated[Sight, known_caller()],  # a transaction has no scope of its own: its entries have
    body: FhirBody,
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
    ask, base = read_ask(request), sight.base
    found = known_in(sight, searches.named(parts.database, targets_of(bundle, base=base)))
    updatable = updatable_in(sight, bundle, held=found[0])
    readable = readable_in(sight, bundle, known=found[0] | found[1])
    around = Surroundings(base=base, readable=readable, made=found[1], updatable=updatable)
    refusals = refusals_of(bundle, around)
    references, unasked = references_of(bundle, sight=sight)
    refusals = {**unasked, **refusals, **forbidden_in(sight, bundle)}
    if bundle.type == "transaction" and refusals:
        raise BundleRejected(*(refusal.issue for refusal in refusals.values()), status=_status_of(refusals.values()))
    coming = _Coming(bundle=bundle, body=body, references=references, updatable=updatable, ask=ask)
    received, kick_off = _receive(request, sight, coming, refusals=refusals)
    links = {"Link": ", ".join(f'<{base}/Task/{job.job_id}>; rel="status"' for job in received.jobs)}
    if ask.asynchronous:
        return async_answers.accepted(request, parts, received, own_id=received.submission_id, ask=ask)
    if received.repeated:
        submission = submissions.read(parts.database, received.submission_id)
        answer = stored_answer(submission, sight=sight)
    else:
        answer = response_bundle(bundle, received=received, kick_off=kick_off, now=parts.clock(), sight=sight)
    preference = applied(preferences_of(request))
    return fhir_response(answer, headers={**preference, **links} if received.jobs else preference)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coming:
    """What was sent: `references` are searches, `updatable` the types and ids it names that may be updated."""

    bundle: ParsedBundle
    body: bytes
    references: Sequence[ConditionalReference]
    updatable: frozenset[tuple[str, str]]
    ask: Ask


def _receive(
    request: Request, sight: Sight, coming: _Coming, *, refusals: Mapping[int, EntryRefusal]
) -> tuple[Received, KickOff]:
    """Store what can be stored. In a batch, the entries that conflict with the record are refused alone."""
    refused = dict(refusals)
    base, preferences = sight.base, preferences_of(request)
    now_held = held_in(sight)

    def held(type_: str, identity: str) -> bool:
        # What was deleted is not held, and yet an update may bring it back.
        return (type_, identity) in coming.updatable or now_held(type_, identity)

    while True:
        entries = tuple(entry for entry in coming.bundle.entries if entry.index not in refused)
        writing = replace(coming.bundle, entries=tuple(one for one in entries if one.method not in {"GET", "HEAD"}))
        references = [one for one in coming.references if one.entry_index not in refused]
        bounds = bounds_of(sight, writing, updatable=coming.updatable)
        brought = intake_from(
            writing,
            sort_by_patient(writing),
            base_url=base,
            held=held,
            references=references,
            within=sight.within,
            of_one_patient=bounds.patients is not None,
        )
        issues = (*coming.bundle.issues, *brought.issues, *_verdicts(sight, writing))
        kick_off = KickOff(asks=(coming.ask,), issues=issues, refusals=refused, returns=preferences.returns)
        try:
            received = receive(
                request,
                sight,
                kind=coming.bundle.type,
                raw=coming.body,
                brought=brought,
                kick_off=kick_off,
                deletions=deletions_in(sight, writing),
                bounds=bounds,
            )
        except (PatientConflict, VersionConflict, ConditionNotMet, OutOfBounds) as conflict:
            if coming.bundle.type == "transaction":
                raise _named(conflict) from None
            newly = _conflicting(conflict, brought, writing)
            if not newly.keys() - refused.keys():
                raise
            refused |= {index: EntryRefusal.of_conflict(one, index=index) for index, one in newly.items()}
        else:
            return received, kick_off


def _named(conflict: StoreError) -> Exception:
    """The conflict by which a transaction fails, with the entry that names another version."""
    if not isinstance(conflict, VersionConflict) or conflict.entry_index is None:
        return conflict
    refusal = EntryRefusal.of_conflict(conflict, index=conflict.entry_index)
    return BundleRejected(refusal.issue, status=412)


def _verdicts(sight: Sight, bundle: ParsedBundle) -> list[Issue]:
    """What is to be said of the references that did not resolve in the Bundle."""
    open_ones = open_references(bundle, base=sight.base)
    held, made = known_in(sight, searches.named(sight.parts.database, open_ones.names()))
    known: frozenset[str] = frozenset()
    if sight.unlimited or sight.sees_every_patient:  # whether somebody is known here is said to who may see them all
        known = searches.known_addresses(sight.parts.database, open_ones.addresses())
    return open_ones.verdicts(held={f"{type_}/{identity}" for type_, identity in held | made} | known)


def _status_of(refusals: Iterable[EntryRefusal]) -> int:
    """The status of a transaction that fails: that of its entries, where they agree; else 400.

    405 would be said of the address that the transaction was sent to, and that one does take POST: 400, too.
    """
    every = {int(refusal.status.partition(" ")[0]) for refusal in refusals}
    return every.pop() if len(every) == 1 and every != {405} else 400


def _conflicting(conflict: StoreError, brought: Intake, bundle: ParsedBundle) -> dict[int, StoreError]:
    """The entries of a batch that a conflict is about, each with what is wrong with it."""
    if isinstance(conflict, ConditionNotMet):
        every = (conflict, *conflict.others)
        asking = {entry.index: one for entry, _, text, _ in searches_in(bundle) for one in every if one.text == text}
        return {**asking, **{one.entry_index: one for one in every if one.entry_index is not None}}
    if isinstance(conflict, OutOfBounds):
        return dict.fromkeys(conflict.entry_indexes, conflict)
    if isinstance(conflict, VersionConflict):
        return {one.entry_index: one for one in (conflict, *conflict.others) if one.entry_index is not None}
    assert isinstance(conflict, PatientConflict)
    every_conflict = (conflict, *conflict.others)
    found = {one.entry_index: one for one in every_conflict if _is_of_entry(one) and one.entry_index is not None}
    of_patients = {
        resource.entry_index: one
        for one in every_conflict
        if not _is_of_entry(one)
        for resource in brought.groups[one.group].resources
        if resource.entry_index is not None
    }
    return {**of_patients, **found}


def _is_of_entry(conflict: PatientConflict) -> bool:
    """Whether it is one entry that contradicts, and not what is said of a patient."""
    return conflict.element in {"subject", "link"} and conflict.entry_index is not None
