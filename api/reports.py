"""This file searches and signs reports: radiologists' own and ours. Reading one by its id is in resources.py.

`PUT` is the sign-off of our own reports; what was received is not changed here in this release.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.access.caller import Caller
from api.access.guard import needs
from api.answers import fhir_response, version_headers, versions_named
from api.body import FhirBody
from api.errors import RequestRefused
from api.parts import GivenParts, Parts, base_of, log_ids
from api.resources import note_read
from api.signing import read_sign_off, signed_resources
from api.stored_form import as_read, received_as_read
from fhir_mappings.elements import codings
from fhir_mappings.resource_json import NotJson, TooDeep, read_json
from store import patients, report_search, reports, resources
from store.errors import NotFound, VersionConflict
from store.incoming import PatientIdentity
from store.reports import FINAL, StoredReport

router = APIRouter(prefix="/fhir/DiagnosticReport", tags=["reports"])

_UNDERSTOOD: tuple[str, ...] = ("patient", "subject", "code", "_id")
_ABOUT_ANSWERS = frozenset({"_format", "_pretty"})


@router.get("", summary="Search reports by patient")
def search(
    request: Request,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "s")],
    parts: GivenParts,
) -> Response:
    """The reports of one patient, newest first: ours and radiologists' own. `code` tells them apart."""
    asked = {name: value for name, value in request.query_params.multi_items() if value}
    understood: dict[str, str] = {name: asked[name] for name in _UNDERSTOOD if name in asked}
    _refuse_unknown(request, unknown=asked.keys() - understood.keys() - _ABOUT_ANSWERS)
    if not understood.keys() & {"patient", "subject", "_id"}:
        raise RequestRefused(
            400,
            code="required",
            detail="search-too-wide",
            text="Name whose reports to search: patient=our id, or the absolute address the Patient came with.",
        )
    base = base_of(request)
    found = [one for one in _reports_of(parts, understood, base) if _has_code(one, understood.get("code"))]
    log_ids(request, found=len(found))
    for one in found:
        note_read(parts, caller, type_="DiagnosticReport", identity=one["id"], patient_id=None)
    query = f"?{urlencode(understood)}" if understood else ""
    return fhir_response(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": [{"relation": "self", "url": f"{base}/DiagnosticReport{query}"}],
            "entry": [
                {
                    "fullUrl": f"{base}/DiagnosticReport/{one['id']}",
                    "resource": one,
                    "search": {"mode": "match"},
                }
                for one in found
            ],
        }
    )


@router.get("/{report_id}/_history/{version}", summary="Read one version of a report")
def read_version(
    request: Request,
    report_id: str,
    version: str,
    caller: Annotated[Caller, needs("user|system", "DiagnosticReport", "r")],
    parts: GivenParts,
) -> Response:
    """A version as it was written, for ever. Old versions are never recomputed."""
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise NotFound("DiagnosticReport", report_id)
    number = int(version)
    try:
        made = report_search.read(parts.database, report_id, version=number)
    except NotFound:
        kept = resources.read(parts.database, "DiagnosticReport", report_id, version=number)
        content = received_as_read(kept)
        patient_id, modified = kept.patient_id, kept.recorded_at
    else:
        content, patient_id, modified = _as_read(made), made.patient_id, made.recorded_at
    log_ids(request, type="DiagnosticReport", id=report_id)
    note_read(parts, caller, type_="DiagnosticReport", identity=report_id, patient_id=patient_id)
    return fhir_response(content, headers=version_headers(number, modified))


@router.put("/{report_id}", summary="Sign or withdraw a report")
def sign_off(
    request: Request,
    report_id: str,
    body: FhirBody,
    caller: Annotated[Caller, needs("user", "DiagnosticReport", "u")],
    parts: GivenParts,
) -> Response:
    """Status `final` with resultsInterpreter signs, `entered-in-error` withdraws; If-Match names the version read."""
    current = _own_report(parts, report_id)
    wanted = _body(body, parts, report_id)
    expected = _expected_version(request)
    if expected != current.version:
        raise VersionConflict("DiagnosticReport", report_id, current=current.version)
    sign = read_sign_off(wanted, report=current)
    now = parts.clock()
    keep = reports.sign if sign.status == FINAL else reports.withdraw
    version = keep(
        parts.database,
        report_id,
        expected_version=current.version,
        resources=signed_resources(current, sign_off=sign, caller=caller, now=now),
        caller_id=caller.client_id,
        now=now,
    )
    log_ids(request, type="DiagnosticReport", id=report_id, version=version)
    written = report_search.read(parts.database, report_id, version=version)
    headers = version_headers(version, written.recorded_at)
    location = f"{base_of(request)}/DiagnosticReport/{report_id}/_history/{version}"
    return fhir_response(_as_read(written), headers={**headers, "Content-Location": location})


def _own_report(parts: Parts, report_id: str) -> StoredReport:
    try:
        return report_search.read(parts.database, report_id)
    except NotFound:
        resources.read(parts.database, "DiagnosticReport", report_id)  # NotFound where there is none at all
        raise RequestRefused(
            405,
            code="not-supported",
            detail="method-not-allowed",
            text="Only reports made here can be signed. A received report is changed by sending it anew.",
            headers={"Allow": "GET"},
        ) from None


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


def _refuse_unknown(request: Request, *, unknown: set[str]) -> None:
    """Unknown parameters are left out of the self link; with `Prefer: handling=strict` they are refused."""
    strict = any("handling=strict" in header.replace(" ", "") for header in request.headers.getlist("prefer"))
    if unknown and strict:
        raise RequestRefused(
            400,
            code="not-supported",
            detail="unknown-parameter",
            text="A search parameter is not known here. Reports are searched by patient, code and _id.",
        )


def _reports_of(parts: Parts, understood: dict[str, str], base: str) -> list[dict[str, Any]]:
    ids = understood["_id"].split(",") if "_id" in understood else None
    named = understood.get("patient") or understood.get("subject")
    patient_id = None if named is None else _patient_id(parts, named, base)
    if named is not None and patient_id is None:
        return []
    made = report_search.search(parts.database, patient_id=patient_id, ids=ids)
    kept = resources.search(parts.database, "DiagnosticReport", patient_id=patient_id, ids=ids)
    received = [received_as_read(one) for one in kept]
    return [*map(_as_read, made), *received]


def _patient_id(parts: Parts, named: str, base: str) -> str | None:
    """Our id of the patient a search names: by our id, `Patient/id`, our address, or the address they came with."""
    plain = named.removeprefix(f"{base}/").removeprefix("Patient/")
    if "/" not in plain:
        return plain
    return patients.find(parts.database, PatientIdentity(urls=(named,)))


def _has_code(report: dict[str, Any], token: str | None) -> bool:
    """Whether a report has one of the codes of a token parameter: `code`, `system|code`, `|code` or `system|`."""
    if token is None:
        return True
    return any(
        _matches(coding.system, coding.code, one) for one in token.split(",") for coding in codings(report.get("code"))
    )


def _matches(system: str, code: str, token: str) -> bool:
    wanted_system, bar, wanted_code = token.rpartition("|")
    if bar and wanted_system != system:
        return False
    return not wanted_code or wanted_code == code


def _as_read(report: StoredReport) -> dict[str, Any]:
    return as_read(report.resources[0].content, identity=report.id, version=report.version, modified=report.recorded_at)
