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
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from tests.servers import ServerUnavailable, npm, processes
from tests.servers.client_assertions import ASSERTION_TYPE

FOLDER = Path(__file__).parent / "oidc"
START_DEADLINE = 30.0
STOP_PATIENCE = 5.0
REDIRECT_URI = "https://app.example/callback"


def backend_client(client_id: str, key: Key | str, *, scope: str) -> dict[str, Any]:
    """A client that shows who it is by a signed assertion; ``key`` is its key, or the address of its key set."""
    known = {"jwks_uri": key} if isinstance(key, str) else {"jwks": {"keys": [key.as_dict(private=False)]}}
    return {
        "client_id": client_id,
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": scope,
        **known,
    }


def app_client(client_id: str, *, scope: str, redirect_uri: str = REDIRECT_URI) -> dict[str, Any]:
    """A public client for people: authorization code with PKCE."""
    return {
        "client_id": client_id,
        "grant_types": ["authorization_code"],
        "redirect_uris": [redirect_uri],
        "token_endpoint_auth_method": "none",
        "scope": f"openid {scope}",
    }


class OidcServer:
    """``with OidcServer(clients, audience=…, scope=…) as server:`` answers under ``server.issuer``."""

    def __init__(self, clients: Sequence[dict[str, Any]], *, audience: str, scope: str) -> None:
        self.issuer = ""
        self._settings = {"audience": audience, "scope": scope, "clients": list(clients)}
        self._people: dict[str, dict[str, str]] = {}
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        npm.install(FOLDER)
        self._folder = processes.new_folder("oidc")
        self.choose("nobody")
        self._start(port=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()
        processes.remove_folder(self._in_folder)

    def restart(self) -> None:
        """Stop and start at the same address: what it knew of clients' keys, sessions and its own key is forgotten."""
        self._stop()
        self._start(port=urlsplit(self.issuer).port or 0)

    @property
    def _in_folder(self) -> Path:
        assert self._folder is not None, "not started"
        return self._folder

    def _start(self, *, port: int) -> None:
        settings, log = self._in_folder / "settings.json", self._in_folder / "oidc.log"
        settings.write_text(
            json.dumps({**self._settings, "people": str(self._in_folder / "people.json"), "port": port})
        )
        self._process = processes.spawn([npm.node(), FOLDER / "server.mjs", settings], log=log, piped=True)
        assert self._process.stdout is not None
        try:
            self.issuer = processes.LineReader(self._process.stdout).next_line(START_DEADLINE).removeprefix("READY ")
        except (EOFError, TimeoutError) as problem:
            reason = f"oidc-provider did not start: {problem}; its log ends with: {processes.tail(log)}"
            self.__exit__(None, None, None)
            raise ServerUnavailable(reason) from None

    def _stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, STOP_PATIENCE)

    def described(self) -> dict[str, Any]:
        """What it says of itself (OpenID Connect Discovery)."""
        said: dict[str, Any] = httpx.get(f"{self.issuer}/.well-known/openid-configuration").json()
        return said

    def choose(self, login: str, **context: str) -> None:
        """What the tokens of who logs in by this name say of them: the ``patient`` they have chosen, ``fhirUser``."""
        self._people[login] = context
        (self._in_folder / "people.json").write_text(json.dumps(self._people))

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
        callback = self.log_in(f"{self.issuer}/auth?{urlencode(asked)}", login=login)
        code = parse_qs(urlsplit(callback).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": REDIRECT_URI,
        }
        return _token_of(httpx.post(f"{self.issuer}/token", data=form))

    def log_in(self, authorize_url: str, *, login: str) -> str:
        """Log in and agree, as a person does in a browser; the address of the application that it ends at."""
        with httpx.Client(timeout=10) as browser:
            page = self._followed(browser, browser.get(authorize_url))
            for form in ({"prompt": "login", "login": login, "password": "any"}, {"prompt": "consent"}):
                address = re.search(r'action="([^"]+)"', page.text)
                assert address is not None, page.text
                page = self._followed(browser, browser.post(address[1], data=form))
        return page.headers["Location"]

    def _followed(self, browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
        """Where the redirects lead, up to the one that leaves for the application."""
        while answer.next_request is not None and str(answer.next_request.url).startswith(self.issuer):
            answer = browser.send(answer.next_request)
        return answer


def _algorithm(key: Key) -> str:
    return "ES384" if isinstance(key, ECKey) else "RS384"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _token_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token
