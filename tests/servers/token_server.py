"""An authorization server on loopback: strict SMART Backend Services, introspection, discovery, and tokens at will.

``with TokenServer() as server:`` answers under ``server.issuer``. ``token(...)`` gives any token, good or bad;
tests/servers/bad_tokens.py has the bad ones. Clients get theirs at ``token_url`` as client_assertions.py says.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import Key, RSAKey

from fhir_mappings.smart_scopes import Scope, parse_scope, parse_scopes
from tests.servers.client_assertions import ASSERTION_TYPE, Client, OAuthError, check_assertion
from tests.servers.loopback import Loopback, Received, Reply, reply

AUDIENCE = "https://correlate.example/fhir"
RESOURCE_SERVER = ("fillertrace", "secret of the resource server: ü/+")
LONGEST_SECONDS = 300
_FORM = "application/x-www-form-urlencoded"
_NEEDED = ("grant_type", "scope", "client_assertion_type", "client_assertion")


class TokenServer:
    """``audience`` is what its tokens are for, ``life_seconds`` how long they are good; ``away`` lets it answer 503.

    ``received`` are the requests so far, and ``asked`` counts them by path; ``assertions`` are those that were good.
    """

    def __init__(self, audience: str = AUDIENCE) -> None:
        self.audience = audience
        self.life_seconds = LONGEST_SECONDS
        self.away = False
        self.assertions: list[jwt.Token] = []
        self.key: Key = new_key()
        self.keys: list[Mapping[str, Any]] = [self.key.as_dict(private=False)]
        self._clients: dict[str, Client] = {}
        self._issued: dict[str, tuple[dict[str, Any], float]] = {}
        self._lock = threading.Lock()
        self._http = Loopback(self._answer)
        self.issuer = self._http.base_url
        self.token_url = f"{self.issuer}/token"
        self.jwks_url = f"{self.issuer}/jwks"
        self.introspection_url = f"{self.issuer}/introspect"
        self.described: dict[str, Any] = {
            "issuer": self.issuer,
            "jwks_uri": self.jwks_url,
            "token_endpoint": self.token_url,
            "introspection_endpoint": self.introspection_url,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": ["system/*.cruds", "system/*.rs"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    @property
    def received(self) -> list[Received]:
        """Every request so far."""
        return self._http.received

    @property
    def asked(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(urlsplit(request.path).path for request in self.received)

    def register(self, client_id: str, **how: Any) -> Client:
        """Make a client known: ``scope``, and ``jwks`` or ``jwks_url``; ``patient`` and ``fhir_user`` of its tokens."""
        self._clients[client_id] = client = Client(client_id=client_id, **how)
        return client

    def renew_key(self, *, keep: bool = False) -> None:
        """Sign with a new key from now on; the old ones are no longer published unless they are kept."""
        self.key = new_key()
        self.keys = [*(self.keys if keep else ()), self.key.as_dict(private=False)]

    def claims(
        self,
        *,
        scope: str = "system/*.cruds",
        client_id: str = "tests",
        sub: str | None = None,
        patient: str | None = None,
        fhir_user: str | None = None,
        expires_in: int = LONGEST_SECONDS,
        **others: Any,
    ) -> dict[str, Any]:
        """What a token says; a claim that is None is left out."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": now + expires_in,
            "jti": uuid.uuid4().hex,
            "client_id": client_id,
            "sub": client_id if sub is None else sub,
            "scope": scope,
            "patient": patient,
            "fhirUser": fhir_user,
            **others,
        }
        return {name: value for name, value in said.items() if value is not None}

    def token(self, *, header: Mapping[str, Any] | None = None, key: Key | None = None, **claims: Any) -> str:
        """A signed token; ``header`` and ``key`` replace its own, None leaving out; all else is of ``claims``."""
        said = self.claims(**claims)
        named = {"alg": "RS384", "kid": self.key.kid, **(header or {})}
        head = {name: value for name, value in named.items() if value is not None}
        token = jwt.encode(head, said, key or self.key, algorithms=[str(head["alg"])])
        return self._keep(token, said, claims.get("expires_in", LONGEST_SECONDS))

    def opaque_token(self, **claims: Any) -> str:
        """A token that says nothing; introspection says ``claims`` of it."""
        said = self.claims(**claims)
        return self._keep(secrets.token_urlsafe(32), said, claims.get("expires_in", LONGEST_SECONDS))

    def revoke(self, token: str) -> None:
        """Let a token be active no longer."""
        with self._lock:
            del self._issued[token]

    def _keep(self, token: str, claims: dict[str, Any], expires_in: int) -> str:
        with self._lock:
            self._issued[token] = claims, time.time() + expires_in
        return token

    def _answer(self, request: Received) -> Reply:
        status, content = self._status_and_content(request)
        written = json.dumps(content).encode()
        return reply(
            written, status=status, Content_Type="application/json", Cache_Control="no-store", Pragma="no-cache"
        )

    def _status_and_content(self, request: Received) -> tuple[int, Mapping[str, Any]]:
        if self.away:
            return 503, {}
        path = urlsplit(request.path).path
        documents: dict[str, Any] = {"/.well-known/smart-configuration": self.described, "/jwks": {"keys": self.keys}}
        if path in documents:
            return (200, documents[path]) if request.method == "GET" else (405, {})
        forms = {"/token": self._grant, "/introspect": self._introspect}
        if path not in forms:
            return 404, {}
        if request.method != "POST":
            return 405, {}
        try:
            return forms[path](_form(request), request.headers)
        except OAuthError as error:
            return error.status, {"error": error.error, "error_description": str(error)}

    def _grant(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        missing = [name for name in _NEEDED if not form.get(name)]
        if missing:
            raise OAuthError("invalid_request", f"no {missing[0]}")
        if form["grant_type"] != "client_credentials":
            raise OAuthError("unsupported_grant_type", "grant_type is not client_credentials")
        if form["client_assertion_type"] != ASSERTION_TYPE:
            raise OAuthError("invalid_request", "client_assertion_type is not jwt-bearer")
        client, assertion = check_assertion(
            form["client_assertion"], clients=self._clients, token_url=self.token_url, now=time.time()
        )
        with self._lock:
            if _told(assertion) in map(_told, self.assertions):
                raise OAuthError("invalid_client", "jti was used before")
            self.assertions.append(assertion)
        granted = _granted(form["scope"], registered=client.scope)
        token = self.token(
            scope=granted,
            client_id=client.client_id,
            patient=client.patient,
            fhir_user=client.fhir_user,
            expires_in=self.life_seconds,
        )
        return 200, {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.life_seconds,
            "scope": granted,
        }

    def _introspect(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if headers.get("authorization") != _basic(*RESOURCE_SERVER):
            raise OAuthError("invalid_client", "not a resource server that is known")
        with self._lock:
            claims, until = self._issued.get(form.get("token", ""), ({}, 0.0))
        if until <= time.time():
            return 200, {"active": False}
        return 200, {"active": True, **claims}


def new_key() -> Key:
    """A key that signs by RS384."""
    key = RSAKey.generate_key(2048, {"use": "sig"}, private=True, auto_kid=True)
    assert key.kid
    return key


def _granted(asked: str, *, registered: str) -> str:
    """What was asked for as far as it is registered, and what is registered as far as more was asked for."""
    asked_words, registered_words = asked.split(), registered.split()
    granted = [
        *(word for word in asked_words if _within(word, parse_scopes(registered))),
        *(word for word in registered_words if _within(word, parse_scopes(asked))),
    ]
    if not granted:
        raise OAuthError("invalid_scope", "nothing of this is for this client")
    return " ".join(dict.fromkeys(granted))


def _within(word: str, scopes: Iterable[Scope]) -> bool:
    scope = parse_scope(word)
    return (
        scope is not None
        and scope.context == "system"
        and any(
            one.context == "system" and one.covers(scope.type) and scope.rights <= one.rights and not one.parameters
            for one in scopes
        )
    )


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def _form(request: Received) -> dict[str, str]:
    if request.headers.get("content-type") != _FORM:
        raise OAuthError("invalid_request", "not a form")
    pairs = parse_qsl(request.content.decode(), keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise OAuthError("invalid_request", "a parameter stands twice")
    return dict(pairs)


def _told(assertion: jwt.Token) -> tuple[str, str]:
    """Whose assertion it is, and its id, which counts once."""
    return assertion.claims["iss"], assertion.claims["jti"]
