"""SMART Backend Services: how a token is asked for, kept, renewed, and to whom it goes.

The authorization server is as strict as the specification (tests/servers/token_server.py), and the FHIR server asks it
about every token.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ehr.backend_token import BackendToken
from ehr.client import FhirClient
from ehr.errors import EhrError, KeysNotUsable, NoToken, NotPermitted, Refused, Unavailable
from ehr.history import Seen, fetch_history
from ehr.keys import ALGORITHMS, OwnKeys, new_key, write_keys
from ehr.transport import Transport
from tests.servers.loopback import Loopback, Received, Reply, reply
from tests.servers.token_gate import CONFIGURATION, TokenGate, introspected_at
from tests.servers.token_server import TokenServer
from tests.unit.ehr.clients import LOCAL, searchset

PATIENT = {"resourceType": "Patient", "id": "12"}
PROCEDURE = {"resourceType": "Procedure", "id": "1", "subject": {"reference": "Patient/12"}}
TAKEN = "token_endpoint_auth_signing_alg_values_supported"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    write_keys(path, [new_key("ES384"), new_key("RS384")])
    return path


@pytest.fixture
def issuer(keys: Path) -> Iterator[TokenServer]:
    with TokenServer() as server:
        server.register("fillertrace", scope="system/*.rs", jwks=OwnKeys(keys).public())
        yield server


class Conversation:
    """A FHIR server behind a gate, our token for it, and a client with that token."""

    def __init__(self, gate: TokenGate, transport: Transport, keys: Path, *, token_url: str) -> None:
        self.gate = gate
        self._transport = transport
        self._keys = keys
        self.name(token_url)

    def name(self, token_url: str | None) -> None:
        """Have this named as the server's token endpoint."""
        self.token = BackendToken(
            self._transport,
            base_url=self.gate.base_url,
            client_id="fillertrace",
            keys=OwnKeys(self._keys),
            scope="system/*.rs",
            token_url=token_url,
        )
        self.client = FhirClient(
            self._transport, self.gate.base_url, credentials=self.token, attempts=2, pause_seconds=0.01
        )


@pytest.fixture
def conversation(issuer: TokenServer, keys: Path) -> Iterator[Conversation]:
    gate = TokenGate(one_patient, described=issuer.described, check=introspected_at(issuer))
    with gate, Transport(private_hosts=LOCAL) as transport:
        yield Conversation(gate, transport, keys, token_url=issuer.token_url)


def one_patient(request: Received) -> Reply:
    return reply(PATIENT) if request.path.startswith("/fhir/Patient/") else reply(searchset(PATIENT))


@pytest.mark.requirement("SM-09")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_assertion_is_signed_with_what_the_server_takes(
    conversation: Conversation, issuer: TokenServer, algorithm: str
) -> None:
    issuer.described[TAKEN] = [algorithm, "RS256"]
    before = time.time()
    conversation.client.read("Patient", "12")
    (assertion,) = issuer.assertions
    assert assertion.header["alg"] == algorithm
    claims = assertion.claims
    assert claims["iss"] == claims["sub"] == "fillertrace"
    assert before < claims["exp"] <= before + 300
    assert len(claims["jti"]) >= 22
    assert conversation.token.scope == "system/*.rs"


def test_a_server_that_names_no_algorithms_gets_the_first_key(conversation: Conversation, issuer: TokenServer) -> None:
    del issuer.described[TAKEN]
    conversation.client.read("Patient", "12")
    assert issuer.assertions[0].header["alg"] == "ES384"


def test_a_token_is_used_again_until_shortly_before_its_end(conversation: Conversation, issuer: TokenServer) -> None:
    for _ in range(3):
        conversation.client.read("Patient", "12")
    assert len(conversation.gate.tokens) == len(issuer.assertions) == 1


def test_a_token_that_ends_is_renewed_before(conversation: Conversation, issuer: TokenServer) -> None:
    issuer.life_seconds = 2
    conversation.client.read("Patient", "12")
    time.sleep(1.1)
    conversation.client.read("Patient", "12")
    assert len(conversation.gate.tokens) == len(issuer.assertions) == 2
    assert conversation.gate.refused == []


@pytest.mark.requirement("SM-09")
def test_a_token_that_is_no_longer_taken_is_renewed_once(conversation: Conversation, issuer: TokenServer) -> None:
    conversation.client.read("Patient", "12")
    issuer.revoke(conversation.gate.tokens[-1])
    assert list(conversation.client.search("Patient", {"_id": "12"})) == [PATIENT]
    assert len(issuer.assertions) == len(conversation.gate.tokens) == 2

    issuer.revoke(conversation.gate.tokens[-1])
    issuer.audience = "https://another.example/fhir"  # so its tokens are for somebody else from now on
    with pytest.raises(NotPermitted):
        conversation.client.read("Patient", "12")
    assert len(issuer.assertions) == 3
    assert len(conversation.gate.refused) == 3


