"""This file finds what comes along with the resources of a search: `_include` and `_revinclude`.

FHIR R4 https://hl7.org/fhir/R4/search.html#include
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.access.sight import Sight
from api.seen_reports import finds_made
from fhir_mappings.elements import mapping, string
from fhir_mappings.references import without_version
from fhir_mappings.resource_json import loads
from fhir_mappings.search_parameters import parameter
from fhir_mappings.search_query import MOST, Include, SearchRequest
from fhir_mappings.search_values import values_at
from store import search
from store.search import Found, Query
from store.search_criteria import HasToken, OfPatient

_ROUNDS = 5  # of :iterate; deeper than any chain of references that says something
Shown = tuple[Found, Mapping[str, Any]]


def included(sight: Sight, request: SearchRequest, matches: Iterable[Shown]) -> list[Found]:
    """The resources that come along, each once and none that was found itself, seen by the caller or not."""
    shown = list(matches)
    seen = {found.id for found, _ in shown}
    every: list[Found] = []
    for round_ in range(_ROUNDS):
        wanted = [one for one in request.includes if round_ == 0 or one.iterate]
        ids = {identity for pair in shown for identity in _referred(pair, wanted, sight.base)} - seen
        found = [
            one for key, one in search.by_ids(sight.parts.database, {key.rpartition("/")[2] for key in ids}).items()
        ]
        found = [one for one in found if f"{one.type}/{one.id}" in ids and one.id not in seen]
        found = [one for one in found if not one.made or finds_made(sight, one.type)]
        if round_ == 0:
            found += [one for one in _referring(sight, request, shown) if one.id not in seen]
        fresh = {one.id: one for one in found}
        every += fresh.values()
        seen |= fresh.keys()
        if not fresh or not any(one.iterate for one in request.includes):
            break
        shown = [(one, _content(one)) for one in fresh.values()]
    return every


def _referred(pair: Shown, includes: Iterable[Include], base: str) -> Iterator[str]:
    """`Type/id` of what one resource refers to in the ways that were asked for."""
    found, content = pair
    for include in includes:
        known = parameter(found.type, include.name) if include.source in (None, found.type) else None
        if known is None:
            continue
        for value in values_at(dict(content), known.path):
            text = without_version(string(mapping(value).get("reference"))).removeprefix(f"{base}/")
            type_, _, identity = text.partition("/")
            if identity and "/" not in identity and include.target in (None, type_):
                yield text


def _referring(sight: Sight, request: SearchRequest, shown: Iterable[Shown]) -> Iterator[Found]:
    matches = [found for found, _ in shown]
    for include in request.revincludes:
        source = include.source or request.type
        names = tuple(f"{one.type}/{one.id}" for one in matches)
        people = tuple(one for one in names if one.startswith("Patient/"))
        criterion = (
            HasToken(parameter=f"{source}.{include.name}", choices=tuple(("", name) for name in names))
            if include.name == "target"
            else OfPatient(choices=people)
        )
        if names and (people or include.name == "target"):
            query = Query(type=source, criteria=(criterion,), limit=MOST, made=finds_made(sight, source))
            yield from search.search(sight.parts.database, query, with_total=False).found


def _content(found: Found) -> Mapping[str, Any]:
    content: Mapping[str, Any] = loads(found.content)
    return content
