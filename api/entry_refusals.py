"""This file says why one entry of a transaction or batch is not done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

from api.errors import error_issue, issues_of
from fhir_mappings.issues import Issue
from store.errors import StoreError, VersionConflict


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRefusal:
    """Why one entry is not done: the HTTP status it would have had alone, and the issue."""

    status: str
    issue: Issue

    @classmethod
    def of(cls, code: str, *, detail: str, text: str, path: str, status: int = 400) -> Self:
        """A refusal with an issue that names the element at fault."""
        issue = error_issue(code, detail=detail, text=text, expression=(path,))
        return cls(status=status_line(status), issue=issue)

    @classmethod
    def of_conflict(cls, conflict: StoreError, *, index: int) -> Self:
        """The refusal of an entry that names another version, mixes two people, or has a condition that is not met."""
        found = issues_of(conflict)
        assert found is not None
        status, (issue, *_), _ = found
        path = f"Bundle.entry[{index}]"
        where = f"{path}.request.ifMatch" if isinstance(conflict, VersionConflict) else f"{path}.resource"
        named = tuple(one for one in issue.expression if one.startswith(f"{path}."))
        return cls(status=status_line(status), issue=replace(issue, expression=named or (where,)))


def status_line(status: int) -> str:
    """A status as `Bundle.entry.response.status` has it.

    >>> status_line(412)
    '412 Precondition Failed'
    """
    return f"{status} {HTTPStatus(status).phrase}"
