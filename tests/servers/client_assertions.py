"""How a client shows who it is to a token endpoint: SMART Backend Services, asymmetric, and nothing beside it.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html: every SHALL of
the server's side is kept here, so that a client of ours which a strict server would refuse is refused in the tests.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.util import urlsafe_b64decode

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY_TYPES = {"RS384": "RSA", "ES384": "EC"}
LONGEST_SECONDS = 300


class OAuthError(Exception):
    """What the token endpoint answers with (RFC 6749 section 5.2)."""

    def __init__(self, error: str, says: str) -> None:
        super().__init__(says)
        self.error = error
        self.status = 401 if error == "invalid_client" else 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client that is registered: its keys by an address, or inline; what it may have; what its tokens say."""

    client_id: str
    scope: str
    jwks_url: str | None = None
    jwks: Mapping[str, Any] | None = None
    patient: str | None = None
    fhir_user: str | None = None

    def published(self) -> list[dict[str, Any]]:
        """Its keys as they are now."""
        if self.jwks_url is None:
            return list((self.jwks or {})["keys"])
        try:
            return list(httpx.get(self.jwks_url, timeout=5).raise_for_status().json()["keys"])
        except (httpx.HTTPError, ValueError, KeyError):
            raise OAuthError("invalid_client", "the registered key set cannot be read") from None


def check_assertion(
    assertion: str, *, clients: Mapping[str, Client], token_url: str, now: float
) -> tuple[Client, jwt.Token]:
    """The client that has signed it, and what it says. Raises OAuthError."""
    header, claims = _unverified(assertion)
    client = clients.get(str(claims.get("iss")))
    _hold(client is not None, "iss is no registered client")
    assert client is not None
    _hold(claims.get("sub") == client.client_id, "sub is not iss")
    _hold(header.get("typ") == "JWT", "typ is not JWT")
    _hold(header.get("alg") in KEY_TYPES, "alg is neither RS384 nor ES384")
    _hold(isinstance(header.get("kid"), str), "no kid")
    _hold(header.get("jku", client.jwks_url) == client.jwks_url, "jku is not the registered address")
    _hold(claims.get("aud") == token_url, "aud is not the token address")
    expires, jti = claims.get("exp"), claims.get("jti")
    _hold(type(expires) is int and now < expires <= now + LONGEST_SECONDS, "exp is not within five minutes")
    _hold(isinstance(jti, str) and bool(jti), "no jti")
    fitting = [
        key
        for key in client.published()
        if (key.get("kid"), key.get("kty")) == (header["kid"], KEY_TYPES[header["alg"]])
    ]
    _hold(len(fitting) == 1, "not exactly one key of this kid and kty")
    try:
        return client, jwt.decode(assertion, import_key(fitting[0]), algorithms=[header["alg"]])
    except (JoseError, ValueError):
        raise OAuthError("invalid_client", "the signature is not the client's") from None


def _hold(true: bool, otherwise: str) -> None:
    if not true:
        raise OAuthError("invalid_client", otherwise)


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = assertion.split(".")
    _hold(len(parts) == 3, "not a signed JWT")
    try:
        header, claims = (json.loads(urlsafe_b64decode(part.encode())) for part in parts[:2])
    except (ValueError, binascii.Error):
        raise OAuthError("invalid_client", "not a JWT") from None
    _hold(isinstance(header, dict) and isinstance(claims, dict), "not a JWT")
    return header, claims
