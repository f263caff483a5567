"""This file turns what FHIR says of searching into what the record keeps and is asked: values, criteria, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from fhir_mappings.resource_json import dumps, loads
from fhir_mappings.search_dates import Span
from fhir_mappings.search_query import Asked, BadParameter, SearchRequest, read_search, shown_name
from fhir_mappings.search_values import SearchValues as FoundValues
from fhir_mappings.search_values import search_values
from store import search_filling
from store.database import Database
from store.reports import ReportResource
from store.search_criteria import (
    BeginsWith,
    Changed,
    Criterion,
    HasDate,
    HasId,
    HasToken,
    OfPatient,
    Prefix,
    SearchSpan,
    SearchValues,
)


class ConditionRefused(Exception):
    """A search that stands as a condition and cannot be asked. `text` says how to mend it; it holds no value."""

    def __init__(self, text: str) -> None:
        super().__init__("a condition cannot be asked")
        self.text = text


def criteria_from(request: SearchRequest, *, base: str) -> tuple[Criterion, ...]:
    """What the record is asked. Addresses on this server mean our ids."""
    return tuple(_criterion(asked, base) for asked in request.asked)


def condition_from(type_: str, query: str, *, base: str) -> tuple[Criterion, ...]:
    """The criteria of If-None-Exist or of a reference that is a search. Raises ConditionRefused.

    Here nothing may be left out: a condition that is understood by half finds too much.
    """
    try:
        request = read_search(type_, parse_qsl(query.rpartition("?")[2], keep_blank_values=True))
    except BadParameter as bad:
        raise ConditionRefused(bad.text) from None
    if request.unknown:
        name = shown_name(request.unknown[0])
        raise ConditionRefused(f"The condition uses {name}, by which {type_} is not searched here: leave it out.")
    if not request.asked:
        raise ConditionRefused("The condition names nothing to search by: write parameter=value, as in a search.")
    return criteria_from(request, base=base)


def values_from(found: FoundValues) -> SearchValues:
    """By what a resource is searched, as the record keeps it."""
    span = None if found.span is None else _span(found.span)
    return SearchValues(tokens=found.tokens, references=found.references, span=span)


def report_resource(content: Mapping[str, Any]) -> ReportResource:
    """A resource of a report as the record keeps it."""
    return ReportResource(
        type=content["resourceType"],
        id=content["id"],
        content=dumps(content),
        search=values_from(search_values(dict(content))),
    )


def complete_index(database: Database) -> int:
    """Let searches find what was kept by a release that had none; the number of resources that were missing."""
    count = 0
    while missing := search_filling.not_indexed(database):
        found = [(one, values_from(search_values({**loads(one.content), "id": one.id}))) for one in missing]
        search_filling.fill(database, found)
        count += len(found)
    return count


def _criterion(asked: Asked, base: str) -> Criterion:
    if asked.ids:
        return HasId(choices=asked.ids)
    if asked.patients:
        return OfPatient(choices=tuple(one.removeprefix(f"{base}/") for one in asked.patients))
    if asked.words:
        return BeginsWith(parameter=asked.key, choices=asked.words)
    if asked.name == "_lastUpdated":
        return Changed(
            choices=tuple((Prefix(prefix), _moment(one.begins), _moment(one.ends)) for prefix, one in asked.dates)
        )
    if asked.dates:
        return HasDate(choices=tuple((Prefix(prefix), _span(one), not one.timed) for prefix, one in asked.dates))
    tokens = tuple((system, value and value.removeprefix(f"{base}/")) for system, value in asked.tokens)
    return HasToken(parameter=asked.key, choices=tokens)


def _span(span: Span) -> SearchSpan:
    return SearchSpan(**span.ends_as_text())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
