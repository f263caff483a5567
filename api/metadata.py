"""This file answers `GET metadata`, without asking who calls, and gives the operations' definitions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answers import fhir_response
from api.parts import GivenParts, base_of
from fhir_mappings.capability import capability_statement
from fhir_mappings.operation_definitions import operation_definitions
from store.errors import NotFound

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
        open_access=parts.settings.access == "open",
    )
    return fhir_response(statement)


@router.get("/OperationDefinition/{definition_id}", summary="The definition of an operation")
def operation_definition(definition_id: str, parts: GivenParts) -> Response:
    """The definitions that the CapabilityStatement names."""
    for definition in operation_definitions(software_version=parts.software_version):
        if definition["id"] == definition_id:
            return fhir_response(definition)
    raise NotFound("OperationDefinition", definition_id)
