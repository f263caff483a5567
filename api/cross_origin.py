"""This file lets pages of other sites read our answers where that is allowed (CORS, https://fetch.spec.whatwg.org).

What says how to talk to us (`metadata`, `.well-known`) is for everyone. All else is for the origins of
`FILLERTRACE_API_CORS_ORIGINS`; of any other origin nothing is said at all, and its browser keeps the answer from the
page. That such a page may not even write is the guard's affair (access/guard.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

EXPOSED_HEADERS: Final = (
    "Content-Location",
    "ETag",
    "Last-Modified",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "WWW-Authenticate",
    "X-Export-Status",
    "X-Progress",
    "X-Request-Id",
)
"""The headers a page may read besides the few that every page may."""

_PUBLIC: Final = ("/fhir/metadata", "/fhir/.well-known/")
_METHODS: Final = ("DELETE", "GET", "HEAD", "POST", "PUT")
_REMEMBERED_SECONDS: Final = 600


class CrossOrigin:
    """ASGI around the application: answers preflights, and names who may read an answer."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._listed = _middleware(app, origins=sorted(origins), methods=_METHODS)
        self._public = _middleware(app, origins=["*"], methods=("GET", "HEAD"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._app
        if scope["type"] == "http":
            if scope["path"].startswith(_PUBLIC):
                app = self._public
            elif Headers(scope=scope).get("origin") in self._origins:
                app = self._listed
        await app(scope, receive, send)


def _middleware(app: ASGIApp, *, origins: Sequence[str], methods: Sequence[str]) -> CORSMiddleware:
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=methods,
        allow_headers=["*"],  # echoed as the preflight asks, so that If-Match, Prefer and the like may be sent
        expose_headers=EXPOSED_HEADERS,
        max_age=_REMEMBERED_SECONDS,
    )
