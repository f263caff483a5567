"""This file answers the entries of a transaction or batch that read: GET and HEAD, one resource or a search.

They come last, so they see what the others have done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.access.errors import NotPermitted
from api.access.sight import Sight
from api.entry_checks import plain_url, query_of, read_wanted, search_wanted
from api.entry_refusals import status_line
from api.errors import RequestRefused, issues_of
from api.resources import find, note_read
from api.search import note_found, searchset, understood
from fhir_mappings.bundle import ParsedEntry
from fhir_mappings.etags import etag
from fhir_mappings.issues import operation_outcome
from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads
from store.errors import StoreError


def answers_of(sight: Sight, entries: Sequence[ParsedEntry]) -> Mapping[int, dict[str, Any]]:
    """The entries of the answer for the entries that read, by their index."""
    return {entry.index: _answer(sight, entry) for entry in entries if entry.method in {"GET", "HEAD"} and entry.url}


def _answer(sight: Sight, entry: ParsedEntry) -> dict[str, Any]:
    url = plain_url(entry, sight.base)
    read, asked = read_wanted(url), search_wanted(url)
    try:
        if read is not None:
            answer = _read(sight, *read)
        elif asked is not None:
            answer = _searched(sight, *asked)
        else:
            return {"response": {"status": status_line(404)}}
    except (StoreError, RequestRefused, NotPermitted) as fault:
        return _failed(fault)
    if entry.method == "HEAD":
        answer.pop("resource")
    return answer


def _read(sight: Sight, type_: str, identity: str, version: int | None) -> dict[str, Any]:
    found = find(sight, type_, identity, version=version)
    note_read(sight, type_=type_, identity=identity, patient_id=found.patient_id)
    content = found.content
    return {
        "fullUrl": f"{sight.base}/{type_}/{identity}",
        "resource": loads(content) if isinstance(content, bytes) else content,
        "response": {
            "status": status_line(200),
            "etag": etag(found.version),
            "lastModified": instant(found.modified),
        },
    }


def _searched(sight: Sight, type_: str, query: str) -> dict[str, Any]:
    parameters: Sequence[tuple[str, str]] = query_of(query)
    bundle, found = searchset(sight, understood(type_, parameters, strict=False), cursor=dict(parameters).get("_page"))
    note_found(sight, found)
    return {"resource": bundle, "response": {"status": status_line(200)}}


def _failed(fault: Exception) -> dict[str, Any]:
    named = issues_of(fault)
    assert named is not None
    status, issues, _ = named
    return {"response": {"status": status_line(status), "outcome": operation_outcome(issues)}}
