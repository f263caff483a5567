"""This file asks the issuer of our callers' tokens: what it says of itself, and any other JSON document of its.

Its own description is the union of `{issuer}/.well-known/openid-configuration` (OpenID Connect Discovery 1.0) and
`{issuer}/.well-known/smart-configuration` (SMART App Launch 2.2); what the second says wins. Either may be missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from api.access.errors import IssuerAway
from api.access.remembered import Remembered
from ehr.errors import EhrError
from ehr.transport import Answer, Transport
from fhir_mappings.resource_json import loads

_DOCUMENTS: Final = ("openid-configuration", "smart-configuration")
_JSON: Final = {"Accept": "application/json"}
_log = structlog.get_logger("fillertrace.api")


class Issuer:
    """The authorization server that is trusted, by its name, and the connection to it."""

    def __init__(
        self, name: str, *, transport: Transport, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._transport = transport
        self._described = Remembered(self._describe, seconds=seconds, clock=clock)

    def described(self) -> Mapping[str, Any]:
        """What it says of itself, empty where it has no document that says so. Raises IssuerAway."""
        return self._described.get()

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """One request to an address of its. Raises IssuerAway where no answer came, or one of a fault of its own."""
        try:
            answer = self._transport.request(method, url, headers={**_JSON, **(headers or {})}, content=content)
        except EhrError as error:
            raise away(url, str(error)) from None
        if answer.status >= 500 or answer.status == 429:
            raise away(url, f"status {answer.status}")
        return answer

    def document(self, url: str) -> Mapping[str, Any] | None:
        """The JSON object at an address, None where there is none. Raises IssuerAway."""
        answer = self.ask("GET", url)
        return json_object(url, answer) if answer.status == 200 else None

    def _describe(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for name in _DOCUMENTS:
            url = f"{self.name.rstrip('/')}/.well-known/{name}"
            said = self.document(url) or {}
            if said.get("issuer", self.name) != self.name:
                raise away(url, f"{name} is of another issuer than FILLERTRACE_API_ISSUER")
            found |= said
        return found


def json_object(url: str, answer: Answer) -> Mapping[str, Any]:
    """The JSON object in an answer. Raises IssuerAway."""
    try:
        content = loads(answer.content)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise away(url, "the answer is no JSON object")
    return content


def away(url: str, reason: str) -> IssuerAway:
    """What is raised where the issuer fails us, after a line in the log for who runs us. `reason` holds no content."""
    _log.warning("issuer-away", host=urlsplit(url).hostname, reason=reason)
    return IssuerAway()
