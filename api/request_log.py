"""This file gives every request an id, logs one line about it, and turns a fault of ours into a calm answer.

A line holds method, route template, status, milliseconds and ids: never a path, a query or a message, which may hold
values from a record. Plain ASGI, for the same reason: nothing here touches a body.
"""

from __future__ import annotations

import re
import time
import traceback
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import fault_response

_log = structlog.get_logger("fillertrace.api")
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER = b"x-request-id"


class RequestLog:
    """ASGI around the application: `X-Request-Id` in and out, one log line, and 500 for what nobody expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (_HEADER, request_id.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as fault:
            # The type and the place are enough to find the fault; its message could quote a patient's data.
            _log.error("fault", request=request_id, type=type(fault).__name__, place=place_of(fault))
            if status:
                raise ConnectionAbortedError("the answer broke off") from None
            await fault_response(request_id)(scope, receive, send_with_id)
        finally:
            _log.info(
                "request",
                request=request_id,
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
                **scope["state"].get("logged", {}),
            )


def place_of(fault: BaseException) -> str:
    """Where an exception was raised, as `file:line function`, innermost frame."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} {frames[-1].name}" if frames else ""


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _HEADER and _SAFE_ID.fullmatch(given := value.decode("latin-1")):
            return str(given)
    return uuid.uuid4().hex
