"""This file gives a report of ours in another language: `Accept-Language` (RFC 9110, 12.5.4; lookup of RFC 4647, 3.4).

What is stored is English and stays so, with its version and ETag. A reading in another language is computed again from
what the version rests on; where that is not possible, or would now answer anything differently, the stored words stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request, Response

from api.parts import Parts
from api.recomputed import NotRecomputable, RecomputedVersion, recompute_version
from correlation.catalogue import Knowledge
from correlation.words import BASE_LANGUAGE, lookup
from fhir_mappings.answer_changes import answers_in, moved_answers
from fhir_mappings.resource_json import dumps, loads
from store.reports import ReportResource, StoredReport

_SPOKEN = frozenset({"DiagnosticReport", "Observation"})
_SIGNED_BY_A_PERSON = ("status", "resultsInterpreter")


def language_of(request: Request, knowledge: Knowledge) -> str:
    """The language of ours that a request prefers; English where it names none of them."""
    for tag in _by_preference(request.headers.getlist("accept-language")):
        if tag == "*":
            return BASE_LANGUAGE
        found = lookup(tag, knowledge.in_languages)
        if found is not None:
            return found
    return BASE_LANGUAGE


def in_language(response: Response, language: str) -> Response:
    """The response with the headers that say which language it is in, and that another could be had."""
    response.headers["Content-Language"] = language
    response.headers.add_vary_header("Accept-Language")
    return response


def language_in(resource: Mapping[str, Any] | None) -> str:
    """The language that a resource, or the first one of a Bundle, says it is in."""
    if resource is not None and resource.get("resourceType") == "Bundle":
        resource = next((entry["resource"] for entry in resource.get("entry", ())), None)
    language = None if resource is None else resource.get("language")
    return language if isinstance(language, str) else BASE_LANGUAGE


def spoken(parts: Parts, report: StoredReport, *, language: str) -> StoredReport:
    """The report version in a language, its signature kept; as it is stored where it cannot be said again."""
    if language == BASE_LANGUAGE:
        return report
    try:
        found = recompute_version(
            parts.database, report.id, version=report.version, current=parts.knowledge, language=language
        )
    except NotRecomputable:
        return report
    if not _answers_the_same(found):
        return report
    now = {(one["resourceType"], one["id"]): one for one in found.resources_now}
    return replace(
        report, resources=tuple(_spoken_resource(one, now.get((one.type, one.id))) for one in report.resources)
    )


def _answers_the_same(found: RecomputedVersion) -> bool:
    return not moved_answers(answers_in(found.resources_then), answers_in(found.resources_now))


def _spoken_resource(stored: ReportResource, now: Mapping[str, Any] | None) -> ReportResource:
    if now is None or stored.type not in _SPOKEN:
        return stored
    kept = loads(stored.content)
    signature = {name: kept[name] for name in _SIGNED_BY_A_PERSON if name in kept}
    return replace(stored, content=dumps({**now, **signature}))


def _by_preference(headers: Iterable[str]) -> list[str]:
    """The tags of all headers, the most wanted first; what has no weight left is not wanted."""
    ranges = [one for header in headers for one in _ranges(header)]
    return [tag for tag, weight in sorted(ranges, key=lambda one: -one[1]) if weight > 0]


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for item in header.split(","):
        tag, *parameters = (part.strip() for part in item.split(";"))
        weights = [part[2:] for part in parameters if part[:2].lower() == "q="]
        if tag:
            yield tag, _weight(weights[0]) if weights else 1.0


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
