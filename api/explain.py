"""This file explains a report of ours: `GET /fhir/DiagnosticReport/{id}/$explain` (contract, section 2).

The version is computed again from its recorded inputs and knowledge base; nothing is stored.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.access.guard import needs
from api.access.sight import Sight
from api.answers import fhir_response
from api.body import FhirBody
from api.errors import RequestRefused
from api.parts import GivenParts, log_ids
from api.recomputed import NotRecomputable, RecomputedVersion, recompute_version
from api.representation import ABOUT_ANSWERS, form_of
from api.resources import find, note_read
from api.seen_reports import narrowing, seen_report, sees_whole
from fhir_mappings.answer_changes import answers_in, moved_answers
from fhir_mappings.explanation import Reproduction, write_explanation
from fhir_mappings.resource_json import NotJson, TooDeep, read_json
from store import report_search
from store.errors import NotFound

router = APIRouter(prefix="/fhir/DiagnosticReport", tags=["reports"])


@router.get("/{report_id}/$explain", summary="Explain a report")
def explain(
    request: Request,
    report_id: str,
    sight: Annotated[Sight, needs("r", "DiagnosticReport")],
    parts: GivenParts,
) -> Response:
    """Every cause with every answer for, against and not known, its evidence and sources, and what would change it."""
    form = form_of(request)
    if request.query_params.keys() - ABOUT_ANSWERS:
        raise _unknown_parameter("Take the parameters out of the address.")
    try:
        stored = report_search.read(parts.database, report_id)
        seen_report(sight, stored)
        narrow = None if sees_whole(sight, stored) else narrowing(sight)
        found = recompute_version(
            parts.database, report_id, version=stored.version, current=parts.knowledge, narrow=narrow
        )
    except NotFound:
        find(sight, "DiagnosticReport", report_id)  # NotFound, Gone where there is none at all
        raise _not_explainable(
            "This report was received, not made here: only our own reports can be explained. Read its conclusion."
        ) from None
    except NotRecomputable as reason:
        raise _not_explainable(f"{reason} What the report shows can still be read.") from None
    log_ids(request, type="DiagnosticReport", id=report_id, version=found.stored.version)
    note_read(sight, type_="DiagnosticReport", identity=report_id, patient_id=found.stored.patient_id)
    explanation = write_explanation(
        found.recomputed.assessed.assessment,
        found.knowledge,
        basis=found.basis,
        report=found.resources_then[0] if narrow is None else found.resources_now[0],
        reproduction=_reproduction(found, software_version=parts.software_version, narrowed=narrow is not None),
    )
    return fhir_response(explanation, form=form)


@router.post("/{report_id}/$explain", summary="Explain a report, asked by POST")
def explain_by_post(
    request: Request,
    report_id: str,
    sight: Annotated[Sight, needs("r", "DiagnosticReport")],
    body: FhirBody,
    parts: GivenParts,
) -> Response:
    """The same: FHIR lets clients call any operation by POST. The body is empty, or Parameters without any."""
    _refuse_parameters(body, depth=parts.limits.depth)
    return explain(request, report_id, sight, parts)


def _reproduction(found: RecomputedVersion, *, software_version: str, narrowed: bool) -> Reproduction:
    if narrowed:  # there is no stored version of what this caller may see
        return Reproduction(identical=None, moved=(), software_version=software_version)
    moved = () if found.identical else moved_answers(answers_in(found.resources_then), answers_in(found.resources_now))
    return Reproduction(identical=found.identical, moved=moved, software_version=software_version)


def _refuse_parameters(body: bytes, *, depth: int) -> None:
    if not body.strip():
        return
    try:
        given = read_json(body, depth=depth).content
    except (NotJson, TooDeep):
        raise RequestRefused(
            400,
            code="invalid",
            detail="unexpected-body",
            text="The body is not readable JSON: send none, or an empty Parameters resource.",
        ) from None
    if not isinstance(given, dict) or given.get("resourceType") != "Parameters":
        raise RequestRefused(
            400,
            code="invalid",
            detail="unexpected-body",
            text="This operation takes no resource: send no body, or an empty Parameters resource.",
        )
    if given.get("parameter"):
        raise _unknown_parameter("Send an empty Parameters resource, or none.", "Parameters.parameter[0]")


def _unknown_parameter(text: str, *expression: str) -> RequestRefused:
    return RequestRefused(
        400,
        code="not-supported",
        detail="unknown-parameter",
        text=f"$explain takes no parameters of its own. {text}",
        expression=expression,
    )


def _not_explainable(text: str) -> RequestRefused:
    return RequestRefused(422, code="not-supported", detail="not-explainable", text=text)
