"""This file publishes our keys at `/.well-known/jwks.json`, by which FHIR servers check that a request for a token is
ours (SMART Backend Services). Only public parts, for everybody; what is kept, and how it is renewed, is in `ehr.keys`.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.errors import RequestRefused
from api.parts import GivenParts
from ehr.fhir_json import write_json

router = APIRouter(tags=["operations"])

_CACHED_SECONDS = 300


@router.get("/.well-known/jwks.json", summary="Our public keys")
def own_keys(parts: GivenParts) -> Response:
    """The JWK set that FHIR servers check our signatures with; 404 where this service has no keys."""
    if parts.own_keys is None:
        text = "This service has no keys of its own: none are named in FILLERTRACE_EHR_KEY_SET."
        raise RequestRefused(404, code="not-found", detail="unknown-address", text=text)
    headers = {"Cache-Control": f"max-age={_CACHED_SECONDS}"}
    return Response(write_json(parts.own_keys.public()), media_type="application/json", headers=headers)
