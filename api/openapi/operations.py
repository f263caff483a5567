"""This file is the one table of what the OpenAPI document says of each route, by the name of its function.

Summary and words are the route's own. A test asks the service for every status that stands here, and finds no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.content import FHIR_JSON
from api.dialects import NDJSON
from api.openapi import bodies
from api.openapi.answers import ACCEPTED, FOUND, NOT_MODIFIED, Answer, fhir, written
from api.openapi.bodies import Body
from api.openapi.parameters import ABOUT_ANSWER
from api.openapi.schemas import bundle, either, ref
from fhir_mappings.capability import CONFORMANCE_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is asked and answered. `type_` names the schema of `resource_type`; `searched` says by what is searched.

    `takes` are parameters of the query and headers, `gives` the answers of its own, `refuses` the statuses of refusals.
    """

    takes: tuple[str, ...] = ()
    gives: Mapping[int, Answer]
    refuses: tuple[int, ...] = ()
    body: Body | None = None
    type_: str = "StoredType"
    searched: str | None = None
    path_examples: Mapping[str, str] = field(default_factory=dict)


_ASKING_WHO_CALLS: Final = (401, 403, 429, 503)
"""What every address that asks who calls may answer."""
_GUARDED: Final = (*_ASKING_WHO_CALLS, 406)
"""What it may answer where it speaks FHIR."""
_WITH_BODY: Final = (413, 415)
_FORMAT: Final = ("_format",)
_VERSION: Final = ("ETag", "Last-Modified")
_WRITING: Final = (*ABOUT_ANSWER, "Prefer", "Idempotency-Key")
_AFTER_WRITING: Final = ("Link", "Preference-Applied")
_ASYNCHRONOUS: Final = ("_format", "_outputFormat", "Prefer", "Idempotency-Key")
_OUTCOME: Final = fhir("What is to be said about it.", ref("OperationOutcome"))
_EXPLANATION: Final = {200: fhir("Every cause, every answer, its source.", ref("Parameters"))}
_CORRELATED: Final = {
    200: fhir("The result Bundle.", bundle("collection"), sometimes=("Link", "Content-Language")),
    202: ACCEPTED,
}
_OF_PATIENTS: Final = {"resource_type": "Patient"}
_EXAMPLES: Final = {
    "CodeSystem": "attribution",
    "ConceptMap": "product-to-material",
    "OperationDefinition": "correlate",
    "StructureDefinition": "evidence",
    "ValueSet": "attribution",
}


def _json(words: str, schema: Mapping[str, Any]) -> Answer:
    return Answer(words=words, content={"application/json": schema})


