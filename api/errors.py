"""This file is the one table of what goes wrong at the door: exception, HTTP status, issue code, sentence.

An exception that is not in the table is a fault of ours: 500, a fixed sentence and the request id, nothing else. Texts
never hold a value from the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.access.errors import NotAuthenticated, NotPermitted
from fhir_mappings.bundle import BundleRejected
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.resource_json import dumps
from store.errors import Busy, KeyReused, NotFound, PatientConflict


class RequestRefused(Exception):
    """A request that is answered with an OperationOutcome of one issue.

    `code` is FHIR's issue type, `detail` our own code (docs/issues.md), `text` says how to mend it, `expression` is the
    FHIRPath of the element at fault, `headers` go out with the answer.
    """

    def __init__(
        self,
        status: int,
        *,
        code: str,
        detail: str,
        text: str,
        expression: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.issue = Issue(severity="error", code=code, detail=detail, text=text, expression=tuple(expression))
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    status: int
    code: str
    detail: str
    text: str
    headers: Mapping[str, str]
