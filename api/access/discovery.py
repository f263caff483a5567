"""This file answers `GET .well-known/smart-configuration`, without asking who calls: where a token for us is to be had.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html: JSON, whatever is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from api.access.authority import Authority
from api.access.errors import IssuerAway
from api.access.issuer import away
from api.errors import RequestRefused
from api.parts import GivenParts, Parts
from api.settings import ApiSettings
from fhir_mappings.resource_json import dumps
from fhir_mappings.smart_configuration import oauth_uris, smart_configuration

router = APIRouter(prefix="/fhir/.well-known", tags=["conformance"])


@router.get("/smart-configuration", summary="Where an application gets a token for this service")
def read_smart_configuration(parts: GivenParts) -> Response:
    """The SMART configuration. 404 where access is open; 503 where the authorization server cannot be asked."""
    if parts.authority is None:
        text = "Access is open here: no token is needed, and no authorization server is named."
        raise RequestRefused(404, code="not-supported", detail="access-is-open", text=text)
    found = _configuration(parts.settings, parts.authority)
    if "token_endpoint" not in found:
        raise away(parts.authority.issuer.name, "it does not say where tokens are had: set FILLERTRACE_API_TOKEN_URL")
    return Response(dumps(found), media_type="application/json")


def oauth_uris_of(parts: Parts) -> Mapping[str, str]:
    """The authorization server's addresses for the CapabilityStatement, as far as they are known now."""
    if parts.authority is None:
        return {}
    try:
        return oauth_uris(_configuration(parts.settings, parts.authority))
    except IssuerAway:
        return {}  # what else we can do is said all the same


def _configuration(settings: ApiSettings, authority: Authority) -> dict[str, Any]:
    """What can be said now. Raises IssuerAway where the settings do not say enough of it."""
    settled = {
        "authorization_endpoint": settings.authorize_url,
        "token_endpoint": settings.token_url,
        "jwks_uri": settings.jwks_url,
    }
    try:
        described = authority.issuer.described()
    except IssuerAway:
        if not settings.token_url:
            raise
        described = {}
    return smart_configuration(described, issuer=authority.issuer.name, settled=settled)
