"""An authorization server that nobody here wrote: npm's oidc-provider, started by ``tests/servers/oidc/server.mjs``."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from tests.servers import ServerUnavailable, npm, processes
from tests.servers.client_assertions import ASSERTION_TYPE

FOLDER = Path(__file__).parent / "oidc"
START_DEADLINE = 30.0
STOP_PATIENCE = 5.0
REDIRECT_URI = "https://app.example/callback"


def backend_client(client_id: str, key: Key, *, scope: str, **context: str) -> dict[str, Any]:
    """A client that shows who it is by a signed assertion; ``context`` are further claims of its tokens."""
    return {
        "client_id": client_id,
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": _algorithm(key),
        "jwks": {"keys": [key.as_dict(private=False)]},
        "scope": scope,
        "context": context,
    }


def app_client(client_id: str, *, scope: str, **context: str) -> dict[str, Any]:
    """A public client for people: authorization code with PKCE."""
    return {
        "client_id": client_id,
        "grant_types": ["authorization_code"],
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "scope": f"openid {scope}",
        "context": context,
    }


class OidcServer:
    """``with OidcServer(clients, audience=…, scope=…) as server:`` answers under ``server.issuer``."""

    def __init__(self, clients: Sequence[dict[str, Any]], *, audience: str, scope: str) -> None:
        self._settings = {"audience": audience, "scope": scope, "clients": list(clients)}
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self.issuer = ""

    def __enter__(self) -> Self:
        node = npm.node()
        npm.install(FOLDER)
        self._folder = processes.new_folder("oidc")
        settings, log = self._folder / "settings.json", self._folder / "oidc.log"
        settings.write_text(json.dumps(self._settings))
        self._process = processes.spawn([node, FOLDER / "server.mjs", settings], log=log, piped=True)
        assert self._process.stdout is not None
        try:
            self.issuer = processes.LineReader(self._process.stdout).next_line(START_DEADLINE).removeprefix("READY ")
        except (EOFError, TimeoutError) as problem:
            reason = f"oidc-provider did not start: {problem}; its log ends with: {processes.tail(log)}"
            self._stop()
            raise ServerUnavailable(reason) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_PATIENCE)
        if self._folder is not None:
            processes.remove_folder(self._folder)

    def backend_token(self, client_id: str, key: Key, *, scope: str) -> str:
        """A token by client_credentials, as a backend service gets it."""
        token_url = f"{self.issuer}/token"
        claims = {"iss": client_id, "sub": client_id, "aud": token_url, "exp": int(time.time()) + 240}
        header = {"alg": _algorithm(key), "kid": key.kid}
        assertion = jwt.encode(header, {**claims, "jti": uuid.uuid4().hex}, key, algorithms=[_algorithm(key)])
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        return _token_of(httpx.post(token_url, data=form))

    def app_token(self, client_id: str, *, login: str, scope: str) -> str:
        """A token by authorization code, as an application gets it for the person who logs in."""
        verifier = uuid.uuid4().hex * 2
        asked = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": f"openid {scope}",
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "state": uuid.uuid4().hex,
        }
        with httpx.Client(timeout=10) as browser:
            page = _follow(browser, browser.get(f"{self.issuer}/auth", params=asked))
            for form in ({"prompt": "login", "login": login, "password": "any"}, {"prompt": "consent"}):
                address = re.search(r'action="([^"]+)"', page.text)
                assert address is not None, page.text
                page = _follow(browser, browser.post(address[1], data=form))
        code = parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": REDIRECT_URI,
        }
        return _token_of(httpx.post(f"{self.issuer}/token", data=form))


def _algorithm(key: Key) -> str:
    return "ES384" if isinstance(key, ECKey) else "RS384"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _follow(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Where the redirects lead, up to the one that leaves for the application."""
    while answer.is_redirect and not answer.headers["Location"].startswith(REDIRECT_URI):
        answer = browser.get(answer.next_request.url if answer.next_request else answer.headers["Location"])
    return answer


def _token_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token
