"""This file shows the evidence card: `GET /evidence`, a page for people, JSON for programs, and no patient data.

It asks nobody who they are: whoever reads a report must be able to judge its basis.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.parts import GivenParts
from fhir_mappings.evidence.card import evidence_card
from fhir_mappings.evidence.pages import evidence_html

router = APIRouter(tags=["evidence"])

_NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'"


@router.get("/evidence", summary="The evidence card", response_class=HTMLResponse)
def evidence(request: Request, parts: GivenParts) -> Response:
    """Intended use, inputs, sources, benchmark, known misses and limits, for the product and for each cause."""
    card = evidence_card(parts.knowledge, software_version=parts.software_version)
    headers = {"Vary": "Accept"}
    accepted = ",".join(request.headers.getlist("accept")).lower()
    if "json" in accepted and "text/html" not in accepted:  # every browser names text/html
        return JSONResponse(card, headers=headers)
    return HTMLResponse(evidence_html(card), headers={**headers, "Content-Security-Policy": _NO_SCRIPT})
