"""A FHIR client of ours against a server whose answers a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ehr.client import FhirClient
from ehr.transport import Transport
from tests.servers.loopback import Loopback, Received, Reply

LOCAL = frozenset({"127.0.0.1"})


@contextmanager
def client_of(
    answer: Callable[[Received], Reply], *, transport_bytes: int = 10_000_000, **how: Any
) -> Iterator[tuple[FhirClient, Loopback]]:
    """The client, and the server with what it received. Pauses are short."""
    with Loopback(answer) as server, Transport(private_hosts=LOCAL, max_bytes=transport_bytes) as transport:
        yield FhirClient(transport, f"{server.base_url}/fhir", **{"pause_seconds": 0.01, **how}), server


def searchset(*resources: dict[str, Any], next_url: str | None = None, **more: Any) -> dict[str, Any]:
    """One page of a search."""
    page: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", **more}
    page["entry"] = [{"resource": resource} for resource in resources]
    if next_url:
        page["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": next_url}]
    return page
