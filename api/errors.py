"""This file is the one table of what goes wrong at the door: exception, HTTP status, issue code, sentence.

An exception that is not in the table is a fault of ours: 500, a fixed sentence and the request id, nothing else. Texts
never hold a value from the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.access.errors import AnotherSite, IssuerAway, NotAuthenticated, NoToken, NotPermitted
from fhir_mappings.bundle import BundleRejected
from fhir_mappings.issues import Issue, operation_outcome
from fhir_mappings.resource_json import dumps, dumps_pretty
from store import errors as store_errors

MEDIA_TYPE = "application/fhir+json; fhirVersion=4.0; charset=utf-8"
_PATIENT_ELEMENTS = frozenset({"birthDate", "gender", "identifier"})


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
        self.issue = error_issue(code, detail=detail, text=text, expression=expression)
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table: what an exception of another room is answered with."""

    status: int
    code: str
    detail: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


_RETRY = {"Retry-After": "2"}
_CHALLENGE = 'Bearer realm="fillertrace"'  # RFC 6750 section 3
_SHOWN = 20  # expressions of one issue

# The first row whose exception fits counts; the narrower one stands before the wider.
TABLE: tuple[tuple[type[Exception], Row], ...] = (
    (
        NoToken,
        Row(
            status=401,
            code="login",
            detail="not-authenticated",
            text="Say who you are: send an access token in Authorization.",
            headers={"WWW-Authenticate": _CHALLENGE},
        ),
    ),
    (
        NotAuthenticated,
        Row(
            status=401,
            code="login",
            detail="not-authenticated",
            text="This access token is not good here, or no longer: ask the authorization server for a new one.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        ),
    ),
    (
        AnotherSite,
        Row(
            status=403,
            code="forbidden",
            detail="not-permitted",
            text="A page of another site may not ask here, nor one that calls this service by another name "
            "than that of FILLERTRACE_API_BASE_URL.",
        ),
    ),
    (
        NotPermitted,
        Row(
            status=403,
            code="forbidden",
            detail="not-permitted",
            text="This caller may not do this.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"'},
        ),
    ),
    (
        IssuerAway,
        Row(
            status=503,
            code="transient",
            detail="issuer-away",
            text="Who calls cannot be checked: the authorization server does not answer. Send the same request later.",
            headers={"Retry-After": "10"},
        ),
    ),
    (
        store_errors.OutOfBounds,
        Row(
            status=403,
            code="forbidden",
            detail="not-permitted",
            text="This would write farther than this caller may: a token for one patient writes to that patient's own "
            "record, and to nothing that several share. Nothing was stored.",
        ),
    ),
    (
        store_errors.KeyReused,
        Row(
            status=422,
            code="conflict",
            detail="idempotency-key-reused",
            text="This Idempotency-Key was used before with another body. Send a new key, or the earlier body.",
        ),
    ),
    (
        store_errors.PatientConflict,
        Row(
            status=422,
            code="conflict",
            detail="patient-conflict",
            text="This would mix two people: the patient named here contradicts the one on record under the same "
            "identifier, address or id. Nothing was stored. Check identifier, birthDate and gender in both systems.",
        ),
    ),
    (
        store_errors.NoMatch,
        Row(
            status=412,
            code="not-found",
            detail="no-match",
            text="This reference is a search, and nothing that is kept here fits it: send the resource first, or in "
            "the same transaction. Nothing was stored.",
        ),
    ),
    (
        store_errors.SeveralMatches,
        Row(
            status=412,
            code="multiple-matches",
            detail="several-matches",
            text="More than one resource fits this condition: ask for an identifier that only one has, or name the "
            "resource by its id. Nothing was stored.",
        ),
    ),
    (
        store_errors.IdentityOverlap,
        Row(
            status=400,
            code="duplicate",
            detail="same-identity",
            text="These entries of the transaction are about the same resource: a transaction changes each only once. "
            "Nothing was stored.",
        ),
    ),
    (
        store_errors.Gone,
        Row(status=410, code="deleted", detail="gone", text="It was deleted. Its earlier versions are in its history."),
    ),
    (
        store_errors.NotFound,
        Row(
            status=404,
            code="not-found",
            detail="not-found",
            text="There is nothing under this id here. Take ids from our answers, not from the source system.",
        ),
    ),
    (
        store_errors.VersionConflict,
        Row(
            status=412,
            code="conflict",
            detail="version-conflict",
            text="If-Match does not name the current version. Read the resource again and repeat the change on it.",
        ),
    ),
    (
        store_errors.AlreadyFinished,
        Row(
            status=409,
            code="conflict",
            detail="already-finished",
            text="It has reached an end from which this step is not possible. Read it again to see its status.",
        ),
    ),
    (
        store_errors.Busy,
        Row(
            status=503,
            code="transient",
            detail="busy",
            text="The record is busy. Send the same request again in a few seconds.",
            headers=_RETRY,
        ),
    ),
)

_HTTP_TEXTS: Mapping[int, tuple[str, str, str]] = {
    400: ("invalid", "invalid-request", "The request cannot be read as HTTP for this address."),
    404: ("not-found", "unknown-address", "There is nothing at this address. See the CapabilityStatement at metadata."),
    405: (
        "not-supported",
        "method-not-allowed",
        "This address does not take this method; Allow names the ones it takes.",
    ),
}


def error_issue(code: str, *, detail: str, text: str, expression: Sequence[str] = ()) -> Issue:
    """One issue of severity error."""
    return Issue(severity="error", code=code, detail=detail, text=text, expression=tuple(expression))


def outcome_response(
    status: int, *, issues: Sequence[Issue], headers: Mapping[str, str] | None = None, pretty: bool = False
) -> Response:
    """An OperationOutcome as an HTTP answer; `pretty` for eyes."""
    outcome = operation_outcome(issues)
    body = dumps_pretty(outcome) if pretty else dumps(outcome)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def fault_response(request_id: str) -> Response:
    """The answer to a fault of ours: it says nothing but where to look."""
    text = f"Something went wrong on our side; it is in the log under request {request_id}. Nothing half done was kept."
    return outcome_response(500, issues=[error_issue("exception", detail="fault", text=text)])


def issues_of(fault: Exception) -> tuple[int, Sequence[Issue], Mapping[str, str]] | None:
    """Status, issues and headers for an exception of the table, None for one that is not in it."""
    if isinstance(fault, RequestRefused):
        return fault.status, [fault.issue], fault.headers
    if isinstance(fault, BundleRejected):
        return fault.status, fault.issues, {}
    for kind, row in TABLE:
        if isinstance(fault, kind):
            issue = error_issue(row.code, detail=row.detail, text=row.text, expression=_expression(fault))
            headers = dict(row.headers)
            if isinstance(fault, store_errors.VersionConflict):
                headers["ETag"] = f'W/"{fault.current}"'
            return row.status, [issue], headers
    return None


def add_error_answers(app: FastAPI) -> None:
    """Let the application answer every exception of the table, and Starlette's own, with an OperationOutcome."""

    def answer(request: Request, fault: Exception) -> Response:
        found = issues_of(fault)
        if found is None:
            raise fault
        status, issues, headers = found
        return outcome_response(status, issues=issues, headers=headers, pretty=_is_pretty(request))

    for kind in (RequestRefused, BundleRejected, *(kind for kind, _ in TABLE)):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_unreadable)


