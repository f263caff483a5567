"""What the tests of access share: settings that name the token server, a clock of their own, a bearer's header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.token_server import RESOURCE_SERVER, TokenServer
from tests.unit.api.service import Door, running_door


def smart_settings(server: TokenServer, **others: Any) -> dict[str, Any]:
    """Settings under which this server is the issuer, and is asked about tokens that are not signed."""
    client_id, secret = RESOURCE_SERVER
    return {
        "access": "smart",
        "issuer": server.issuer,
        "audience": server.audience,
        "introspection_url": server.introspection_url,
        "introspection_client_id": client_id,
        "introspection_client_secret": secret,
        **others,
    }


@contextmanager
def guarded_door(folder: Path, redis_url: str, **settings: Any) -> Iterator[tuple[Door, TokenServer]]:
    """A door in a folder whose callers show tokens of a server of its own."""
    with TokenServer() as server, running_door(folder, redis_url, **smart_settings(server, **settings)) as door:
        yield door, server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
