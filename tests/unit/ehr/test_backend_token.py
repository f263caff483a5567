"""SMART Backend Services: how a token is asked for, kept, renewed, and to whom it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ehr.backend_token import BackendToken
from ehr.client import FhirClient
from ehr.errors import EhrError, KeysNotUsable, NotPermitted, Refused, Unavailable
from ehr.history import Seen, fetch_history
from ehr.keys import ALGORITHMS, OwnKeys, new_key, write_keys
from ehr.transport import Transport
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.unit.ehr.clients import LOCAL, searchset
from tests.unit.ehr.token_giver import CONFIGURATION, PATIENT, TokenGiver

PROCEDURE = {"resourceType": "Procedure", "id": "1", "subject": {"reference": "Patient/12"}}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    write_keys(path, [new_key("ES384"), new_key("RS384")])
    return path


@pytest.fixture
def giver(keys: Path) -> TokenGiver:
    return TokenGiver(keys)


class Conversation:
    """Server, token and client together."""

    def __init__(self, giver: TokenGiver, server: Loopback, transport: Transport, keys: Path) -> None:
        giver.token_url = giver.token_url or f"{server.base_url}/token"
        base_url = f"{server.base_url}/fhir"
        self.server = server
        self.token = BackendToken(
            transport, base_url=base_url, client_id="fillertrace", keys=OwnKeys(keys), scope="system/*.rs"
        )
        self.client = FhirClient(transport, base_url, credentials=self.token, attempts=2, pause_seconds=0.01)


@pytest.fixture
def conversation(giver: TokenGiver, keys: Path) -> Iterator[Conversation]:
    with Loopback(giver.answer) as server, Transport(private_hosts=LOCAL) as transport:
        yield Conversation(giver, server, transport, keys)


@pytest.mark.requirement("SM-09")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_assertion_is_signed_with_what_the_server_takes(
    conversation: Conversation, giver: TokenGiver, algorithm: str
) -> None:
    giver.algorithms = [algorithm, "RS256"]
    before = time.time()
    conversation.client.read("Patient", "12")
    (assertion,) = giver.assertions
    assert assertion.header["alg"] == algorithm
    assert assertion.header["typ"] == "JWT"
    claims = assertion.claims
    assert claims["iss"] == claims["sub"] == "fillertrace"
    assert claims["aud"] == giver.token_url
    assert before < claims["exp"] <= before + 300
    assert len(claims["jti"]) >= 22
    assert conversation.token.scope == "system/*.rs"


def test_a_server_that_names_no_algorithms_gets_the_first_key(conversation: Conversation, giver: TokenGiver) -> None:
    giver.algorithms = None
    conversation.client.read("Patient", "12")
    assert giver.assertions[0].header["alg"] == "ES384"


def test_a_token_is_used_again_until_shortly_before_its_end(conversation: Conversation, giver: TokenGiver) -> None:
    for _ in range(3):
        conversation.client.read("Patient", "12")
    assert giver.tokens == ["token-1"]


def test_a_token_that_ends_is_renewed_before(conversation: Conversation, giver: TokenGiver) -> None:
    giver.given["expires_in"] = 1
    conversation.client.read("Patient", "12")
    time.sleep(0.6)
    conversation.client.read("Patient", "12")
    assert giver.tokens == ["token-1", "token-2"]
    asked = [request.headers.get("authorization") for request in conversation.server.received]
    assert [one for one in asked if one] == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.requirement("SM-09")
def test_a_token_that_is_no_longer_taken_is_renewed_once(conversation: Conversation, giver: TokenGiver) -> None:
    conversation.client.read("Patient", "12")
    giver.tokens.append("another one is the newest")
    assert list(conversation.client.search("Patient", {"_id": "12"})) == [PATIENT]
    assert len(giver.assertions) == 2
    assert len({one.claims["jti"] for one in giver.assertions}) == 2

    giver.tokens.append("again another")
    giver._give = lambda _request: reply({"access_token": "never-taken", **giver.given})  # type: ignore[method-assign]
    with pytest.raises(NotPermitted):
        conversation.client.read("Patient", "12")


def test_many_threads_share_one_token(conversation: Conversation, giver: TokenGiver) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = {pool.submit(conversation.token.token) for _ in range(40)}
    assert {token.result() for token in tokens} == {"token-1"}
    assert len(giver.assertions) == 1
    with ThreadPoolExecutor(8) as pool:
        renewed = [pool.submit(conversation.token.renewed, "token-1") for _ in range(40)]
    assert {token.result() for token in renewed} == {"token-2"}


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (reply({"error": "invalid_client", "error_description": "s3cret"}, status=401), NotPermitted, "invalid_client"),
        (reply({"error": "s3cret"}, status=400), NotPermitted, "status 400"),
        (reply(b"s3cret", status=400), NotPermitted, "status 400"),
        (reply({}, status=503), Unavailable, "503"),
        (reply({"access_token": "s3cret\r\nX: y", "token_type": "bearer"}), Refused, "bearer token"),
        (reply({"access_token": "s3cret", "token_type": "mac"}), Refused, "bearer token"),
        (reply({"token_type": "bearer"}), Refused, "bearer token"),
        (reply(b"<html>s3cret</html>"), Refused, "not JSON"),
    ],
)
def test_why_there_is_no_token_is_said_without_secrets(
    conversation: Conversation, giver: TokenGiver, refusal: Reply, error: type[EhrError], says: str
) -> None:
    giver.refusal = refusal
    with pytest.raises(error, match=says) as raised:
        conversation.client.read("Patient", "12")
    assert "s3cret" not in str(raised.value)


def test_a_server_that_takes_none_of_our_algorithms_is_refused(conversation: Conversation, giver: TokenGiver) -> None:
    giver.algorithms = ["RS256", 7]
    with pytest.raises(KeysNotUsable, match="neither RS384 nor ES384"):
        conversation.client.read("Patient", "12")


@pytest.mark.parametrize("token_url", ["http://auth.example/token", "https://127.0.0.2/token", "file:///etc/passwd", 7])
def test_a_token_is_asked_for_at_a_safe_address_only(giver: TokenGiver, keys: Path, token_url: str) -> None:
    giver.token_url = token_url
    with Loopback(giver.answer) as server, Transport(private_hosts=LOCAL) as transport:
        conversation = Conversation(giver, server, transport, keys)
        with pytest.raises(Refused):
            conversation.client.read("Patient", "12")
        assert {request.path for request in server.received} == {CONFIGURATION}


@pytest.mark.requirement("SM-09")
@pytest.mark.parametrize("way", ["link", "redirect", "reference"])
def test_our_token_goes_to_no_other_server(conversation: Conversation, giver: TokenGiver, way: str) -> None:
    """A second server is named by the first in every way it can be, and records what it gets."""
    with Loopback(lambda _: reply(searchset())) as foreign:
        elsewhere = f"{foreign.base_url}/fhir"
        told = {
            "link": reply(searchset(PATIENT, next_url=f"{elsewhere}/Procedure?page=2")),
            "redirect": reply(b"", status=302, Location=f"{elsewhere}/Procedure"),
            "reference": reply(searchset({**PROCEDURE, "performer": [{"reference": f"{elsewhere}/Organization/1"}]})),
        }

        def answer(request: Received) -> Reply:
            return told[way] if request.path.startswith("/fhir/Procedure") else giver.answer(request)

        conversation.server.answer = answer
        history = fetch_history(conversation.client, "12", is_own_output=lambda _: False)
        outcomes = {visit.type: visit.outcome for visit in history.visits}
        assert outcomes["Procedure"] is (Seen.SEEN if way == "reference" else Seen.NOT_FETCHED)
        assert giver.tokens
        assert foreign.received == []
