"""This file looks at the `request` of each entry of a transaction or batch: what cannot be done is refused, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from api.errors import error_issue, issues_of
from fhir_mappings.bundle import ParsedBundle, ParsedEntry
from fhir_mappings.issues import Issue
from fhir_mappings.own_output import is_own_output
from store.errors import PatientConflict, VersionConflict
from store.incoming import Deletion

_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_TYPE_AND_ID = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})")
_WRITES = frozenset({"POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRefusal:
    """Why one entry is not done: the HTTP status it would have had alone, and the issue."""

    status: str
    issue: Issue

    @classmethod
    def of_conflict(cls, conflict: PatientConflict | VersionConflict, *, index: int) -> Self:
        """The refusal of an entry that would mix two people, or that names another version."""
        found = issues_of(conflict)
        assert found is not None
        status, (issue, *_), _ = found
        named = error_issue(
            issue.code, detail=issue.detail, text=issue.text, expression=(f"Bundle.entry[{index}].resource",)
        )
        words = "Precondition Failed" if status == 412 else "Unprocessable Entity"
        return cls(status=f"{status} {words}", issue=named)


def refusals_of(bundle: ParsedBundle) -> Mapping[int, EntryRefusal]:
    """The entries that cannot be done, by their index."""
    found = {entry.index: _refusal(entry) for entry in bundle.entries}
    return {index: refusal for index, refusal in found.items() if refusal is not None}


def deletions_of(bundle: ParsedBundle) -> Sequence[Deletion]:
    """The entries that delete."""
    return [
        Deletion(type=target[1], id=target[2], if_match=_version(entry.if_match), entry_index=entry.index)
        for entry in bundle.entries
        if entry.method == "DELETE" and (target := _TYPE_AND_ID.fullmatch(entry.url or ""))
    ]


def _refusal(entry: ParsedEntry) -> EntryRefusal | None:
    path = f"Bundle.entry[{entry.index}]"
    if entry.method is None or entry.url is None:
        return _bad(
            "required",
            "no-request",
            "Say what to do with this entry: request.method and request.url.",
            f"{path}.request",
        )
    if entry.method == "DELETE":
        if _TYPE_AND_ID.fullmatch(entry.url):
            return None
        return _bad(
            "not-supported", "not-offered", "Delete by Type/id; by a search it is not offered.", f"{path}.request.url"
        )
    if entry.method not in _WRITES:
        return _bad(
            "not-supported",
            "not-offered",
            "Here POST, PUT and DELETE are done. Read and search with requests of their own.",
            f"{path}.request.method",
        )
    if entry.resource is None:
        return _bad("required", "no-resource", "This entry writes, so it needs a resource.", f"{path}.resource")
    return _refused_write(entry, path)


def _refused_write(entry: ParsedEntry, path: str) -> EntryRefusal | None:
    assert entry.url is not None
    named = (_TYPE if entry.method == "POST" else _TYPE_AND_ID).fullmatch(entry.url)
    if named is None:
        text = "Write request.url as Type for POST and as Type/id for PUT."
        return _bad("value", "invalid-element", text, f"{path}.request.url")
    if named.group(0 if entry.method == "POST" else 1) != entry.type:
        text = "request.url and resource.resourceType name different types: make them the same."
        return _bad("value", "invalid-element", text, f"{path}.request.url")
    if entry.method == "PUT" and entry.resource is not None and is_own_output(entry.resource):
        text = "What Fillertrace made is not changed here. Reports are signed by PUT DiagnosticReport/id with If-Match."
        return _bad("not-supported", "own-output", text, f"{path}.resource")
    return None


def _bad(code: str, detail: str, text: str, path: str) -> EntryRefusal:
    return EntryRefusal(status="400 Bad Request", issue=error_issue(code, detail=detail, text=text, expression=(path,)))


def _version(if_match: str | None) -> int | None:
    digits = (if_match or "").strip().removeprefix("W/").strip('"')
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
