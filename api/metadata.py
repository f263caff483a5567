"""This file answers `GET metadata`, without asking who calls."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.access.discovery import oauth_uris_of
from api.answers import fhir_response
from api.parts import GivenParts, base_of
from api.representation import form_of
from fhir_mappings.capability import capability_statement

router = APIRouter(prefix="/fhir", tags=["conformance"])


@router.get("/metadata", summary="The CapabilityStatement")
def metadata(request: Request, parts: GivenParts) -> Response:
    """What this server can do. Any `mode` gets the same statement."""
    statement = capability_statement(
        base_url=base_of(request),
        software_version=parts.software_version,
        edition=parts.knowledge.edition,
        max_bytes=parts.settings.max_bytes,
        date=parts.knowledge.issued or parts.clock().date(),
        open_access=parts.authority is None,
        oauth_uris=oauth_uris_of(parts),
        cors=bool(parts.settings.cors_origins),
    )
    return fhir_response(statement, form=form_of(request))
