"""This file reads single resources: what was received, as it came with our id and version, and what we made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.answers import fhir_response, version_headers, versions_named
from api.errors import RequestRefused
from api.parts import GivenParts, Parts, log_ids
from api.stored_form import as_read, received_as_read
from fhir_mappings.capability import TYPES
from store import audit, report_search, resources
from store.errors import NotFound

router = APIRouter(prefix="/fhir", tags=["resources"])

READABLE_TYPES = frozenset(row.type for row in TYPES) - {"Task"}
_NOT_MODIFIED = 304


@router.get("/{resource_type}/{resource_id}", summary="Read a resource")
def read_resource(
    request: Request,
    resource_type: str,
    resource_id: str,
    caller: Annotated[Caller, needs("user|system", "*", "r")],
    parts: GivenParts,
) -> Response:
    """A kept or made resource in its current version: ETag, Last-Modified, 304 for If-None-Match, 404, 410."""
    if resource_type not in READABLE_TYPES:
        raise RequestRefused(
            404,
            code="not-supported",
            detail="unknown-type",
            text="This type is not kept here. The CapabilityStatement at metadata names the types that are.",
        )
    found = find(parts, resource_type, resource_id)
    log_ids(request, type=resource_type, id=resource_id)
    note_read(parts, caller, type_=resource_type, identity=resource_id, patient_id=found.patient_id)
    headers = version_headers(found.version, found.modified)
    if found.version in versions_named(request.headers.get("if-none-match", "")):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return fhir_response(found.content, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource as a client reads it. `patient_id` is None for what belongs to no patient."""

    content: dict[str, Any]
    version: int
    modified: datetime
    patient_id: str | None


def find(parts: Parts, type_: str, identity: str) -> Found:
    """A resource that was received, or one that we made. Raises NotFound, Gone."""
    try:
        kept = resources.read(parts.database, type_, identity)
    except NotFound as missing:
        if type(missing) is not NotFound:  # it was here and was deleted
            raise
        made = report_search.read_resource(parts.database, type_, identity)
        return Found(
            content=as_read(made.content, identity=made.id, version=made.version, modified=made.recorded_at),
            version=made.version,
            modified=made.recorded_at,
            patient_id=made.patient_id,
        )
    return Found(
        content=received_as_read(kept),
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
