"""This file gives an answer the form that was asked for: `_pretty`, `_summary`, `_elements`.

FHIR R4 https://hl7.org/fhir/R4/http.html#parameters. One function for a resource, a version, a search and a history:
in a Bundle it is the resources of the entries that are cut, not the Bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from api.errors import RequestRefused
from fhir_mappings import subset
from fhir_mappings.elements import mapping
from fhir_mappings.resource_json import dumps, dumps_pretty, loads

ABOUT_ANSWERS: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""The parameters that say how an answer is to look; every address takes them, and no search is narrowed by them."""

_SUMMARIES: Final = frozenset({"true", "text", "data", "count", "false"})
_MANY: Final = frozenset({"searchset", "history"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How an answer is to look: `summary` is `true`, `text`, `data`, `count` or None; no `elements` means all."""

    pretty: bool = False
    summary: str | None = None
    elements: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether nothing is to be left out."""
        return self.summary is None and not self.elements

    @property
    def plain(self) -> bool:
        """Whether the bytes can go out as they are."""
        return self.whole and not self.pretty


PLAIN: Final = Form()


def form_of(request: Request) -> Form:
    """The form that the query of a request asks for. Raises RequestRefused (400) for a value that has no meaning."""
    return form_from(request.query_params.multi_items())


def form_from(parameters: Iterable[tuple[str, str]]) -> Form:
    """The same from names and values, such as those of a `_search` body."""
    named: dict[str, list[str]] = {}
    for name, value in parameters:
        if name in ABOUT_ANSWERS and value:
            named.setdefault(name, []).append(value)
    if not named:
        return PLAIN
    pretty = named.get("_pretty", ["false"])[-1]
    summary = named.get("_summary", ["false"])[-1]
    if pretty not in {"true", "false"}:
        raise parameter_refused("_pretty is true or false.")
    if summary not in _SUMMARIES:
        raise parameter_refused("_summary is true, text, data, count or false.")
    elements = {part.strip() for value in named.get("_elements", ()) for part in value.split(",")}
    return Form(
        pretty=pretty == "true",
        summary=None if summary == "false" else summary,
        elements=frozenset(elements - {""}),
    )


def represented(content: Mapping[str, Any] | bytes, *, form: Form) -> bytes:
    """A resource or Bundle as the bytes that go out. What needs no change is not even read."""
    if form.plain:
        return content if isinstance(content, bytes) else dumps(content)
    resource: Mapping[str, Any] = loads(content) if isinstance(content, bytes) else content
    shown = resource if form.whole else _cut(resource, form)
    return dumps_pretty(shown) if form.pretty else dumps(shown)


def _cut(resource: Mapping[str, Any], form: Form) -> Mapping[str, Any]:
    if resource.get("resourceType") != "Bundle":
        if form.summary == "count":
            raise parameter_refused("_summary=count counts what a search or history finds; here is one resource.")
        return _part(resource, form)
    if resource.get("type") not in _MANY:
        return resource
    if form.summary == "count":
        return {name: value for name, value in resource.items() if name != "entry"}
    entries = [_cut_entry(entry, form) for entry in resource.get("entry", ())]
    return {**resource, **({"entry": entries} if entries else {})}


def _cut_entry(entry: Mapping[str, Any], form: Form) -> Mapping[str, Any]:
    """`_elements` is about what was searched for: what came along by `_include` stays whole."""
    included = mapping(entry.get("search")).get("mode") not in {None, "match"}
    if "resource" not in entry or (included and form.summary is None):
        return entry
    return {**entry, "resource": _part(entry["resource"], form)}


def _part(resource: Mapping[str, Any], form: Form) -> Mapping[str, Any]:
    if not subset.can_be_subsetted(resource):
        return resource
    part: Mapping[str, Any] = resource
    if form.summary == "true":
        part = subset.summary_of(part)
    elif form.summary == "text":
        part = subset.text_of(part)
    elif form.summary == "data":
        part = subset.data_of(part)
    return subset.only(part, form.elements) if form.elements else part


def parameter_refused(text: str) -> RequestRefused:
    """400 for a parameter whose value has no meaning; `text` says which values have one."""
    return RequestRefused(400, code="value", detail="invalid-parameter", text=text)
