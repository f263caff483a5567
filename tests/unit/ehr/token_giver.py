"""A small authorization server with a FHIR server behind it: it gives tokens to whoever signs with our keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import KeySet

from ehr.keys import ALGORITHMS, OwnKeys
from tests.servers.loopback import Received, Reply, reply
from tests.unit.ehr.clients import searchset

CONFIGURATION = "/fhir/.well-known/smart-configuration"
PATIENT = {"resourceType": "Patient", "id": "12"}


class TokenGiver:
    """An authorization server and the FHIR server behind it. It checks what it gets, and takes its newest token."""

    def __init__(self, keys: Path) -> None:
        self._keys = OwnKeys(keys)
        self.algorithms: object = list(ALGORITHMS)
        self.given: dict[str, Any] = {"token_type": "bearer", "expires_in": 300, "scope": "system/*.rs"}
        self.tokens: list[str] = []
        self.assertions: list[jwt.Token] = []
        self.token_url = ""
        self.refusal: Reply | None = None

    def answer(self, request: Received) -> Reply:
        if request.path == CONFIGURATION:
            assert "authorization" not in request.headers
            said = {
                "token_endpoint": self.token_url,
                "token_endpoint_auth_signing_alg_values_supported": self.algorithms,
            }
            return reply({name: value for name, value in said.items() if value})
        if request.path == "/token":
            return self.refusal or self._give(request)
        if request.headers.get("authorization") != f"Bearer {self.tokens[-1] if self.tokens else ''}":
            return reply({}, status=401)
        return reply(PATIENT) if request.path.startswith("/fhir/Patient/") else reply(searchset(PATIENT))

    def _give(self, request: Received) -> Reply:
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = {name: values[0] for name, values in parse_qs(request.content.decode(), strict_parsing=True).items()}
        assert form["grant_type"] == "client_credentials"
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert form["scope"] == "system/*.rs"
        published = KeySet.import_key_set(self._keys.public())
        self.assertions.append(jwt.decode(form["client_assertion"], published, algorithms=list(ALGORITHMS)))
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return reply({"access_token": self.tokens[-1], **self.given})
