"""Tokens that only the issuer understands: it is asked, its word counts, and is remembered for a short time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access.authority import Authority, authority_of
from api.access.caller import Caller
from api.access.errors import IssuerAway, NotAuthenticated
from api.settings import ApiSettings
from ehr.transport import Transport
from fhir_mappings.smart_scopes import parse_scopes
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import smart_settings

Ask = Callable[..., Caller]


def _authority(server: TokenServer, transport: Transport, **others: Any) -> Authority:
    return authority_of(ApiSettings(**smart_settings(server, **others)), transport)


@pytest.fixture
def ask(server: TokenServer, transport: Transport) -> Ask:
    authority = _authority(server, transport)
    return lambda token, later=0.0: authority.caller(token, now=datetime.now(UTC) + timedelta(seconds=later))


@pytest.mark.requirement("SM-07")
def test_an_active_token_says_who_calls_and_what_they_may_do(server: TokenServer, ask: Ask) -> None:
    token = server.opaque_token(
        scope="launch/patient patient/Observation.rs",
        client_id="app",
        sub="u-7",
        patient="p-1",
        fhir_user="Practitioner/7",
    )
    assert ask(token) == Caller(
        client_id="app",
        subject="u-7",
        user="Practitioner/7",
        patient="p-1",
        scopes=parse_scopes("patient/Observation.rs"),
        verified=True,
    )


@pytest.mark.requirement("SM-07")
@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": None},
        {"client_id": None, "sub": "s"},
        {"client_id": None, "sub": "s", "azp": "app"},
        {"exp": None},
        {"exp": "soon"},
        {"scope": ["system/*.cruds"]},
        {"iss": "https://another.example"},
        {"aud": "https://another.example/fhir"},
        {"aud": ["https://another.example/fhir"]},
        {"active": "true"},
        {"active": 1},
        {"patient": {"id": "p"}},
        {"client_id": 7},
    ],
)
def test_what_is_missing_or_not_for_us_is_nobody_s_token(server: TokenServer, ask: Ask, wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        ask(server.opaque_token(**wrong))


@pytest.mark.requirement("SM-07")
def test_a_token_that_is_not_active_is_nobody_s(server: TokenServer, ask: Ask) -> None:
    for token in ("unknown", server.opaque_token(expires_in=-1), "x" * 20_000):
        with pytest.raises(NotAuthenticated):
            ask(token)
    assert server.asked["/introspect"] == 2  # the long one is not even asked about


@pytest.mark.requirement("SM-07")
def test_issuer_and_audience_may_be_left_out(server: TokenServer, ask: Ask) -> None:
    assert ask(server.opaque_token(iss=None, aud=None)).client_id == "tests"


def test_an_end_that_never_comes_is_an_end(server: TokenServer, ask: Ask) -> None:
    assert ask(server.opaque_token(exp=10**400)).client_id == "tests"


@pytest.mark.requirement("SM-07")
def test_the_answer_is_remembered_for_a_minute(server: TokenServer, ask: Ask) -> None:
    token = server.opaque_token()
    for later in (0, 30, 59):
        ask(token, later=later)
    assert server.asked["/introspect"] == 1
    server.revoke(token)
    with pytest.raises(NotAuthenticated):
        ask(token, later=61)


@pytest.mark.requirement("SM-07")
def test_the_answer_is_remembered_no_longer_than_the_token_is_good(server: TokenServer, ask: Ask) -> None:
    token = server.opaque_token(expires_in=20)
    ask(token)
    ask(token, later=15)
    assert server.asked["/introspect"] == 1
    with pytest.raises(NotAuthenticated):
        ask(token, later=21)


@pytest.mark.requirement("SM-07")
def test_a_signed_token_is_not_asked_about_and_a_bad_one_gets_no_second_chance(server: TokenServer, ask: Ask) -> None:
    ask(server.token())
    with pytest.raises(NotAuthenticated):
        ask(server.token(expires_in=-1))
    with pytest.raises(NotAuthenticated):
        ask(server.token(aud="https://another.example/fhir"))
    assert server.asked["/introspect"] == 0


def test_without_introspection_only_signed_tokens_are_taken(server: TokenServer, transport: Transport) -> None:
    nothing = dict.fromkeys(("introspection_url", "introspection_client_id", "introspection_client_secret"))
    authority = _authority(server, transport, **nothing)
    with pytest.raises(NotAuthenticated):
        authority.caller(server.opaque_token(), now=datetime.now(UTC))
    assert not server.asked


@pytest.mark.requirement("SM-07")
def test_nobody_passes_while_the_issuer_cannot_be_asked(
    server: TokenServer, transport: Transport, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    token = server.opaque_token()
    wrong_secret = _authority(server, transport, introspection_client_secret="wrong")
    with pytest.raises(IssuerAway):
        wrong_secret.caller(token, now=datetime.now(UTC))
    server.away = True
    with pytest.raises(IssuerAway):
        ask(token)
    server.away = False
    assert ask(token).client_id == "tests"
    written = capsys.readouterr()
    assert "issuer-away" in written.out
    assert token not in written.out + written.err
    assert "wrong" not in written.out + written.err
