"""This file writes what applications must know to get a token for us: `.well-known/smart-configuration`.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html. We issue no tokens: what concerns
the authorization server is passed on from its own description, and only the permissions are ours to promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

OWN_CAPABILITIES: Final = ("permission-patient", "permission-user", "permission-v1", "permission-v2")
_ISSUERS_CAPABILITIES: Final = ("launch-", "client-", "sso-", "context-", "authorize-", "permission-o")  # on-, offline
_ADDRESSES: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "introspection_endpoint",
    "revocation_endpoint",
    "management_endpoint",
    "registration_endpoint",
)
_LISTS: Final = (
    "grant_types_supported",
    "scopes_supported",
    "response_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
)
_OAUTH_URIS: Final[Mapping[str, str]] = {
    "token": "token_endpoint",
    "authorize": "authorization_endpoint",
    "manage": "management_endpoint",
    "register": "registration_endpoint",
}
"""What the extension of FHIR R4 has; later ones have more, and HAPI's validator refuses those."""


def smart_configuration(
    described: Mapping[str, Any], *, issuer: str, settled: Mapping[str, str | None]
) -> dict[str, Any]:
    """The document, from what the issuer says of itself and the addresses that are `settled` here, which win.

    `token_endpoint` is missing where neither names it; the document is then of no use to anybody.
    """
    said = {**described, **{name: url for name, url in settled.items() if url}}
    found: dict[str, Any] = {"issuer": issuer}
    found |= {name: said[name] for name in _ADDRESSES if _is_address(said.get(name))}
    found |= {name: texts for name in _LISTS if (texts := _texts(said.get(name)))}
    if "grant_types_supported" not in found:
        interactive = "authorization_endpoint" in found
        found["grant_types_supported"] = ["authorization_code" if interactive else "client_credentials"]
    found["code_challenge_methods_supported"] = [
        "S256"
    ]  # SMART asks every authorization server for it, and for no other
    passed_on = [one for one in _texts(said.get("capabilities")) if one.startswith(_ISSUERS_CAPABILITIES)]
    found["capabilities"] = sorted({*passed_on, *OWN_CAPABILITIES})
    return found


def oauth_uris(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    """The addresses of a configuration by the names that the CapabilityStatement gives them."""
    return {name: configuration[of] for name, of in _OAUTH_URIS.items() if of in configuration}


def _is_address(said: object) -> bool:
    return isinstance(said, str) and said.startswith(("https://", "http://"))


def _texts(said: object) -> list[str]:
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
