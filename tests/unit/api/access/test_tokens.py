"""Signed tokens: who is believed, and what is not, with the keys of a real token server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OKPKey

from api.access.caller import Caller
from api.access.errors import NotAuthenticated
from api.access.issuer import Issuer
from api.access.key_set import KEY_TYPES, KeySet
from api.access.tokens import LONGEST, is_signed, read_token
from ehr.transport import Transport
from fhir_mappings.smart_scopes import parse_scopes
from tests.servers.bad_tokens import BAD_TOKENS
from tests.servers.token_server import TokenServer


@pytest.fixture
def keys(server: TokenServer, transport: Transport) -> KeySet:
    issuer = Issuer(server.issuer, transport=transport, seconds=300)
    return KeySet(issuer, url=None, seconds=300)


def _read(server: TokenServer, keys: KeySet, token: str, *, later: float = 0) -> Caller:
    return read_token(
        token,
        find_key=lambda kid, algorithm: keys.find(kid, algorithm=algorithm),
        issuer=server.issuer,
        audience=server.audience,
        now=datetime.now(UTC) + timedelta(seconds=later),
    )


@pytest.mark.requirement("SM-06")
def test_a_good_token_says_who_calls_and_what_they_may_do(server: TokenServer, keys: KeySet) -> None:
    token = server.token(
        scope="openid launch user/Observation.rs user/Observation.dus patient/*.read",
        client_id="app",
        sub="u-7",
        patient="p-1",
        fhir_user="https://ehr.example/fhir/Practitioner/7",
    )
    assert is_signed(token)
    assert _read(server, keys, token) == Caller(
        client_id="app",
        subject="u-7",
        user="https://ehr.example/fhir/Practitioner/7",
        patient="p-1",
        scopes=parse_scopes("user/Observation.rs patient/*.rs"),
        verified=True,
    )


@pytest.mark.requirement("SM-06")
@pytest.mark.parametrize("wrong", BAD_TOKENS)
def test_a_bad_token_is_nobody_s_and_the_reason_is_not_told(server: TokenServer, keys: KeySet, wrong: str) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        _read(server, keys, BAD_TOKENS[wrong](server))
    assert type(refused.value) is NotAuthenticated
    assert (refused.value.args, refused.value.__cause__) == ((), None)
    assert _read(server, keys, server.token()).client_id == "tests"


@pytest.mark.parametrize(
    ("claims", "client_id"),
    [
        ({"azp": "by-azp"}, "by-azp"),
        ({"cid": "by-cid"}, "by-cid"),
        ({"azp": "by-azp", "cid": "by-cid"}, "by-azp"),
    ],
)
def test_the_client_is_found_by_the_names_that_issuers_use(
    server: TokenServer, keys: KeySet, claims: dict[str, str], client_id: str
) -> None:
    assert _read(server, keys, server.token(client_id=None, sub="s", **claims)).client_id == client_id


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "system/Patient.r system/Observation.rs"},
        {"scope": ["system/Patient.r", "system/Observation.rs"]},
        {"scope": None, "scp": "system/Patient.r system/Observation.rs"},
        {"scope": "system/Patient.r", "scp": ["system/Observation.rs"]},
    ],
)
def test_scopes_are_text_or_a_list_by_either_name(server: TokenServer, keys: KeySet, claims: dict[str, Any]) -> None:
    found = _read(server, keys, server.token(**claims)).scopes
    assert found == parse_scopes("system/Patient.r system/Observation.rs")


def test_a_token_without_scopes_is_somebody_s_who_may_nothing(server: TokenServer, keys: KeySet) -> None:
    assert _read(server, keys, server.token(scope=None)).scopes == ()


@pytest.mark.requirement("SM-06")
def test_the_audience_may_be_one_of_several(server: TokenServer, keys: KeySet) -> None:
    token = server.token(aud=["https://another.example", server.audience])
    assert _read(server, keys, token).client_id == "tests"


@pytest.mark.requirement("SM-06")
def test_clocks_may_differ_by_half_a_minute_but_the_end_is_the_end(server: TokenServer, keys: KeySet) -> None:
    now = int(datetime.now(UTC).timestamp())
    token = server.token(nbf=now + 25, iat=now + 25, expires_in=60)
    assert _read(server, keys, token).client_id == "tests"
    assert _read(server, keys, token, later=58).client_id == "tests"
    with pytest.raises(NotAuthenticated):
        _read(server, keys, token, later=60)


def _publish(server: TokenServer, key: Key) -> None:
    server.key = key
    server.keys = [key.as_dict(private=False)]


_KEYS: dict[str, Key] = {
    "ES256": ECKey.generate_key("P-256", {"kid": "e256"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "e384"}),
    "ES512": ECKey.generate_key("P-521", {"kid": "e521"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
    "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", KEY_TYPES)
def test_each_algorithm_of_the_list_is_believed(server: TokenServer, keys: KeySet, algorithm: str) -> None:
    if algorithm in _KEYS:
        _publish(server, _KEYS[algorithm])
    assert _read(server, keys, server.token(header={"alg": algorithm})).client_id == "tests"


def test_a_key_signs_by_its_own_algorithm_and_curve_only(server: TokenServer, keys: KeySet) -> None:
    server.keys = [{**server.key.as_dict(private=False), "alg": "RS384"}, _KEYS["ES256"].as_dict(private=False)]
    assert _read(server, keys, server.token()).client_id == "tests"
    with pytest.raises(NotAuthenticated):
        _read(server, keys, server.token(header={"alg": "RS256"}))
    other_curve = ECKey.generate_key("P-384", {"kid": "e256"})
    with pytest.raises(NotAuthenticated):
        _read(server, keys, server.token(header={"alg": "ES384"}, key=other_curve))


def test_the_longest_token_is_read(server: TokenServer, keys: KeySet) -> None:
    plain = len(server.token(filler=""))
    token = server.token(filler="x" * ((LONGEST - plain) * 3 // 4))
    assert LONGEST - 4 <= len(token) <= LONGEST
    assert _read(server, keys, token).client_id == "tests"


@given(text=st.text() | st.from_regex(r"\A[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\Z"))
def test_no_text_does_more_than_not_be_believed(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        read_token(text, find_key=lambda kid, algorithm: None, issuer="https://i", audience="a", now=datetime.now(UTC))
