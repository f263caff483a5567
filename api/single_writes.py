"""This file creates, updates and deletes one resource. Each is a transaction of one entry and goes the same way.

Stored, its patients queued for correlation, and answered with one `Link: <…/Task/{id}>; rel="status"` per patient.
FHIR R4 https://hl7.org/fhir/R4/http.html#create, #update, #delete
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request, Response

from admission.incoming import Intake, intake_from
from api.access.errors import NotPermitted
from api.access.guard import needs
from api.access.sight import Sight
from api.addresses import INSTANCE, TYPE, check_type, not_allowed
from api.answers import fhir_response, version_headers
from api.body import FhirBody
from api.content import preferences_of
from api.entry_checks import instance_named
from api.entry_rights import bounds_of, bounds_of_deletion, forbidden_in, is_named_patient
from api.errors import issues_of
from api.parts import GivenParts, base_of, log_ids
from api.receiving import KickOff, held_in, receive
from api.report_signing import sign_off
from api.representation import form_of
from api.resources import find, latest_for
from api.returning import OUTCOME, applied, outcome, returned
from fhir_mappings.bundle import BundleRejected, ParsedBundle
from fhir_mappings.etags import etag, versions_named
from fhir_mappings.issues import Issue
from fhir_mappings.patient_groups import sort_by_patient
from fhir_mappings.single_resource import named_alone, parse_resource
from store import report_search, resources
from store.errors import Busy, NotFound, StoreError, VersionConflict
from store.incoming import Deletion, Placed, Received, StoredEntry
from store.resources import StoredResource

router = APIRouter(prefix="/fhir", tags=["resources"])

_READING = ("GET", "HEAD")


@router.post(TYPE, summary="Create a resource", status_code=201)
def create(
    request: Request,
    resource_type: str,
    sight: Annotated[Sight, needs("c")],
    body: FhirBody,
    parts: GivenParts,
) -> Response:
    """201 with Location, ETag, Last-Modified; 200 with the same where it is known already. The id is given here."""
    check_type(resource_type, interaction="create")
    form_of(request)  # refused before anything is stored
    bundle = parse_resource(
        body,
        type_=resource_type,
        limits=parts.limits,
        if_none_exist=request.headers.get("if-none-exist"),
    )
    received, issues = _take_in(request, sight, kind="create", raw=body, bundle=bundle)
    entry = received.entries[0]
    status = 201 if entry.placed == Placed.CREATED else 200
    return _written(request, sight, received, entry=entry, status=status, issues=issues, location="Location")


@router.put(INSTANCE, summary="Update a resource; sign or withdraw a report of ours")
def update(
    request: Request,
    resource_type: str,
    resource_id: str,
    sight: Annotated[Sight, needs("u")],
    body: FhirBody,
    parts: GivenParts,
) -> Response:
    """200 with the new version; 201 where it was deleted. 412 where If-Match names another version than the current."""
    check_type(resource_type, interaction="update")
    form_of(request)  # refused before anything is stored
    if resource_type == "DiagnosticReport" and _is_made(sight, resource_type, resource_id):
        return sign_off(request, sight, report_id=resource_id, body=body)
    _refuse_made(sight, resource_type, resource_id)
    current = _current(sight, resource_type, resource_id)
    bundle = parse_resource(
        body,
        type_=resource_type,
        limits=parts.limits,
        identity=resource_id,
        if_match=_if_match(request, resource_type, resource_id, current=current),
    )
    received, issues = _take_in(request, sight, kind="update", raw=body, bundle=bundle)
    entry = received.entries[0]
    is_new = current is None or current.deleted
    return _written(
        request,
        sight,
        received,
        entry=entry,
        status=201 if is_new else 200,
        issues=issues,
        location="Location" if is_new else "Content-Location",
    )


@router.delete(INSTANCE, summary="Delete a resource", status_code=204)
def delete(
    request: Request,
    resource_type: str,
    resource_id: str,
    sight: Annotated[Sight, needs("d")],
) -> Response:
    """204, also where there is nothing to delete. Earlier versions stay readable; the resource itself is 410 then."""
    check_type(resource_type, interaction="delete")
    form_of(request)  # refused before anything is deleted
    _refuse_made(sight, resource_type, resource_id)
    current = latest_for(sight, resource_type, resource_id, right="d")
    if_match = _if_match(request, resource_type, resource_id, current=current)
    version = next(iter(versions_named(if_match)), None) if if_match else None
    # What the caller may not delete is to them as if it were not there: nothing is deleted, which is no fault.
    deletion = Deletion(type=resource_type, id=resource_id, if_match=version, entry_index=0, hidden=current is None)
    received = receive(
        request,
        sight,
        kind="delete",
        raw=f"{resource_type}/{resource_id}".encode(),  # there is no body: the record keeps what was to be deleted
        brought=Intake(groups=(), loose=(), issues=()),
        kick_off=KickOff(),
        deletions=[deletion],
        bounds=bounds_of_deletion(sight, current),
    )
    preferences = preferences_of(request)
    deleted = received.entries[0].version if received.entries else 0
    if deleted:
        log_ids(request, type=resource_type, id=resource_id, version=deleted)
    headers = {**_links(request, received), **applied(preferences), **({"ETag": etag(deleted)} if deleted else {})}
    if preferences.returns == OUTCOME:
        return fhir_response(outcome(()), headers=headers, form=form_of(request))
    return Response(status_code=204, headers=headers)


def _take_in(
    request: Request, sight: Sight, *, kind: str, raw: bytes, bundle: ParsedBundle
) -> tuple[Received, Sequence[Issue]]:
    """Store the one entry and queue whom it touches; what goes wrong is named as of a resource alone."""
    entry = bundle.entries[0]
    type_ = entry.type or ""
    held = held_in(sight)
    target = instance_named(entry, sight.base)  # of an update, and then it was looked at already
    bounds = bounds_of(sight, bundle, updatable=[target] if target else [])

    def ours(kind_: str, identity: str) -> bool:
        # What was deleted is not held, and yet an update may bring it back.
        return entry.url == f"{kind_}/{identity}" or held(kind_, identity)

    forbidden = forbidden_in(sight, bundle)
    if forbidden:
        raise NotPermitted
    try:
        brought = intake_from(
            bundle,
            sort_by_patient(bundle),
            base_url=sight.base,
            held=ours,
            within=sight.within,
            of_one_patient=bounds.patients is not None,
        )
        issues = (*bundle.issues, *brought.issues)
        received = receive(
            request,
            sight,
            kind=kind,
            raw=raw,
            brought=brought,
            kick_off=KickOff(issues=issues),
            bounds=bounds,
        )
    except (BundleRejected, StoreError) as fault:
        found = issues_of(fault)
        if found is None or isinstance(fault, VersionConflict | Busy):  # their headers say more
            raise
        status, named, _ = found
        raise BundleRejected(*(named_alone(issue, type_=type_) for issue in named), status=status) from None
    return received, tuple(named_alone(issue, type_=type_) for issue in issues)


def _written(
    request: Request,
    sight: Sight,
    received: Received,
    *,
    entry: StoredEntry,
    status: int,
    issues: Sequence[Issue],
    location: str,
) -> Response:
    log_ids(request, type=entry.type, id=entry.id, version=entry.version)
    # The headers are the writer's; the content is for who may read it, as what is known already may be new to them.
    kept = resources.read(sight.parts.database, entry.type, entry.id, version=entry.version)
    wanted = preferences_of(request)
    try:
        found = find(sight, entry.type, entry.id, version=entry.version)
        content, preference = returned(wanted, resource=lambda: found.content, issues=issues)
    except NotFound:
        content, preference = None, {}
    headers = {
        location: f"{sight.base}/{entry.type}/{entry.id}/_history/{entry.version}",
        **version_headers(kept.version, kept.recorded_at),
        **_links(request, received),
        **preference,
    }
    return fhir_response(content, status=status, headers=headers, form=form_of(request))


def _links(request: Request, received: Received) -> dict[str, str]:
    links = [f'<{base_of(request)}/Task/{job.job_id}>; rel="status"' for job in received.jobs]
    return {"Link": ", ".join(links)} if links else {}


def _current(sight: Sight, type_: str, identity: str) -> StoredResource | None:
    """The resource to be updated, deleted or not; None for a patient who was only named so far.

    405 where there is nothing under this id: ids are given here.
    """
    found = latest_for(sight, type_, identity, right="u")
    if found is None and not is_named_patient(sight, type_, identity):
        raise not_allowed(
            _READING,
            detail="no-client-ids",
            text="There is nothing under this id, and ids are given here: POST the resource to the address of its type "
            "and take the id from Location.",
        )
    return found


def _refuse_made(sight: Sight, type_: str, identity: str) -> None:
    if _is_made(sight, type_, identity):
        methods = (*_READING, "PUT") if type_ == "DiagnosticReport" else _READING
        text = "What Fillertrace made is not changed and not deleted. A report is signed or withdrawn by PUT."
        raise not_allowed(methods, text=text)


def _is_made(sight: Sight, type_: str, identity: str) -> bool:
    """Whether it is ours, as far as the caller may know."""
    try:
        made = report_search.read_resource(sight.parts.database, type_, identity)
    except NotFound:
        return False
    return sight.may_know(type_, identity, patient_id=made.patient_id)


def _if_match(request: Request, type_: str, identity: str, *, current: StoredResource | None) -> str | None:
    """The one version that the write is tied to, None where the client tied it to none.

    The record checks it again when it writes. Raises VersionConflict where it is another than the current one.
    """
    header = request.headers.get("if-match", "").strip()
    if not header:
        return None
    version = 0 if current is None else current.version
    exists = current is not None and not current.deleted
    if (header == "*" and exists) or (header != "*" and version in versions_named(header)):
        return etag(version)
    raise VersionConflict(type_, identity, current=version)
