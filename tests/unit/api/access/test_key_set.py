"""The issuer's keys: when they are fetched, how long they are used, and that nothing passes without them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from api.access.errors import IssuerAway
from api.access.issuer import Issuer
from api.access.key_set import KeySet
from ehr.transport import Transport
from tests.servers.token_server import TokenServer
from tests.unit.api.access.issuer import Clock

SECONDS = 300


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(server: TokenServer, transport: Transport, clock: Clock) -> KeySet:
    return _keys(server, transport, clock)


def _keys(server: TokenServer, transport: Transport, clock: Clock, *, url: str | None = None) -> KeySet:
    issuer = Issuer(server.issuer, transport=transport, seconds=SECONDS, clock=clock)
    return KeySet(issuer, url=url, seconds=SECONDS, clock=clock)


def _finds(keys: KeySet, server: TokenServer) -> bool:
    return keys.find(str(server.key.kid), algorithm="RS384") is not None


def test_they_are_fetched_once_and_again_when_they_are_old(server: TokenServer, keys: KeySet, clock: Clock) -> None:
    for _ in range(5):
        assert _finds(keys, server)
    assert server.asked["/jwks"] == 1
    clock.now += SECONDS + 1
    assert _finds(keys, server)
    assert server.asked["/jwks"] == 2


@pytest.mark.requirement("SM-06")
def test_a_key_that_is_no_longer_published_is_believed_no_longer(
    server: TokenServer, keys: KeySet, clock: Clock
) -> None:
    kid = str(server.key.kid)
    assert _finds(keys, server)
    server.renew_key()
    clock.now += SECONDS + 1
    assert keys.find(kid, algorithm="RS384") is None


def test_a_new_key_is_looked_for_at_once_but_not_for_every_strange_token(
    server: TokenServer, keys: KeySet, clock: Clock
) -> None:
    assert _finds(keys, server)
    clock.now += 11
    server.renew_key(keep=True)
    assert _finds(keys, server)
    assert server.asked["/jwks"] == 2
    for number in range(20):
        assert keys.find(f"strange-{number}", algorithm="RS384") is None
    assert server.asked["/jwks"] == 2
    clock.now += 11
    assert keys.find("strange", algorithm="RS384") is None
    assert server.asked["/jwks"] == 3


def test_a_key_of_another_type_is_not_asked_for_again(server: TokenServer, keys: KeySet, clock: Clock) -> None:
    assert _finds(keys, server)
    clock.now += 11
    assert keys.find(str(server.key.kid), algorithm="ES384") is None
    assert server.asked["/jwks"] == 1


def test_old_keys_do_for_an_hour_while_the_issuer_is_away(server: TokenServer, keys: KeySet, clock: Clock) -> None:
    assert _finds(keys, server)
    server.away = True
    clock.now += SECONDS + 3600
    assert _finds(keys, server)
    clock.now += 1
    with pytest.raises(IssuerAway):
        _finds(keys, server)
    clock.now += 11
    server.away = False
    assert _finds(keys, server)


def test_without_keys_nobody_passes_and_the_issuer_is_not_stormed(
    server: TokenServer, keys: KeySet, clock: Clock
) -> None:
    server.away = True
    for _ in range(5):
        with pytest.raises(IssuerAway):
            _finds(keys, server)
    assert sum(server.asked.values()) == 1


@pytest.mark.parametrize("said", [[], {}, "keys", [{"kty": "oct", "kid": "1", "k": "c2VjcmV0"}], [7], [{"kid": "1"}]])
def test_a_set_without_a_usable_key_is_no_set(server: TokenServer, keys: KeySet, said: Any) -> None:
    server.keys = said
    with pytest.raises(IssuerAway):
        keys.find("1", algorithm="RS384")


def test_what_is_not_understood_in_a_set_costs_nothing_else(server: TokenServer, keys: KeySet) -> None:
    good = server.key.as_dict(private=False)
    strange: list[Any] = [
        {"kty": "AKP", "kid": "new", "alg": "ML-DSA-44", "pub": "AAAA"},
        {"kty": "EC", "kid": "curve", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "point", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "half"},
        {"kty": "RSA", "kid": "text", "n": "?" * 400, "e": "AQAB"},
        {**good, "kid": "encrypts", "use": "enc"},
        {name: value for name, value in good.items() if name != "kid"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        "key",
    ]
    server.keys = [*strange, good]
    assert _finds(keys, server)
    for kid in ("new", "curve", "point", "half", "text", "encrypts", "shared"):
        for algorithm in ("RS384", "ES256", "HS256"):
            assert keys.find(kid, algorithm=algorithm) is None


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_short_rsa_key_is_not_used(server: TokenServer, keys: KeySet) -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"})
    server.keys = [short.as_dict(private=False), server.key.as_dict(private=False)]
    assert keys.find("short", algorithm="RS384") is None


def test_their_address_is_the_setting_or_the_issuer_s_word(
    server: TokenServer, transport: Transport, clock: Clock
) -> None:
    del server.described["jwks_uri"]
    with pytest.raises(IssuerAway):
        _finds(_keys(server, transport, clock), server)
    assert _finds(_keys(server, transport, clock, url=server.jwks_url), server)
    server.described = {**server.described, "issuer": "https://another.example", "jwks_uri": server.jwks_url}
    with pytest.raises(IssuerAway):
        _finds(_keys(server, transport, clock), server)


def test_the_issuer_is_not_asked_at_an_address_inside(server: TokenServer, clock: Clock) -> None:
    with Transport() as outside, pytest.raises(IssuerAway):
        _finds(_keys(server, outside, clock), server)
    assert not server.asked


def test_many_threads_bring_one_question(server: TokenServer, keys: KeySet, clock: Clock) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: _finds(keys, server), range(64)))
        assert server.asked["/jwks"] == 1
        clock.now += 11
        server.renew_key()
        assert all(pool.map(lambda _: _finds(keys, server), range(64)))
    assert server.asked["/jwks"] == 2