def test_many_threads_share_one_token(conversation: Conversation, issuer: TokenServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = {one.result() for one in [pool.submit(conversation.token.token) for _ in range(40)]}
    (first,) = tokens
    assert len(issuer.assertions) == 1
    with ThreadPoolExecutor(8) as pool:
        renewed = {one.result() for one in [pool.submit(conversation.token.renewed, first) for _ in range(40)]}
    assert len(renewed - tokens) == 1
    assert len(issuer.assertions) == 2


@pytest.mark.parametrize(
    ("refusal", "error", "says"),
    [
        (reply({"error": "invalid_client", "error_description": "s3cret"}, status=401), Unavailable, "invalid_client"),
        (reply({"error": "invalid_scope"}, status=400), NotPermitted, "invalid_scope"),
        (reply({"error": "s3cret"}, status=400), NotPermitted, "status 400"),
        (reply(b"s3cret", status=400), NotPermitted, "status 400"),
        (reply({}, status=503), Unavailable, "503"),
        (reply({"access_token": "s3cret\r\nX: y", "token_type": "bearer"}), NoToken, "bearer token"),
        (reply({"access_token": "s3cret", "token_type": "mac"}), NoToken, "bearer token"),
        (reply({"token_type": "bearer"}), NoToken, "bearer token"),
        (reply(b"<html>s3cret</html>"), NoToken, "not JSON"),
        (reply({}, status=404), NoToken, "404"),
    ],
)
def test_why_there_is_no_token_is_said_without_secrets(
    conversation: Conversation, issuer: TokenServer, refusal: Reply, error: type[EhrError], says: str
) -> None:
    with Loopback(lambda _: refusal) as refusing:
        issuer.described["token_endpoint"] = f"{refusing.base_url}/token"
        conversation.name(f"{refusing.base_url}/token")
        with pytest.raises(error, match=says) as raised:
            conversation.client.read("Patient", "12")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("status", [404, 410, 501])
def test_a_token_that_cannot_be_had_is_never_taken_for_a_resource_that_is_not_there(
    conversation: Conversation, issuer: TokenServer, status: int
) -> None:
    """Else a record would seem empty, and what was fetched before seem deleted."""
    conversation.client.read("Patient", "12")
    issuer.revoke(conversation.gate.tokens[-1])
    with Loopback(lambda _: reply({}, status=status)) as gone:
        issuer.described["token_endpoint"] = f"{gone.base_url}/token"
        conversation.name(f"{gone.base_url}/token")
        with pytest.raises(NoToken):
            conversation.client.read("Procedure", "1")


def test_a_server_that_takes_none_of_our_algorithms_is_refused(conversation: Conversation, issuer: TokenServer) -> None:
    issuer.described[TAKEN] = ["RS256", 7]
    with pytest.raises(KeysNotUsable, match="neither RS384 nor ES384"):
        conversation.client.read("Patient", "12")


@pytest.mark.parametrize("token_url", ["http://auth.example/token", "https://127.0.0.2/token", "file:///etc/passwd", 7])
def test_a_token_is_asked_for_at_a_safe_address_only(
    conversation: Conversation, issuer: TokenServer, token_url: str
) -> None:
    issuer.described["token_endpoint"] = token_url
    conversation.name(str(token_url))
    with pytest.raises(Refused):
        conversation.client.read("Patient", "12")
    assert {request.path for request in conversation.gate.received} == {CONFIGURATION}


@pytest.mark.parametrize("named", [None, "another"])
def test_our_assertion_goes_to_no_token_endpoint_but_the_server_s_own_and_the_one_that_was_named(
    conversation: Conversation, issuer: TokenServer, named: str | None
) -> None:
    """The server names the token endpoint of another one that knows us: its token would be shown to the first."""
    conversation.name(named and f"{issuer.issuer}/{named}")
    with pytest.raises(NoToken, match="FILLERTRACE_EHR_TOKEN_URLS"):
        conversation.client.read("Patient", "12")
    assert issuer.received == []
    assert {request.path for request in conversation.gate.received} == {CONFIGURATION}


def test_the_token_endpoint_of_the_server_itself_needs_no_naming(
    conversation: Conversation, issuer: TokenServer
) -> None:
    """The gate has none, so it answers as for any request without a token: no more is asked here than where."""
    own = conversation.gate.base_url.removesuffix("/fhir") + "/token"
    issuer.described["token_endpoint"] = own
    conversation.name(None)
    with pytest.raises(NotPermitted):
        conversation.client.read("Patient", "12")
    assert [request.path for request in conversation.gate.received] == [CONFIGURATION, "/token"]


@pytest.mark.requirement("SM-09")
def test_our_token_goes_to_the_server_it_is_for_and_not_to_who_gave_it(
    conversation: Conversation, issuer: TokenServer
) -> None:
    conversation.client.read("Patient", "12")
    (token,) = conversation.gate.tokens
    configuration, asked = conversation.gate.received
    assert "authorization" not in configuration.headers
    assert asked.headers["authorization"] == f"Bearer {token}"
    (form,) = [request for request in issuer.received if request.path == "/token"]
    assert "authorization" not in form.headers


@pytest.mark.requirement("SM-09")
@pytest.mark.parametrize("way", ["link", "redirect", "reference"])
def test_our_token_goes_to_no_other_server(conversation: Conversation, way: str) -> None:
    """A second server is named by the first in every way it can be, and records what it gets."""
    with Loopback(lambda _: reply(searchset())) as foreign:
        elsewhere = f"{foreign.base_url}/fhir"
        told = {
            "link": reply(searchset(PATIENT, next_url=f"{elsewhere}/Procedure?page=2")),
            "redirect": reply(b"", status=302, Location=f"{elsewhere}/Procedure"),
            "reference": reply(searchset({**PROCEDURE, "performer": [{"reference": f"{elsewhere}/Organization/1"}]})),
        }

        def answer(request: Received) -> Reply:
            return told[way] if request.path.startswith("/fhir/Procedure") else one_patient(request)

        conversation.gate.upstream = answer
        history = fetch_history(conversation.client, "12", is_own_output=lambda _: False)
        outcomes = {visit.type: visit.outcome for visit in history.visits}
        assert outcomes["Procedure"] is (Seen.SEEN if way == "reference" else Seen.NOT_FETCHED)
        assert conversation.gate.tokens
        assert foreign.received == []
