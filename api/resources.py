"""This file reads single resources, now or at a version: what was received, as it came, and what we made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.guard import needs
from api.access.sight import Sight
from api.addresses import INSTANCE, VERSION, check_type
from api.answers import fhir_response, not_modified, version_headers
from api.parts import log_ids
from api.representation import form_of
from api.seen_reports import seen_report, seen_resource
from api.spoken import in_language, language_in, language_of
from api.stored_form import as_read, received_bytes
from correlation.words import BASE_LANGUAGE
from fhir_mappings.resource_json import loads
from store import audit, report_search, resources
from store.errors import Gone, NotFound
from store.resources import StoredResource

router = APIRouter(prefix="/fhir", tags=["resources"])

_LONGEST_VERSION = 9  # digits; more than any record has


@router.get(INSTANCE, summary="Read a resource")
def read_resource(
    request: Request,
    resource_type: str,
    resource_id: str,
    sight: Annotated[Sight, needs("r")],
) -> Response:
    """A kept or made resource as it is now: ETag, Last-Modified; 304 where the client has it; 404; 410 once deleted."""
    check_type(resource_type, interaction="read")
    return _answer(request, sight, found=find(sight, resource_type, resource_id))


@router.get(VERSION, summary="Read one version of a resource")
def read_version(
    request: Request,
    resource_type: str,
    resource_id: str,
    version: str,
    sight: Annotated[Sight, needs("r")],
) -> Response:
    """A version as it was written, for ever. 404 for one that never was; 410 where that version says it was deleted."""
    check_type(resource_type, interaction="vread")
    if not version.isascii() or not version.isdigit() or len(version) > _LONGEST_VERSION:
        raise NotFound(resource_type, resource_id)
    return _answer(request, sight, found=find(sight, resource_type, resource_id, version=int(version)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource as a client reads it. `patient_id` is None for what belongs to no patient; `made` is ours."""

    type: str
    id: str
    content: Mapping[str, Any] | bytes
    version: int
    modified: datetime
    patient_id: str | None
    made: bool = False


def find(sight: Sight, type_: str, identity: str, *, version: int | None = None) -> Found:
    """A resource that was received, or one that we made, now or at a version, as the caller sees it.

    Raises NotFound, also for what the caller may not see, and Gone.
    """
    database = sight.parts.database
    try:
        kept = resources.read(database, type_, identity, version=version)
    except Gone:
        if may_know_of(sight, resources.latest(database, type_, identity)):
            raise
        raise NotFound(type_, identity) from None
    except NotFound:
        return _find_made(sight, type_, identity, version=version)
    content = received_bytes(kept)
    if version is not None and identity in sight.hidden_since([identity]):
        raise NotFound(type_, identity)
    if not sight.unlimited and not sight.sees(type_, identity, content=loads(content), patient_id=kept.patient_id):
        raise NotFound(type_, identity)
    return Found(
        type=type_,
        id=identity,
        content=content,
        version=kept.version,
        modified=kept.recorded_at,
        patient_id=kept.patient_id,
    )


def latest_for(sight: Sight, type_: str, identity: str, *, right: str) -> StoredResource | None:
    """What was received under an id, as it is now and perhaps deleted; None where there is nothing that the caller may
    do this with."""
    try:
        found = resources.latest(sight.parts.database, type_, identity)
    except NotFound:
        return None
    if sight.unlimited:
        return found
    if found.deleted:
        return found if may_know_of(sight, found) else None
    content = loads(found.content)
    return found if sight.sees(type_, identity, content=content, patient_id=found.patient_id, right=right) else None


def may_know_of(sight: Sight, kept: StoredResource) -> bool:
    """Whether the caller may know that a resource was here: of a deleted one nothing is left to tell by."""
    reach = sight.reach(kept.type, "r")
    if reach.everything:
        return True
    return reach.whole and sight.in_compartment(kept.type, kept.id, patient_id=kept.patient_id)


def _find_made(sight: Sight, type_: str, identity: str, *, version: int | None) -> Found:
    made = seen_resource(sight, report_search.read_resource(sight.parts.database, type_, identity, version=version))
    return Found(
        type=type_,
        id=identity,
        content=as_read(made.content, identity=made.id, version=made.version, modified=made.recorded_at),
        version=made.version,
        modified=made.recorded_at,
        patient_id=made.patient_id,
        made=True,
    )


def note_read(sight: Sight, *, type_: str, identity: str, patient_id: str | None) -> None:
    """Note in the audit who read what of whom."""
    access = audit.Access(
        at=sight.parts.clock(),
        caller_id=sight.caller.identity,
        action="read",
        type=type_,
        id=identity,
        patient_id=patient_id,
    )
    audit.record(sight.parts.database, [access])


def _answer(request: Request, sight: Sight, *, found: Found) -> Response:
    if found.made and found.type == "DiagnosticReport":
        return _answer_in_language(request, sight, found=found)
    return _plain_answer(request, sight, found=found)


def _answer_in_language(request: Request, sight: Sight, *, found: Found) -> Response:
    """A report of ours in the language that the client prefers; its version and ETag are those of the stored words."""
    language = language_of(request, sight.parts.knowledge)
    if language != BASE_LANGUAGE:
        stored = report_search.read(sight.parts.database, found.id, version=found.version)
        report = seen_report(sight, stored, language=language).resources[0]
        content = as_read(report.content, identity=found.id, version=found.version, modified=found.modified)
        found, language = replace(found, content=content), language_in(content)
    return in_language(_plain_answer(request, sight, found=found), language)


def _plain_answer(request: Request, sight: Sight, *, found: Found) -> Response:
    form = form_of(request)
    log_ids(request, type=found.type, id=found.id)
    note_read(sight, type_=found.type, identity=found.id, patient_id=found.patient_id)
    known = not_modified(request, version=found.version, modified=found.modified)
    if known is not None:
        return known
    return fhir_response(found.content, headers=version_headers(found.version, found.modified), form=form)
