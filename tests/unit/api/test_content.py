import pytest
from starlette.requests import Request

from api.content import Preferences, check_accept, check_content_type, read_preferences
from api.errors import RequestRefused


def _request(*, query: str = "", **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": named, "query_string": query.encode()})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], Preferences()),
        (["respond-async"], Preferences(respond_async=True)),
        (["respond-async, wait=5"], Preferences(respond_async=True, wait_seconds=5)),
        (["return=minimal", 'wait="7"; x=1'], Preferences(wait_seconds=7, returns="minimal")),
        (['return="operationoutcome"; handling=strict'], Preferences(returns="OperationOutcome", handling="strict")),
        (["return=everything, handling=rough"], Preferences()),
        (["wait=-1"], Preferences()),
        (["wait=soon"], Preferences()),
        (["RESPOND-ASYNC;async-result=redirect"], Preferences(respond_async=True, async_result="redirect")),
    ],
)
def test_preferences(headers: list[str], expected: Preferences) -> None:
    assert read_preferences(headers) == expected


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+json",
        "application/json",
        "*/*",
        "text/html, */*;q=0.8",
        'application/fhir+json; fhirVersion="4.0"; charset=UTF-8',
        "application/fhir+xml;q=0.9, application/fhir+json;q=0.5",
    ],
)
def test_a_client_that_reads_fhir_json_is_served(accept: str) -> None:
    check_accept(_request(accept=accept))


@pytest.mark.parametrize(
    "accept",
    ["application/fhir+xml", "text/html", "application/fhir+json;q=0", "application/fhir+json; fhirVersion=5.0"],
)
def test_a_client_that_does_not_is_told(accept: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        check_accept(_request(accept=accept))
    assert refused.value.status == 406


def test_format_wins_over_accept() -> None:
    check_accept(_request(query="_format=application/fhir+json", accept="text/html"))
    with pytest.raises(RequestRefused):
        check_accept(_request(query="_format=xml", accept="application/fhir+json"))


@pytest.mark.parametrize("content_type", ["application/fhir+json", "application/json; charset=utf-8", ""])
def test_json_bodies_are_taken(content_type: str) -> None:
    check_content_type(_request(content_type=content_type))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+xml",
        "text/plain",
        "application/fhir+json; charset=latin-1",
        "application/json; fhirVersion=3.0",
    ],
)
def test_other_bodies_are_not(content_type: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        check_content_type(_request(content_type=content_type))
    assert refused.value.status == 415


def test_a_packed_body_is_not_taken() -> None:
    with pytest.raises(RequestRefused):
        check_content_type(_request(content_encoding="gzip"))
