"""What the client asks, tries again, and takes for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from itertools import count
from typing import Any

import pytest

from ehr.errors import Conflict, EhrError, NotPermitted, NotThere, Refused, TooLarge, Unavailable
from ehr.fhir_json import DEEPEST, TooDeep, read_json, write_json
from ehr.retries import pause_after, retry_after_seconds
from tests.servers.loopback import HANG_UP, Received, Reply, reply
from tests.unit.ehr.clients import client_of, searchset

PATIENT = {"resourceType": "Patient", "id": "12"}
OBSERVATION = {"resourceType": "Observation", "id": "o1"}
SECRET = "Jane Doe, filler in both cheeks"


def in_order(*answers: Reply) -> Callable[[Received], Reply]:
    waiting = iter(answers)
    return lambda _request: next(waiting)


def error_of(answer: Reply, **how: Any) -> EhrError:
    with client_of(lambda _: answer, attempts=2, **how) as (client, _), pytest.raises(EhrError) as raised:
        list(client.search("Observation", {"patient": "12"}))
    return raised.value


def test_a_resource_is_read_with_every_digit() -> None:
    content = b'{"resourceType":"Observation","id":"o1","valueQuantity":{"value":2.350}}'
    with client_of(lambda _: reply(content, Content_Type="application/fhir+json")) as (client, server):
        found = client.read("Observation", "o1")
    assert found["valueQuantity"]["value"] == Decimal("2.350")
    assert b"2.350" in write_json(found)
    assert server.received[0].path == "/fhir/Observation/o1"
    assert server.received[0].headers["accept"] == "application/fhir+json"


def test_a_search_goes_through_all_pages_and_keeps_what_is_said_beside_them() -> None:
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}, "x"]}
    first = searchset(PATIENT, said, next_url="?page=2")
    with client_of(in_order(reply(first), reply(searchset(OBSERVATION)))) as (client, server):
        pages = list(client.pages("Observation", {"patient": "12", "code": "a|b"}))
    assert [page.resources for page in pages] == [(PATIENT,), (OBSERVATION,)]
    assert pages[0].issue_codes == ("suppressed",)
    asked = [request.path for request in server.received]
    assert asked == ["/fhir/Observation?patient=12&code=a%7Cb", "/fhir/Observation?page=2"]
    assert server.received[0].headers["prefer"] == "handling=strict"


def test_everything_is_one_bundle_with_absolute_addresses() -> None:
    with client_of(lambda _: reply(searchset(PATIENT, OBSERVATION, PATIENT))) as (client, server):
        found = client.everything("12")
    addresses = [entry["fullUrl"] for entry in found["entry"]]
    assert addresses == [f"{server.base_url}/fhir/Patient/12", f"{server.base_url}/fhir/Observation/o1"]


@pytest.mark.parametrize(
    "failure", [reply({}, status=503), reply({}, status=500), reply({}, status=429), reply({}, status=409), HANG_UP]
)
def test_what_is_temporary_is_tried_again(failure: Reply) -> None:
    done = reply({"resourceType": "Bundle", "type": "transaction-response"})
    with client_of(in_order(failure, failure, done)) as (client, server):
        assert client.transaction({"resourceType": "Bundle", "entry": []})["type"] == "transaction-response"
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("failure", "error"), [(reply({}, status=503), Unavailable), (reply({}, status=409), Conflict)]
)
def test_after_the_last_attempt_it_is_given_up(failure: Reply, error: type[EhrError]) -> None:
    with client_of(lambda _: failure, attempts=3) as (client, server):
        with pytest.raises(error):
            client.transaction({})
        assert len(server.received) == 3
        with pytest.raises(error):
            client.transaction({}, attempts=1)
        assert len(server.received) == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, NotPermitted), (401, NotPermitted), (404, NotThere), (410, NotThere), (400, Refused), (501, Refused)],
)
def test_what_is_final_is_asked_once(status: int, error: type[EhrError]) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "not-supported", "diagnostics": SECRET}]}
    with client_of(lambda _: reply(outcome, status=status)) as (client, server):
        with pytest.raises(error) as raised:
            client.read("Patient", "12")
        assert len(server.received) == 1
    assert isinstance(raised.value, Refused)
    assert raised.value.status == status
    assert str(raised.value) == f"{client.host} answered with status {status}"
    if isinstance(raised.value, NotThere):
        assert raised.value.deleted is (status == 410)
    elif error is Refused:
        assert raised.value.issue_codes == ("not-supported",)


def test_the_pause_doubles_and_the_server_may_ask_for_a_longer_one() -> None:
    def pauses(failure: Unavailable) -> list[float]:
        return [pause_after(failure, attempt=attempt, pause_seconds=0.5) for attempt in range(4)]

    assert pauses(Unavailable("")) == [0.5, 1.0, 2.0, 4.0]
    assert pauses(Unavailable("", retry_after_seconds=3.0)) == [3.0, 3.0, 3.0, 4.0]
    assert pauses(Unavailable("", retry_after_seconds=86400.0)) == [60.0] * 4


def test_it_waits_as_long_as_the_server_asks() -> None:
    with client_of(in_order(reply({}, status=429, Retry_After="1"), reply(PATIENT))) as (client, _):
        begun = time.monotonic()
        client.read("Patient", "12")
        assert 1.0 <= time.monotonic() - begun < 3.0


def test_a_retry_after_may_be_a_moment() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    moment = format_datetime(now + timedelta(seconds=30), usegmt=True)
    assert retry_after_seconds(moment, now=now) == 30.0


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_retry_after_that_asks_for_nothing(header: str | None) -> None:
    assert retry_after_seconds(header, now=datetime.now(UTC)) == 0.0


NOT_AN_ANSWER: Sequence[tuple[str, Reply, type[EhrError]]] = [
    ("html", reply(b"<html>log in</html>", Content_Type="text/html"), Refused),
    ("half", reply(b'{"resourceType":"Bundle","entry":[{"res', Content_Type="application/fhir+json"), Unavailable),
    ("nothing", reply(b""), Refused),
    ("list", reply([PATIENT]), Refused),
    ("patient", reply(PATIENT), Refused),
    ("history", reply({"resourceType": "Bundle", "type": "history"}), Refused),
    ("deep", reply(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), Refused),
    ("rather deep", reply(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"), Refused),
    ("not utf-8", reply(b'{"a":"\xff"}', Content_Type="application/json"), Unavailable),
    ("redirect", reply(b"", status=302, Location="https://elsewhere.example/"), Refused),
    ("link of another kind", reply(searchset(next_url="ftp://ehr.example/")), Refused),
    ("unreadable link", reply(searchset(next_url="http://[::1/")), Refused),
]


@pytest.mark.parametrize(("answer", "error"), [one[1:] for one in NOT_AN_ANSWER], ids=[one[0] for one in NOT_AN_ANSWER])
def test_what_is_no_answer_is_said_without_its_content(answer: Reply, error: type[EhrError]) -> None:
    raised = error_of(answer)
    assert isinstance(raised, error)
    assert "127.0.0.1" in str(raised) or "an address that cannot be read" in str(raised)
    assert not {"log in", "res", "elsewhere", "ftp"} & set(str(raised).split())


def test_another_resource_than_was_asked_for_is_refused() -> None:
    with (
        client_of(lambda _: reply({"resourceType": "Patient", "id": "13"})) as (client, _),
        pytest.raises(Refused, match="another Patient"),
    ):
        client.read("Patient", "12")


def test_pages_that_go_round_or_never_end_are_given_up() -> None:
    assert "circle" in str(error_of(reply(searchset(next_url="?patient=12"))))
    numbers = count()

    def further(_request: Received) -> Reply:
        return reply(searchset(next_url=f"?page={next(numbers)}"))

    with client_of(further, max_pages=20) as (client, server), pytest.raises(Refused, match="more than 20 pages"):
        list(client.search("Observation", {}))
    assert len(server.received) == 20


def test_a_search_that_is_too_large_in_all_is_given_up() -> None:
    numbers = count()

    def further(_request: Received) -> Reply:
        return reply(searchset({**OBSERVATION, "x": "y" * 1000}, next_url=f"?page={next(numbers)}"))

    with client_of(further, max_bytes=5_000) as (client, server), pytest.raises(TooLarge):
        list(client.search("Observation", {}))
    assert len(server.received) == 5


@pytest.mark.requirement("SM-09")
def test_a_link_to_another_server_is_not_followed() -> None:
    def nothing(_request: Received) -> Reply:
        raise AssertionError("this server must not be asked")

    with client_of(nothing) as (_, elsewhere):
        leading = [f"{elsewhere.base_url}/fhir/Observation?page=2", "https://127.0.0.1/fhir", "//elsewhere.example/x"]
        for url in leading:
            assert "another server" in str(error_of(reply(searchset(next_url=url))))
        assert elsewhere.received == []


def test_depth_is_counted_in_objects_and_lists() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    read_json(nested(DEEPEST))
    with pytest.raises(TooDeep):
        read_json(nested(DEEPEST + 1))


def test_json_on_the_wire_loses_nothing() -> None:
    assert write_json(read_json(b'{"a":1.10,"b":"\\ud800","c":12345678901234567890.12}')) == (
        b'{"a":1.10,"b":"\\ud800","c":12345678901234567890.12}'
    )
