"""Requests handed on to a server behind, as a reverse proxy does it: the server sees the address that was called."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.servers.loopback import Received, Reply

_HANDED_ON = ("accept", "authorization", "cache-control", "content-type", "host", "prefer")
_HANDED_BACK = ("content-type", "etag", "last-modified", "location", "content-location")


def forwarded_to(url: str) -> Callable[[Received], Reply]:
    """What a server at this address answers, whose paths begin as those of the requests do."""
    parts = urlsplit(url)

    def answer(request: Received) -> Reply:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        try:
            headers = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
            connection.request(request.method, request.path, body=request.content or None, headers=headers)
            answered = connection.getresponse()
            content = answered.read()
        finally:
            connection.close()
        back = {name: value for name in _HANDED_BACK if (value := answered.getheader(name))}
        return Reply(status=answered.status, headers=back, pieces=(content,), length=len(content))

    return answer
