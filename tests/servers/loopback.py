"""A small HTTP server on loopback whose answers a test writes; it keeps every request that came."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import simplejson


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request; `headers` by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, numbers exact."""
        return simplejson.loads(self.content, use_decimal=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back. `pieces` are sent one after the other, without a length where that is None.

    With `hang_up` the connection ends after the pieces, whatever the length promised; without a status at once.
    """

    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] = ()
    length: int | None = None
    hang_up: bool = False


def reply(content: Any = b"", *, status: int = 200, **headers: str) -> Reply:
    """A whole answer: bytes as they are, anything else as FHIR JSON. Names of headers are written with `_`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if not isinstance(content, bytes):
        content = simplejson.dumps(content, use_decimal=True).encode()
        named.setdefault("Content-Type", "application/fhir+json;charset=utf-8")
    return Reply(status=status, headers=named, pieces=(content,), length=len(content))


HANG_UP = Reply(status=None, hang_up=True)


class Loopback:
    """`with Loopback(answer) as server:` serves on 127.0.0.1; `received` are the requests so far."""

    def __init__(self, answer: Callable[[Received], Reply], *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    loopback: Loopback

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or took no certificate, is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if self.parse_request():
            self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        received = Received(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            content=self.rfile.read(length),
        )
        self.server.loopback.received.append(received)
        self._send(self.server.loopback.answer(received))

    def _send(self, answer: Reply) -> None:
        self.close_connection = answer.hang_up or answer.length is None
        if answer.status is None:
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.length is not None:
            self.send_header("Content-Length", str(answer.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in answer.pieces:
                self.wfile.write(piece)
                self.wfile.flush()

    def log_message(self, *_said: object) -> None:
        """Nothing is logged."""
