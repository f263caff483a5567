"""This file puts the OpenAPI document together: from the routes, and the table of what each takes and gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.openapi import parameters
from api.openapi.answers import REFUSALS
from api.openapi.operations import OPERATIONS, Operation
from api.openapi.schemas import ref, schemas

_WORDS: Final = """Correlates dermal filler history with imaging and laboratory findings, in FHIR R4 (4.0.1).
Decision support for review by a licensed clinician; not a diagnosis, not for emergencies.

Every answer carries X-Request-Id: yours, or a new one. Every refusal is an OperationOutcome whose issue says how to
mend it. HEAD is answered wherever GET is. A fault of ours is 500 with an OperationOutcome; it is in the log under the
request id. What FHIR adds to all of this is in the CapabilityStatement at /fhir/metadata."""


def describe(app: FastAPI, routes: Iterable[APIRoute]) -> None:
    """Let the application show this document in the place of the one that FastAPI would guess."""
    document = openapi_document(routes, title=app.title, summary=app.summary or "", version=app.version)
    app.openapi = lambda: document  # type: ignore[method-assign]


def openapi_document(routes: Iterable[APIRoute], *, title: str, summary: str, version: str) -> dict[str, Any]:
    """The document of these routes, OpenAPI 3.1. Raises KeyError for a route that the table does not know."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.include_in_schema:
            for method in route.methods or ():
                paths.setdefault(route.path_format, {})[method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "summary": summary, "version": version, "description": _WORDS},
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {f"Refused{status}": answer.written() for status, answer in REFUSALS.items()},
        },
    }


def _operation(route: APIRoute) -> dict[str, Any]:
    name = route.endpoint.__name__
    row = OPERATIONS[name]
    answers = {status: answer.written() for status, answer in row.gives.items()}
    answers |= {status: {"$ref": f"#/components/responses/Refused{status}"} for status in row.refuses}
    said: dict[str, Any] = {
        "operationId": name,
        "tags": list(route.tags),
        "summary": route.summary,
        "description": route.endpoint.__doc__ or route.summary,
        "parameters": _parameters(route, row),
        "responses": {str(status): answers[status] for status in sorted(answers)},
    }
    if row.body is not None:
        said["requestBody"] = row.body.written()
    return said


def _parameters(route: APIRoute, row: Operation) -> list[dict[str, Any]]:
    found = [_path_parameter(name, row) for name in route.param_convertors]
    if row.searched == "resources":
        found += parameters.search_parameters()
    elif row.searched == "artefacts":
        found += parameters.artefact_search()
    return [*found, *map(parameters.parameter, row.takes)]


def _path_parameter(name: str, row: Operation) -> dict[str, Any]:
    schema = ref(row.type_) if name == "resource_type" else None
    said = parameters.path_parameter(name, schema=schema)
    return {**said, "example": row.path_examples[name]} if name in row.path_examples else said
