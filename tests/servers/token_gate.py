"""A FHIR server that demands tokens: a gate on loopback before any server, that lets through what a token allows.

A token is believed for its signature or because its issuer says so, never for its look; whom it is for, its end and its
scopes count, too. Its SMART configuration is open to all, as SMART App Launch 2.2 has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key, KeySet

from fhir_mappings.smart_scopes import parse_scopes
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.servers.token_server import RESOURCE_SERVER, TokenServer

CONFIGURATION = "/fhir/.well-known/smart-configuration"
_RIGHTS = {"POST": "c", "PUT": "u", "DELETE": "d"}

Check = Callable[[str], Mapping[str, Any] | None]
"""What a token says; None where it is not to be believed."""


class TokenGate:
    """``with TokenGate(upstream, described=…, check=…) as gate:`` answers under ``gate.base_url``.

    ``upstream`` gives the answers of the server behind; a test may put another one there. ``tokens`` are those that
    were let through, each once; ``refused`` the requests that were not, with the status. Tokens that a test puts into
    ``revoked`` are let through no more.
    """

    def __init__(self, upstream: Callable[[Received], Reply], *, described: Mapping[str, Any], check: Check) -> None:
        self.upstream = upstream
        self.tokens: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.revoked: set[str] = set()
        self._described = described
        self._check = check
        self._lock = threading.Lock()
        self._http = Loopback(self._answer)
        self.base_url = f"{self._http.base_url}/fhir"

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    @property
    def received(self) -> list[Received]:
        """Every request so far."""
        return self._http.received

    def _answer(self, request: Received) -> Reply:
        if request.path == CONFIGURATION:
            return reply(dict(self._described))
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        claims = self._check(token) if kind == "Bearer" and token not in self.revoked else None
        if claims is None:
            return self._refusal(401, request, "invalid_token")
        scopes = [scope for scope in parse_scopes(str(claims.get("scope", ""))) if scope.context == "system"]
        for type_, right in _wanted(request):
            if not any(scope.covers(type_) and right in scope.rights for scope in scopes):
                return self._refusal(403, request, "insufficient_scope")
        with self._lock:
            if token not in self.tokens:
                self.tokens.append(token)
        return self.upstream(request)

    def _refusal(self, status: int, request: Received, error: str) -> Reply:
        self.refused.append((status, f"{request.method} {request.path}"))
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}
        return reply(outcome, status=status, WWW_Authenticate=f'Bearer error="{error}"')


def _wanted(request: Received) -> Iterator[tuple[str, str]]:
    """Each type that a request is about, and the SMART right it needs."""
    parts = urlsplit(request.path).path.removeprefix("/fhir").strip("/").split("/")
    if parts == [""]:
        for entry in request.json["entry"]:
            yield entry["request"]["url"].partition("/")[0], _RIGHTS[entry["request"]["method"]]
    elif parts != ["metadata"]:
        reading = "s" if len(parts) == 1 else "r"
        yield parts[0], _RIGHTS.get(request.method, reading)


def signed_by(issuer: str, *, jwks_url: str, audience: str) -> Check:
    """Tokens that the issuer has signed, by the keys it publishes, read again for one that is not known yet."""
    known: dict[str, Key] = {}
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}, exp={"essential": True}
    )

    def key_of(token: GuestProtocol) -> Key:
        kid = token.headers()["kid"]
        if kid not in known:
            published = KeySet.import_key_set(httpx.get(jwks_url).json())
            known.update({str(key.kid): key for key in published.keys})
        return known[kid]

    def check(token: str) -> Mapping[str, Any] | None:
        try:
            decoded = jwt.decode(token, key_of, algorithms=["RS256", "RS384"])
            registry.validate(decoded.claims)
        except (JoseError, ValueError, KeyError):
            return None
        return decoded.claims

    return check


def introspected_at(server: TokenServer) -> Check:
    """Tokens of which the strict token server says, each time, that they are active (RFC 7662)."""
    client_id, secret = map(quote_plus, RESOURCE_SERVER)
    audience = server.audience

    def check(token: str) -> Mapping[str, Any] | None:
        answer = httpx.post(server.introspection_url, data={"token": token}, auth=(client_id, secret))
        said: dict[str, Any] = answer.raise_for_status().json()
        return said if said["active"] and said["aud"] == audience else None

    return check
