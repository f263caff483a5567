"""This file lets an application listen on an address: in a thread of its own, so that the main one handles signals."""

from __future__ import annotations

import errno
import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

_START_SECONDS = 30
_CLOSE_SECONDS = 10


class CannotListen(Exception):
    """The address cannot be listened on; says why."""


class Listener:
    """An application on a bound socket: `with Listener(app, host=…, port=…)` answers until the block ends."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._socket = _bind(host, port)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,  # one log line per request is written by api/request_log.py
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=_CLOSE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def base_url(self) -> str:
        """The FHIR base on this machine."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}/fhir"

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise CannotListen("the HTTP server did not start; the lines above say why")
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        # Requests that wait for a report give up at once with 202; the others are finished.
        self._app.state.parts.stopping.set()
        self._server.should_exit = True
        self._thread.join(_CLOSE_SECONDS + 5)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on: every answer on a kept connection then waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
        bound.listen(2048)
    except OSError as fault:
        bound.close()
        hint = "; --port takes another one" if fault.errno == errno.EADDRINUSE else ""
        raise CannotListen(f"cannot listen on {host} port {port}: {fault.strerror}{hint}") from None
    bound.set_inheritable(False)
    return bound
