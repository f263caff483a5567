"""This file signs and withdraws a report of ours: `PUT DiagnosticReport/{id}` with `If-Match` (contract, section 5).

What a person may change is decided in signing.py.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from api.access.errors import NotPermitted
from api.access.sight import Sight
from api.answers import fhir_response, version_headers
from api.content import preferences_of
from api.errors import RequestRefused
from api.parts import Parts, log_ids
from api.representation import form_of
from api.returning import returned
from api.seen_reports import seen_report, sees_whole
from api.signing import may_sign, read_sign_off, signed_resources
from api.spoken import language_in, spoken
from api.stored_form import as_read
from fhir_mappings.etags import versions_named
from fhir_mappings.resource_json import NotJson, TooDeep, read_json
from store import report_search, reports
from store.errors import VersionConflict
from store.reports import FINAL, StoredReport


def sign_off(request: Request, sight: Sight, *, report_id: str, body: bytes) -> Response:
    """Status `final` with resultsInterpreter signs, `entered-in-error` withdraws; If-Match names the version read.

    Only for a practitioner who sees the whole report: NotPermitted otherwise, NotFound for who does not see it.
    """
    parts, caller = sight.parts, sight.caller
    current = report_search.read(parts.database, report_id)
    seen_report(sight, current)  # to who may not see it, it is not there
    if not may_sign(caller) or not sees_whole(sight, current):
        raise NotPermitted
    wanted = _body(body, parts, report_id)
    expected = _expected_version(request)
    if expected != current.version:
        raise VersionConflict("DiagnosticReport", report_id, current=current.version)
    # What was read in another language is compared with those words; the version that is signed stays the stored one.
    read = spoken(parts, current, language=parts.knowledge.in_language(language_in(wanted)).words.code)
    sign = read_sign_off(wanted, report=read)
    now = parts.clock()
    keep = reports.sign if sign.status == FINAL else reports.withdraw
    version = keep(
        parts.database,
        report_id,
        expected_version=current.version,
        resources=signed_resources(current, sign_off=sign, caller=caller, now=now),
        caller_id=caller.identity,
        now=now,
        write_back_to=parts.write_back_to,
    )
    log_ids(request, type="DiagnosticReport", id=report_id, version=version)
    written = report_search.read(parts.database, report_id, version=version)
    location = f"{sight.base}/DiagnosticReport/{report_id}/_history/{version}"
    content, applied = returned(preferences_of(request), resource=lambda: _as_read(written))
    headers = {**version_headers(version, written.recorded_at), "Content-Location": location, **applied}
    return fhir_response(content, headers=headers, form=form_of(request))


def _body(body: bytes, parts: Parts, report_id: str) -> dict[str, Any]:
    try:
        wanted = read_json(body, depth=parts.limits.depth).content
    except (NotJson, TooDeep):
        raise _unreadable("The body is not readable JSON: send the DiagnosticReport as it was read.") from None
    if not isinstance(wanted, dict) or wanted.get("resourceType") != "DiagnosticReport":
        raise _unreadable("Send the DiagnosticReport as it was read, with status and resultsInterpreter changed.")
    if wanted.get("id") != report_id:
        raise _unreadable(
            "The id in the body is not the one in the address: make them the same.", "DiagnosticReport.id"
        )
    return wanted


def _unreadable(text: str, *expression: str) -> RequestRefused:
    return RequestRefused(400, code="invalid", detail="invalid-element", text=text, expression=expression)


def _expected_version(request: Request) -> int:
    header = request.headers.get("if-match", "").strip()
    if not header:
        raise RequestRefused(
            428,
            code="required",
            detail="if-match-missing",
            text='Say which version was read and is signed: If-Match: W/"n" with the ETag of the report.',
        )
    # An ETag that is none of ours cannot be the current version; 0 never is.
    return next(iter(versions_named(header)), 0)


def _as_read(report: StoredReport) -> dict[str, Any]:
    return as_read(report.resources[0].content, identity=report.id, version=report.version, modified=report.recorded_at)
