"""This file makes connections keep a deadline: it holds for a whole request, however it is spread over many steps.

httpx bounds each step alone, so that headers byte by byte, or interim answers (1xx) without end, take for ever.
A request is done by one thread from its beginning to its end, so the deadline is the thread's.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx

_PIECE_BYTES: Final = 4096  # sent at a time: one call may send any number of pieces, each with a time limit of its own


class Deadline:
    """Until when what a thread is doing must be done."""

    def __init__(self) -> None:
        self._thread = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let the block take so long, as far as it speaks with a server."""
        self._thread.until = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._thread.until

    @property
    def has_passed(self) -> bool:
        """Whether there is no time left."""
        return self._left() <= 0

    def cut(self, timeout: float | None, *, failure: type[Exception]) -> float | None:
        """The time limit of a step, no longer than there is time left. Raises the failure where there is none."""
        left = self._left()
        if left <= 0:
            raise failure("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    def _left(self) -> float:
        until: float = getattr(self._thread, "until", float("inf"))
        return until - time.monotonic()


class BoundedConnections(httpx.HTTPTransport):
    """Connections of httpx that keep a deadline."""

    def __init__(self, trusted: ssl.SSLContext, deadline: Deadline) -> None:
        super().__init__(verify=trusted, trust_env=False)
        self._pool.close()
        # httpx has no setting for what httpcore calls a network backend.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Network(deadline),
        )


class _Network(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        cut = self._deadline.cut(timeout, failure=httpcore.ConnectTimeout)
        stream = self._plain.connect_tcp(host, port, cut, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._plain = plain
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, self._deadline.cut(timeout, failure=httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), _PIECE_BYTES):
            cut = self._deadline.cut(timeout, failure=httpcore.WriteTimeout)
            self._plain.write(buffer[begin : begin + _PIECE_BYTES], cut)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        cut = self._deadline.cut(timeout, failure=httpcore.ConnectTimeout)
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, cut), self._deadline)

    def close(self) -> None:
        self._plain.close()

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)
