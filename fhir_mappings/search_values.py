"""This file finds in a resource what it is searched by: tokens, words, references, and the span of its date.

The record keeps these beside the resource, so that it can answer a search without reading FHIR.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from fhir_mappings.elements import objects, string
from fhir_mappings.references import without_version
from fhir_mappings.search_dates import Span, span_in
from fhir_mappings.search_parameters import SearchParameter, parameters_of
from fhir_mappings.security_labels import confidentialities

CONFIDENTIALITY: Final = ":confidentiality"
"""The parameter, which no client can name, by which what a label hides is left out of a search."""
_LONGEST = 500
_NAME_PARTS = ("family", "given", "prefix", "suffix", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchValues:
    """What a resource is searched by.

    `tokens` are (parameter, system, value), `references` (parameter, reference as it stands in the resource), each
    parameter written `Type.name`. `span` is that of the one date by which its type is searched.
    """

    tokens: tuple[tuple[str, str, str], ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    span: Span | None = None


def search_values(resource: dict[str, Any]) -> SearchValues:
    """What this resource is searched by. What is not as FHIR has it is not found, and never an error."""
    type_ = string(resource.get("resourceType"))
    tokens = {(CONFIDENTIALITY, "", code): None for code in confidentialities(resource)}
    references: list[tuple[str, str]] = []
    span: Span | None = None
    for key, parameter in _searched(type_):
        if parameter.path[0] not in resource and parameter.kind != "date":
            continue
        if parameter.kind == "date":
            span = span_in(resource, parameter.path)
            continue
        for value in values_at(resource, parameter.path):
            if parameter.kind == "token":
                for system, code in _tokens(value):
                    tokens[key, system, code] = None
            elif parameter.kind == "string":
                for word in _words(value):
                    tokens[key, "", word] = None
            elif isinstance(value, dict) and _is_searched(key, text := string(value.get("reference"))):
                references.append((key, without_version(text)))
    return SearchValues(tokens=tuple(tokens), references=tuple(references), span=span)


@cache
def _searched(type_: str) -> tuple[tuple[str, SearchParameter], ...]:
    return tuple((f"{type_}.{one.name}", one) for one in parameters_of(type_) if one.searched)


def values_at(resource: dict[str, Any], path: tuple[str, ...]) -> list[Any]:
    """The values at a path, those of lists one by one."""
    found: list[Any] = [resource]
    for step in path:
        children = [parent.get(step) for parent in found if isinstance(parent, dict)]
        found = []
        for child in children:
            if isinstance(child, list):
                found += child
            elif child is not None:
                found.append(child)
    return found


@lru_cache(maxsize=1024)
def folded(text: str) -> str:
    """Words as names are compared: small letters, no accents.

    >>> folded("  Muñoz ")
    'munoz'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in plain if not unicodedata.combining(one)).strip()


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    """System and value of a code, a boolean, a Coding, a CodeableConcept or an Identifier."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", _fitting(value)
    elif isinstance(value, dict):
        for one in objects(value["coding"]) if "coding" in value else (value,):
            code = string(one.get("code")) or string(one.get("value"))
            if code:
                yield _fitting(string(one.get("system"))), _fitting(code)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _fitting(folded(value))
    elif isinstance(value, dict):
        for part in _NAME_PARTS:
            for word in values_at(value, (part,)):
                if isinstance(word, str) and word.strip():
                    yield _fitting(folded(word))


def _fitting(text: str) -> str:
    """As long as an index takes it, without what a database cannot keep (NUL, halves of surrogate pairs)."""
    short = text.strip()[:_LONGEST]
    if short.isascii() and "\0" not in short:
        return short
    return short.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _is_searched(key: str, reference: str) -> bool:
    """Whether a reference is searched by as it stands. Whose a resource is, the record knows better than it does."""
    if not reference or reference.startswith("#") or _fitting(reference) != reference:
        return False
    if key.endswith(".patient"):
        return False
    return not key.endswith(".subject") or not ("Patient" in reference or reference.startswith("urn:"))
