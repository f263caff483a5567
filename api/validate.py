"""This file is `$validate` (contract, section 2): always 200 with an OperationOutcome, nothing stored, nothing queued.

Of a type, of one resource, and at the base, where the resource itself says its type. Only Parameters that the operation
does not take are refused with 400.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.access.guard import known_caller, needs
from api.access.sight import Sight
from api.addresses import INSTANCE, TYPE, check_type
from api.artefacts import artefacts
from api.body import FhirBody
from api.errors import RequestRefused, outcome_response
from api.parts import GivenParts, Parts
from api.resources import find
from api.tasks import task_of
from fhir_mappings.operation_input import ParameterRefused
from fhir_mappings.resource_json import loads
from fhir_mappings.resource_types import R4_TYPES
from fhir_mappings.validate_operation import ValidateInput, read_validate_body, validate_issues

router = APIRouter(prefix="/fhir", tags=["conformance"])

_Anyone = Annotated[Sight, known_caller()]


@router.post("/$validate", summary="Validate a resource of any type")
def validate_any(request: Request, sight: _Anyone, body: FhirBody, parts: GivenParts) -> Response:
    """The resource, or Parameters (`resource`, `mode`, `profile`)."""
    asked = _asked(request, body, parts)
    return outcome_response(200, issues=validate_issues(asked, definitions=artefacts(parts)))


@router.post(f"{TYPE}/$validate", summary="Validate a resource of one type")
def validate_type(request: Request, resource_type: str, sight: _Anyone, body: FhirBody, parts: GivenParts) -> Response:
    """The same; the resource must be of the type of the address."""
    _check_name(resource_type)
    asked = _asked(request, body, parts)
    return outcome_response(200, issues=validate_issues(asked, definitions=artefacts(parts), type_=resource_type))


@router.post(f"{INSTANCE}/$validate", summary="Validate a stored resource, or its next version")
def validate_instance(
    request: Request,
    resource_type: str,
    resource_id: str,
    sight: Annotated[Sight, needs("r")],
    parts: GivenParts,
    body: FhirBody,
) -> Response:
    """Without a resource in the body: the stored one as it is now. With one: what would take its place."""
    check_type(resource_type, interaction="read")
    asked = _asked(request, body, parts)
    stored = _stored(sight, resource_type, resource_id)
    if asked.resource is None and not asked.issues:
        asked = replace(asked, resource=stored)
    issues = validate_issues(asked, definitions=artefacts(parts), type_=resource_type, id_=resource_id)
    return outcome_response(200, issues=issues)


def _stored(sight: Sight, type_: str, identity: str) -> dict[str, Any]:
    """The resource as it is now; a job as the Task that it is shown as. Raises NotFound, Gone."""
    if type_ == "Task":
        return task_of(sight, identity)
    content = find(sight, type_, identity).content
    return loads(content) if isinstance(content, bytes) else dict(content)


def _asked(request: Request, body: bytes, parts: Parts) -> ValidateInput:
    """What the body asks; `mode` and `profile` may stand in the address instead, as FHIR lets simple parameters."""
    try:
        asked = read_validate_body(body, limits=parts.limits)
    except ParameterRefused as refused:
        raise RequestRefused(
            400, code="invalid", detail="invalid-parameter", text=refused.text, expression=(refused.path,)
        ) from None
    named = request.query_params
    return replace(asked, mode=asked.mode or named.get("mode"), profile=asked.profile or named.get("profile"))


def _check_name(resource_type: str) -> None:
    if resource_type not in R4_TYPES:
        text = "FHIR R4 has no resource type of this name: correct the address."
        raise RequestRefused(404, code="not-supported", detail="unknown-type", text=text)