OPERATIONS: Final[Mapping[str, Operation]] = {
    "metadata": Operation(
        takes=ABOUT_ANSWER,
        gives={200: fhir("What this server can do.", ref("CapabilityStatement"))},
        refuses=(400, 406),
    ),
    "read_smart_configuration": Operation(
        gives={200: _json("Where a token is to be had.", ref("SmartConfiguration"))}, refuses=(404, 503)
    ),
    **{
        f"read_{type_.lower()}": Operation(
            takes=ABOUT_ANSWER,
            gives={200: fhir(f"The {type_}.", ref(type_))},
            refuses=(400, 404, 406),
            path_examples={"artefact_id": _EXAMPLES[type_]},
        )
        for type_ in CONFORMANCE_TYPES
    },
    **{
        f"search_{type_.lower()}": Operation(
            takes=(*ABOUT_ANSWER, "Prefer"), gives={200: FOUND}, refuses=(400, 406), searched="artefacts"
        )
        for type_ in CONFORMANCE_TYPES
    },
    "validate_any": Operation(
        takes=(*_FORMAT, "mode", "profile"),
        gives={200: _OUTCOME},
        refuses=(400, *_WITH_BODY, *_GUARDED),
        body=bodies.VALIDATED,
    ),
    "validate_type": Operation(
        takes=(*_FORMAT, "mode", "profile"),
        gives={200: _OUTCOME},
        refuses=(400, 404, *_WITH_BODY, *_GUARDED),
        body=bodies.VALIDATED,
        type_="R4Type",
        path_examples=_OF_PATIENTS,
    ),
    "validate_instance": Operation(
        takes=(*_FORMAT, "mode", "profile"),
        gives={200: _OUTCOME},
        refuses=(400, 404, 410, *_WITH_BODY, *_GUARDED),
        body=bodies.VALIDATED,
        path_examples=_OF_PATIENTS,
    ),
    "correlate": Operation(
        takes=(*_ASYNCHRONOUS, "Accept-Language"),
        gives=_CORRELATED,
        refuses=(400, 412, 422, 500, *_WITH_BODY, *_GUARDED),
        body=bodies.RECORD,
    ),
    "correlate_patient": Operation(
        takes=(*_ASYNCHRONOUS, "Accept-Language"),
        gives=_CORRELATED,
        refuses=(400, 404, 422, 500, *_WITH_BODY, *_GUARDED),
        body=bodies.NO_BUNDLE,
    ),
    "transaction": Operation(
        takes=_ASYNCHRONOUS,
        gives={
            200: fhir(
                "The response Bundle, entry by entry in the same order.",
                either(bundle("transaction-response"), bundle("batch-response")),
                sometimes=_AFTER_WRITING,
            ),
            202: ACCEPTED,
        },
        refuses=(400, 404, 412, 422, *_WITH_BODY, *_GUARDED),
        body=bodies.ENTRIES,
    ),
    "read_status": Operation(
        takes=_FORMAT,
        gives={
            200: Answer(
                words="The result: a manifest of files, or a batch-response Bundle; or, by X-Export-Status, its error.",
                content={
                    "application/json": ref("Manifest"),
                    FHIR_JSON: either(bundle("batch-response"), ref("OperationOutcome")),
                },
                sometimes=("Expires", "X-Export-Status", "X-Progress", "Retry-After", "Link"),
            ),
            202: Answer(words="It runs or waits.", always=("X-Progress", "Retry-After")),
            303: Answer(words="The direct answer is at Location.", always=("Location", "Expires")),
        },
        refuses=(404, 410, 500, *_GUARDED),
    ),
    "read_result": Operation(
        takes=_FORMAT,
        gives={200: fhir("The direct answer.", ref("Bundle"), sometimes=("Link",))},
        refuses=(404, 410, 500, *_GUARDED),
    ),
    "read_file": Operation(
        gives={200: Answer(words="One resource a line.", content={NDJSON: {"type": "string"}})},
        refuses=(404, 410, *_ASKING_WHO_CALLS),
    ),
    "cancel": Operation(
        takes=_FORMAT,
        gives={202: fhir("Cancelled; what was received stays.", ref("OperationOutcome"))},
        refuses=(404, 410, *_GUARDED),
    ),
    "read_task": Operation(
        takes=ABOUT_ANSWER, gives={200: fhir("The job.", ref("Task"))}, refuses=(400, 404, *_GUARDED)
    ),
    "retry": Operation(
        takes=_FORMAT,
        gives={202: fhir("The job, received again.", ref("Task"), always=("Content-Location", "Link"))},
        refuses=(404, 409, *_GUARDED),
    ),
    "explain": Operation(takes=ABOUT_ANSWER, gives=_EXPLANATION, refuses=(400, 404, 410, 422, *_GUARDED)),
    "explain_by_post": Operation(
        takes=ABOUT_ANSWER,
        gives=_EXPLANATION,
        refuses=(400, 404, 410, 422, *_WITH_BODY, *_GUARDED),
        body=bodies.NO_BUNDLE,
    ),
    "search_type": Operation(
        takes=(*ABOUT_ANSWER, "Prefer"), gives={200: FOUND}, refuses=(400, 404, *_GUARDED), searched="resources"
    ),
    "search_by_form": Operation(
        takes=(*ABOUT_ANSWER, "Prefer"),
        gives={200: FOUND},
        refuses=(400, 404, *_WITH_BODY, *_GUARDED),
        body=bodies.ASKED,
        path_examples=_OF_PATIENTS,
    ),
    "read_resource": Operation(
        takes=(*ABOUT_ANSWER, "If-None-Match", "If-Modified-Since", "Accept-Language"),
        gives={
            200: fhir("The resource.", ref("StoredResource"), always=_VERSION, sometimes=("Content-Language",)),
            304: NOT_MODIFIED,
        },
        refuses=(400, 404, 410, *_GUARDED),
    ),
    "read_version": Operation(
        takes=(*ABOUT_ANSWER, "If-None-Match", "If-Modified-Since", "Accept-Language"),
        gives={
            200: fhir("The version.", ref("StoredResource"), always=_VERSION, sometimes=("Content-Language",)),
            304: NOT_MODIFIED,
        },
        refuses=(400, 404, 410, *_GUARDED),
    ),
    "read_history": Operation(
        takes=(*ABOUT_ANSWER, "_count", "_since", "below"),
        gives={200: fhir("Every version, newest first.", bundle("history"))},
        refuses=(400, 404, *_GUARDED),
    ),
    "create": Operation(
        takes=(*_WRITING, "If-None-Exist"),
        gives={
            200: fhir(
                "It is known here already.",
                written("StoredResource"),
                always=(*_VERSION, "Location"),
                sometimes=_AFTER_WRITING,
            ),
            201: fhir("Made.", written("StoredResource"), always=(*_VERSION, "Location"), sometimes=_AFTER_WRITING),
        },
        refuses=(400, 404, 405, 412, 422, *_WITH_BODY, *_GUARDED),
        body=bodies.CREATED,
        type_="KeptType",
        path_examples=_OF_PATIENTS,
    ),
    "update": Operation(
        takes=(*_WRITING, "If-Match"),
        gives={
            200: fhir(
                "The new version.",
                written("StoredResource"),
                always=(*_VERSION, "Content-Location"),
                sometimes=_AFTER_WRITING,
            ),
            201: fhir(
                "It was deleted, and is back.",
                written("StoredResource"),
                always=(*_VERSION, "Location"),
                sometimes=_AFTER_WRITING,
            ),
        },
        refuses=(400, 404, 405, 409, 412, 422, 428, *_WITH_BODY, *_GUARDED),
        body=bodies.UPDATED,
        type_="KeptType",
        path_examples=_OF_PATIENTS,
    ),
    "delete": Operation(
        takes=(*_WRITING, "If-Match"),
        gives={
            200: fhir("Deleted, said in words.", ref("OperationOutcome"), sometimes=("ETag", *_AFTER_WRITING)),
            204: Answer(words="Deleted, or nothing was there.", sometimes=("ETag", *_AFTER_WRITING)),
        },
        refuses=(400, 404, 405, 412, 422, *_GUARDED),
        type_="KeptType",
    ),
    "own_keys": Operation(
        gives={200: _json("A JWK set (RFC 7517).", {"type": "object", "required": ["keys"]})}, refuses=(404,)
    ),
    "evidence": Operation(
        gives={
            200: Answer(
                words="The card, for people or for programs by Accept.",
                content={"text/html": {"type": "string"}, "application/json": ref("EvidenceCard")},
            )
        }
    ),
    "live": Operation(gives={200: _json("It answers.", ref("Health"))}),
    "ready": Operation(
        gives={
            200: _json("Database and queue answer.", ref("Health")),
            503: _json("One of them does not.", ref("Health")),
        }
    ),
    "metrics": Operation(
        gives={200: Answer(words="Prometheus' text.", content={"text/plain": {"type": "string"}})}, refuses=(503,)
    ),
}
