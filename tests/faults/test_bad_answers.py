"""A server that answers nonsense: each kind is a clear failure, soon, and none of its content is repeated."""

from __future__ import annotations

import time

import pytest

from ehr.client import FhirClient
from ehr.errors import EhrError, NotPermitted, NotThere, Refused, TooLarge, Unavailable
from ehr.transport import Transport
from tests.servers.fault_proxy import CANARY, Fault, FaultProxy, for_path

NOWHERE = "http://127.0.0.1:9/fhir"  # no server is needed behind these faults
MAXIMUM_BYTES = 4_000_000


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault.HTML, Refused, "not JSON"),
        (Fault.WRONG_RESOURCE, Refused, "something else than a Bundle"),
        (Fault.DEEP, Refused, "too deep"),
        (Fault.REDIRECT, Refused, "redirect"),
        (Fault.LINK_ELSEWHERE, Refused, "another server"),
        (Fault.CIRCLE, Refused, "circle"),
        (Fault.ENDLESS, Refused, "more than 50 pages"),
        (Fault.GIGABYTES, TooLarge, "larger than"),
        (Fault.FORBIDDEN, NotPermitted, "403"),
        (Fault.NOT_FOUND, NotThere, "404"),
        (Fault.CONFLICT, Unavailable, "409"),
        (Fault.TOO_MANY, Unavailable, "429"),
        (Fault.UNAVAILABLE, Unavailable, "503"),
        (Fault.DROP_BEFORE, Unavailable, "no whole answer"),
    ],
)
def test_every_bad_answer_is_a_clear_failure(fault: Fault, error: type[EhrError], says: str) -> None:
    with (
        FaultProxy(NOWHERE, for_path({"": fault})) as proxy,
        Transport(private_hosts=frozenset({"127.0.0.1"}), max_bytes=MAXIMUM_BYTES) as transport,
    ):
        client = FhirClient(transport, proxy.base_url, attempts=2, pause_seconds=0.01, max_pages=50)
        begun = time.monotonic()
        with pytest.raises(error, match=says) as raised:
            list(client.search("Observation", {"patient": "12"}))
        assert time.monotonic() - begun < 10
    assert str(raised.value).startswith(("127.0.0.1", "a search of 127.0.0.1", "the pages", "an answer of 127.0.0.1"))
    assert CANARY not in str(raised.value)
