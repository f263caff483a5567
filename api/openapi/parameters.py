"""This file names the parameters of all addresses for the OpenAPI document: in the path, the query and the headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.openapi.schemas import ID
from fhir_mappings.capability import CONFORMANCE_SEARCH
from fhir_mappings.search_parameters import EVERYWHERE, parameters_of, searched_types
from fhir_mappings.search_query import MOST, USUAL_COUNT

_TEXT: Final = {"type": "string"}
_DATE: Final = {
    "type": "string",
    "pattern": r"^(eq|ne|gt|lt|ge|le|sa|eb)?[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|1[0-9]|2[0-8]))?)?$",
}
_COUNT: Final = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_SCHEMAS: Final = {"token": _TEXT, "string": _TEXT, "reference": _TEXT, "uri": _TEXT, "date": _DATE}

ABOUT_ANSWER: Final = ("_format", "_pretty", "_summary", "_elements")
"""What most answers take."""

_QUERY: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "_format": (
        "The form of the answer; wins over Accept. Only JSON is spoken.",
        {"enum": ["json", "application/fhir+json", "application/json", "text/json"]},
    ),
    "_pretty": ("`true`: one member a line.", {"enum": ["true", "false"]}),
    "_summary": (
        "Which part of the resources is shown; `count` for a search or history alone.",
        {"enum": ["true", "text", "data", "count", "false"]},
    ),
    "_elements": ("The elements that are shown, by commas.", _TEXT),
    "_outputFormat": (
        "Asks for an asynchronous answer as files (the manifest of FHIR R4).",
        {"enum": ["application/fhir+ndjson", "application/ndjson", "ndjson"]},
    ),
    "_count": (f"How many on one page, at most {MOST}; {USUAL_COUNT} where nothing is said.", _COUNT),
    "_since": ("Versions from this instant on.", {"type": "string", "format": "date-time"}),
    "below": ("Of a `next` link: versions below this one.", _COUNT),
    "_page": ("Of a `next` link: where this page begins.", _TEXT),
    "_sort": ("`_lastUpdated` or the date of the type; `-` before it for newest first.", _TEXT),
    "_total": (
        "Whether the number of all matches is wanted.",
        {"enum": ["none", "estimate", "accurate"]},
    ),
    "_include": ("Type:parameter whose targets come along.", _TEXT),
    "_revinclude": ("Type:parameter whose referring resources come along.", _TEXT),
    "mode": ("As the parameter of the same name in the body.", {"enum": ["create", "update", "delete", "profile"]}),
    "profile": ("As the parameter of the same name in the body.", _TEXT),
}

_HEADERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "Accept-Language": ("The language of the words in our own reports, such as en or es.", _TEXT),
    "Idempotency-Key": (
        "The same key and body give the same answer; the same key with another body is 422.",
        {"type": "string", "maxLength": 255},
    ),
    "If-Match": ('The version that is changed, as `W/"1"`.', _TEXT),
    "If-Modified-Since": ("304 where nothing is newer; without If-None-Match only.", _TEXT),
    "If-None-Exist": ("Create only where this search finds nothing.", _TEXT),
    "If-None-Match": ("304 where it names the current version.", _TEXT),
    "Prefer": (
        "`return=minimal|representation|OperationOutcome`, `handling=strict|lenient`, `respond-async`, `wait=seconds`, "
        "`async-result=redirect`, `separate-export-status`: those that mean something here.",
        _TEXT,
    ),
}

_PATH: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "artefact_id": ("The id of one of our conformance artefacts.", ID),
    "name": ("A type and .ndjson, as the manifest names it.", {"type": "string", "pattern": r"^[A-Za-z]+\.ndjson$"}),
    "patient_id": ("Our id of the patient.", ID),
    "report_id": ("Our id of the report.", ID),
    "resource_id": ("Our id of the resource.", ID),
    "status_id": ("The last part of the address in Content-Location.", ID),
    "task_id": ("The id of the job.", ID),
    "version": ("The version, as meta.versionId names it.", {"type": "string", "pattern": r"^[0-9]{1,9}$"}),
}

SEARCH: Final = ("_count", "_sort", "_total", "_include", "_revinclude", "_page")
"""What every search takes beside the parameters that narrow it."""


def path_parameter(name: str, *, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A part of the address; `schema` where it depends on the route."""
    words, usual = _PATH.get(name, ("The type of the resource.", _TEXT))
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema or usual}


def parameter(name: str) -> dict[str, Any]:
    """A parameter of the query or a header, by its name."""
    if name in _HEADERS:
        words, schema = _HEADERS[name]
        return {"name": name, "in": "header", "description": words, "schema": schema}
    words, schema = _QUERY[name]
    return {"name": name, "in": "query", "description": words, "schema": schema}


def search_parameters() -> list[dict[str, Any]]:
    """What a search of a type is narrowed by: the table that the CapabilityStatement is made of, over all types."""
    return [*map(_narrowing, _kinds()), *map(parameter, SEARCH)]


def search_fields() -> dict[str, Any]:
    """The same as the fields of a form."""
    return {one["name"]: one["schema"] for one in search_parameters()}


def artefact_search() -> list[dict[str, Any]]:
    """What our conformance artefacts are searched by."""
    return [
        {"name": name, "in": "query", "description": f"FHIR's {kind}.", "schema": _SCHEMAS[kind]}
        for name, kind in CONFORMANCE_SEARCH
    ]


def _kinds() -> dict[str, tuple[str, list[str]]]:
    """By name: FHIR's type of the parameter, and the resource types that are searched by it; none for all of them."""
    found: dict[str, tuple[str, list[str]]] = {name: (kind, []) for name, kind in EVERYWHERE}
    for type_ in sorted(searched_types()):
        for one in parameters_of(type_):
            if one.searched:
                found.setdefault(one.name, (one.kind, []))[1].append(type_)
    return found


def _narrowing(name: str) -> dict[str, Any]:
    kind, types = _kinds()[name]
    of = f"of {', '.join(types)}" if types else "of every type"
    return {
        "name": name,
        "in": "query",
        "description": f"FHIR's {kind} {of}. A comma means or, a repetition means and.",
        "schema": {"type": "array", "items": _SCHEMAS[kind]},
    }
