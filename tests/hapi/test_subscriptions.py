"""Our Subscriptions on a real HAPI server: made once, and those with an earlier secret taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ehr.client import FhirClient
from ehr.subscriptions import keep_subscribed, remove_former
from ehr.transport import Transport
from tests.hapi.pulled import client_of
from tests.servers import processes
from tests.servers.hapi import HapiServer

TYPES = ("ImagingStudy", "Observation")


@pytest.fixture
def client(hapi_server: HapiServer) -> Iterator[FhirClient]:
    with Transport(private_hosts=frozenset({"127.0.0.1"})) as transport:
        yield client_of(transport, hapi_server.base_url)


def endpoints(client: FhirClient, own: str) -> list[str]:
    every: Iterator[dict[str, Any]] = client.search("Subscription", {"type": "rest-hook"})
    return sorted(one["channel"]["endpoint"] for one in every if one["channel"]["endpoint"].startswith(own))


def test_subscriptions_with_an_earlier_secret_are_taken_away_and_no_others(client: FhirClient) -> None:
    own = f"http://127.0.0.1:{processes.free_port()}"  # nobody is there
    before, now, beside = (f"{own}/notify/{rest}" for rest in ("before/main", "now/main", "before/other"))
    foreign = {
        "resourceType": "Subscription",
        "status": "off",
        "reason": "somebody else's",
        "criteria": "Observation?",
        "channel": {"type": "rest-hook", "endpoint": before},
    }
    entry = {"resource": foreign, "request": {"method": "POST", "url": "Subscription"}}
    client.transaction({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    for endpoint in (before, beside, now):
        assert keep_subscribed(client, types=TYPES, endpoint=endpoint)
    assert remove_former(client, endpoint=now) == 2
    assert endpoints(client, own) == sorted([before, *(beside, now) * 2])
    assert remove_former(client, endpoint=now) == 0
    assert not keep_subscribed(client, types=TYPES, endpoint=now)
