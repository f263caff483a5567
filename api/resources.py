"""This file reads single resources, now or at a version: what was received, as it came, and what we made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.addresses import INSTANCE, VERSION, check_type
from api.answers import fhir_response, not_modified, version_headers
from api.parts import GivenParts, Parts, log_ids
from api.representation import form_of
from api.spoken import in_language, language_in, language_of, spoken
from api.stored_form import as_read, received_bytes
from correlation.words import BASE_LANGUAGE
from store import audit, report_search, resources
from store.errors import NotFound

router = APIRouter(prefix="/fhir", tags=["resources"])

_LONGEST_VERSION = 9  # digits; more than any record has


@router.get(INSTANCE, summary="Read a resource")
def read_resource(
    request: Request,
    resource_type: str,
    resource_id: str,
    caller: Annotated[Caller, needs("user|system", "*", "r")],
    parts: GivenParts,
) -> Response:
    """A kept or made resource as it is now: ETag, Last-Modified; 304 where the client has it; 404; 410 once deleted."""
    check_type(resource_type, interaction="read")
    return _answer(request, parts, caller, found=find(parts, resource_type, resource_id))


@router.get(VERSION, summary="Read one version of a resource")
def read_version(
    request: Request,
    resource_type: str,
    resource_id: str,
    version: str,
    caller: Annotated[Caller, needs("user|system", "*", "r")],
    parts: GivenParts,
) -> Response:
    """A version as it was written, for ever. 404 for one that never was; 410 where that version says it was deleted."""
    check_type(resource_type, interaction="vread")
    if not version.isascii() or not version.isdigit() or len(version) > _LONGEST_VERSION:
        raise NotFound(resource_type, resource_id)
    return _answer(request, parts, caller, found=find(parts, resource_type, resource_id, version=int(version)))


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


def find(parts: Parts, type_: str, identity: str, *, version: int | None = None) -> Found:
    """A resource that was received, or one that we made, now or at a version. Raises NotFound, Gone."""
    try:
        kept = resources.read(parts.database, type_, identity, version=version)
    except NotFound as missing:
        if type(missing) is not NotFound:  # it was here and was deleted
            raise
        made = report_search.read_resource(parts.database, type_, identity, version=version)
        return Found(
            type=type_,
            id=identity,
            content=as_read(made.content, identity=made.id, version=made.version, modified=made.recorded_at),
            version=made.version,
            modified=made.recorded_at,
            patient_id=made.patient_id,
            made=True,
        )
    return Found(
        type=type_,
        id=identity,
        content=received_bytes(kept),
        version=kept.version,
        modified=kept.recorded_at,
        patient_id=kept.patient_id,
    )


def note_read(parts: Parts, caller: Caller, *, type_: str, identity: str, patient_id: str | None) -> None:
    """Note in the audit who read what of whom."""
    access = audit.Access(
        at=parts.clock(),
        caller_id=caller.client_id,
        action="read",
        type=type_,
        id=identity,
        patient_id=patient_id,
    )
    audit.record(parts.database, [access])


def _answer(request: Request, parts: Parts, caller: Caller, *, found: Found) -> Response:
    if found.made and found.type == "DiagnosticReport":
        return _answer_in_language(request, parts, caller, found=found)
    return _plain_answer(request, parts, caller, found=found)


def _answer_in_language(request: Request, parts: Parts, caller: Caller, *, found: Found) -> Response:
    """A report of ours in the language that the client prefers; its version and ETag are those of the stored words."""
    language = language_of(request, parts.knowledge)
    if language != BASE_LANGUAGE:
        stored = report_search.read(parts.database, found.id, version=found.version)
        report = spoken(parts, stored, language=language).resources[0]
        content = as_read(report.content, identity=found.id, version=found.version, modified=found.modified)
        found, language = replace(found, content=content), language_in(content)
    return in_language(_plain_answer(request, parts, caller, found=found), language)


def _plain_answer(request: Request, parts: Parts, caller: Caller, *, found: Found) -> Response:
    form = form_of(request)
    log_ids(request, type=found.type, id=found.id)
    note_read(parts, caller, type_=found.type, identity=found.id, patient_id=found.patient_id)
    known = not_modified(request, version=found.version, modified=found.modified)
    if known is not None:
        return known
    return fhir_response(found.content, headers=version_headers(found.version, found.modified), form=form)
