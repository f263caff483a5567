"""This file gets access tokens: SMART Backend Services with a signed assertion, as a client of one server.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html, client-confidential-asymmetric.html; RFC 7523. A
token is kept in memory alone, goes to nobody but the client, and stands in no text, log or error.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from typing import Any, Final
from urllib.parse import urlencode

from joserfc import jwt

from ehr.addresses import origin, shown_host
from ehr.answers import json_in, object_in
from ehr.errors import EhrError, KeysNotUsable, NoToken, NotPermitted, Refused, Unavailable
from ehr.keys import ALGORITHMS, OwnKeys
from ehr.transport import Answer, Transport

_ASSERTION_SECONDS: Final = 240  # five minutes at most, and clocks differ
_UNKNOWN_LIFE_SECONDS: Final = 300.0  # what the specification recommends as the longest
_MARGIN_SECONDS: Final = 30.0
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")  # RFC 6750, section 2.1
_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"}
    | {"unsupported_grant_type"}
)  # RFC 6749, section 5.2


class BackendToken:
    """The token of one server, fetched when it is needed and renewed before it ends. Safe for many threads.

    `scope` is asked for. `token_url` is where tokens are given, where that is another server than the one they are for.
    One attempt each: who uses the token tries again. Raises Unavailable, also where the server does not know us by our
    keys; NotPermitted where it gives us none; NoToken where its SMART configuration or its token endpoint cannot be
    used; KeysNotUsable.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        client_id: str,
        keys: OwnKeys,
        scope: str,
        token_url: str | None = None,
    ) -> None:
        self.scope: str | None = None
        """The scopes that were granted, by blanks; None before the first token, and where the server does not say."""
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id
        self._keys = keys
        self._asked_scope = scope
        self._named_token_url = token_url
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """A token that is good for some time yet."""
        with self._lock:
            if time.monotonic() >= self._renew_at:
                self._fetch()
            return self._token

    def renewed(self, refused: str) -> str:
        """Another token than this one, which the server takes no longer."""
        with self._lock:
            if self._token == refused:
                self._fetch()
            return self._token

    def _fetch(self) -> None:
        token_url, algorithms = self._configuration()
        form = {
            "grant_type": "client_credentials",
            "scope": self._asked_scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(token_url, algorithms),
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._transport.request("POST", token_url, headers=headers, content=urlencode(form).encode())
        host = shown_host(token_url)
        if answer.status in (400, 401):
            error = _error(answer)
            message = f"{host} gives us no token ({error})"
            if error == "invalid_client":
                # It may keep our key set of before our newest key, or could not fetch it just now.
                raise Unavailable(message)
            raise NotPermitted(message, status=answer.status)
        given = _json(answer, host=host)
        token, life = given.get("access_token"), _seconds(given.get("expires_in"))
        if (
            not isinstance(token, str)
            or not _TOKEN.fullmatch(token)
            or str(given.get("token_type")).lower() != "bearer"
        ):
            raise NoToken(f"{host} answered with something else than a bearer token")
        self._token = token
        self._renew_at = time.monotonic() + max(life - _MARGIN_SECONDS, life / 2)
        self.scope = given["scope"] if isinstance(given.get("scope"), str) else None

    def _configuration(self) -> tuple[str, frozenset[str]]:
        """Where tokens are given, and the algorithms of ours that are taken there."""
        url, host = f"{self._base_url}/.well-known/smart-configuration", shown_host(self._base_url)
        said = _json(self._transport.request("GET", url, headers={"Accept": "application/json"}), host=host)
        token_url = said.get("token_endpoint")
        if not isinstance(token_url, str):
            raise NoToken(f"{host} names no token endpoint in its SMART configuration")
        self._check_is_meant(token_url, host)
        taken = said.get("token_endpoint_auth_signing_alg_values_supported")
        if not isinstance(taken, list):  # recommended only
            return token_url, frozenset(ALGORITHMS)
        algorithms = frozenset(ALGORITHMS).intersection(one for one in taken if isinstance(one, str))
        if not algorithms:
            raise KeysNotUsable(f"{host} takes neither RS384 nor ES384 assertions")
        return token_url, algorithms

    def _check_is_meant(self, token_url: str, host: str) -> None:
        """Raises NoToken for a token endpoint that is neither the server's own nor the one that was named for it.

        A server that names another one's would get that one's tokens shown, or our assertions for it.
        """
        if token_url != self._named_token_url and origin(token_url) != origin(self._base_url):
            raise NoToken(
                f"{host} names a token endpoint on another server, {shown_host(token_url)}: if that is meant, give its "
                "whole address in FILLERTRACE_EHR_TOKEN_URLS, or to pull with --token-url"
            )

    def _assertion(self, token_url: str, algorithms: frozenset[str]) -> str:
        key = self._keys.signing(algorithms)
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": token_url,
            "exp": int(time.time()) + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        return jwt.encode({"alg": key.alg, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=list(ALGORITHMS))


def _json(answer: Answer, *, host: str) -> dict[str, Any]:
    """What was answered. That nothing is there (404) says nothing of the resource that the token was for."""
    try:
        return json_in(answer, host=host)
    except Refused as error:
        raise NoToken(f"no token: {error}") from None


def _error(answer: Answer) -> str:
    """The error code of RFC 6749 in a refusal; the status where there is none."""
    try:
        code = object_in(answer, host="").get("error")
    except EhrError:
        code = None
    return code if isinstance(code, str) and code in _ERRORS else f"status {answer.status}"


def _seconds(expires_in: object) -> float:
    text = str(expires_in)  # some servers write the number as a text
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text) else _UNKNOWN_LIFE_SECONDS