def _answer_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    status, headers = fault.status_code, dict(fault.headers or {})
    if status == 405:
        methods = request.app.state.methods_at(request.url.path)
        headers["Allow"] = ", ".join(sorted(methods))
        if not methods:  # an address of a type that is not kept fits the route that all types share
            status, headers = 404, {}
    code, detail, text = _HTTP_TEXTS.get(status, ("processing", "invalid-request", "The request was refused."))
    issue = error_issue(code, detail=detail, text=text)
    return outcome_response(status, issues=[issue], headers=headers, pretty=_is_pretty(request))


def _is_pretty(request: Request) -> bool:
    return request.query_params.get("_pretty") == "true"


def _answer_unreadable(request: Request, fault: Exception) -> Response:
    code, detail, text = _HTTP_TEXTS[400]
    return outcome_response(400, issues=[error_issue(code, detail=detail, text=text)])


def _expression(fault: Exception) -> Sequence[str]:
    """The FHIRPath of the element at fault, as far as the exception names it."""
    if isinstance(fault, store_errors.ConditionNotMet):
        every = (one for one in (fault, *fault.others) if type(one) is type(fault))
        return tuple(f"Bundle.entry[{one.entry_index}].{one.element}" for one in every)[:_SHOWN]
    if isinstance(fault, NotPermitted):
        return fault.expression[:_SHOWN]
    if isinstance(fault, store_errors.OutOfBounds):
        return tuple(f"Bundle.entry[{index}]" for index in fault.entry_indexes)[:_SHOWN]
    if isinstance(fault, store_errors.IdentityOverlap):
        return tuple(f"Bundle.entry[{index}].request" for index in fault.entry_indexes)
    if not isinstance(fault, store_errors.PatientConflict):
        return ()
    if fault.entry_index is None:
        return ("Bundle",)
    resource = f"Bundle.entry[{fault.entry_index}].resource"
    return (f"{resource}.{fault.element}",) if fault.element in _PATIENT_ELEMENTS else (resource,)
