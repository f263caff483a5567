"""Access tokens that must not be believed, each by what is wrong with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.servers.token_server import TokenServer, new_key


def _segment(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _signed(server: TokenServer, payload: bytes, **header: Any) -> str:
    """Any bytes as a payload, signed as they are."""
    head = {"alg": "RS384", "kid": server.key.kid, **header}
    registry = jws.JWSRegistry(algorithms=[str(head["alg"])], strict_check_header=False)
    return jws.serialize_compact(head, payload, server.key, registry=registry)


def _with(**claims: Any) -> Callable[[TokenServer], str]:
    return lambda server: server.token(**claims)


def _unsigned(server: TokenServer) -> str:
    return f"{_segment({'alg': 'none', 'kid': server.key.kid, 'typ': 'JWT'})}.{_segment(server.claims())}."


def _signed_with_the_public_key(server: TokenServer) -> str:
    """HS256, the secret being what everybody can read: the mistake of verifiers that take `alg` at its word."""
    assert isinstance(server.key, RSAKey)
    public = server.key.as_pem(private=False)  # as such verifiers hold it
    head, said = _segment({"alg": "HS256", "kid": server.key.kid}), _segment(server.claims())
    signature = hmac.new(public, f"{head}.{said}".encode(), hashlib.sha256).digest()
    return f"{head}.{said}.{_segment(signature)}"


def _signed_by_another(server: TokenServer) -> str:
    return server.token(key=new_key())


def _of_another_type(server: TokenServer) -> str:
    key = ECKey.generate_key("P-384", {"kid": str(server.key.kid)})
    return server.token(header={"alg": "ES384"}, key=key)


def _changed(server: TokenServer) -> str:
    head, _, signature = server.token(scope="system/Patient.rs").split(".")
    return f"{head}.{_segment(server.claims(scope='system/*.cruds'))}.{signature}"


def _with_more(more: bytes) -> Callable[[TokenServer], str]:
    """Good claims, and one more that is written by hand."""
    return lambda server: _signed(server, json.dumps(server.claims()).encode()[:-1] + b',"more":' + more + b"}")


def _header(said: Any) -> Callable[[TokenServer], str]:
    return lambda server: f"{_segment(said)}.{_segment(server.claims())}.{_segment(b'signature')}"


def _cut(server: TokenServer) -> str:
    return server.token()[:-1]


def _padded(server: TokenServer) -> str:
    head, said, signature = server.token().split(".")
    return f"{head}.{said}=.{signature}"


BAD_TOKENS: Mapping[str, Callable[[TokenServer], str]] = {
    "expired": _with(expires_in=-1),
    "without an end": _with(exp=None),
    "an end that is a word": _with(exp="tomorrow"),
    "an end that is no number": _with(exp=float("nan")),
    "an end that is true": _with(exp=True),
    "not yet good": lambda server: server.token(nbf=int(time.time()) + 120),
    "issued in the future": lambda server: server.token(iat=int(time.time()) + 120),
    "for another": _with(aud="https://another.example/fhir"),
    "for several others": _with(aud=["https://another.example/fhir", "https://third.example"]),
    "for nobody": _with(aud=None),
    "an audience that is a number": _with(aud=7),
    "of another issuer": _with(iss="https://another.example"),
    "of no issuer": _with(iss=None),
    "unsigned": _unsigned,
    "HS256 by the public key": _signed_with_the_public_key,
    "HS256 by a key in the header": lambda server: server.token(
        header={"alg": "HS256"}, key=OctKey.import_key("k" * 32)
    ),
    "an unknown kid": _with(header={"kid": "nobody"}),
    "no kid": _with(header={"kid": None}),
    "a key of another type": _of_another_type,
    "signed by another": _signed_by_another,
    "changed": _changed,
    "cut": _cut,
    "padded": _padded,
    "jku to another host": _with(header={"jku": "https://evil.example/jwks"}),
    "jku to its own host": lambda server: server.token(header={"jku": server.jwks_url}),
    "a key of its own": lambda server: server.token(header={"jwk": server.key.as_dict(private=False)}),
    "x5u": _with(header={"x5u": "https://evil.example/chain"}),
    "x5c": _with(header={"x5c": ["MIIB"]}),
    "crit": _with(header={"crit": ["kid"]}),
    "crit that is a number": _header({"alg": "RS384", "kid": "1", "crit": 5}),
    "an alg that is a list": _header({"alg": ["RS384"], "kid": "1"}),
    "a kid that is a list": _header({"alg": "RS384", "kid": ["1"]}),
    "a header that is a list": _header(["alg"]),
    "a header that is a word": _header("alg kid"),
    "a header that is no JSON": _header(b"{"),
    "a header nested deep": _header(b'{"alg":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "nested deep": _with_more(b"[" * 5000 + b"]" * 5000),
    "no object": lambda server: _signed(server, json.dumps([server.claims()]).encode()),
    "no JSON": lambda server: _signed(server, b"{"),
    "no UTF-8": _with_more(b'"\xff"'),
    "no base64": lambda server: "a.b.c",
    "no signature": lambda server: server.token().rpartition(".")[0] + ".",
    "oversized": _with(filler="x" * 17_000),
    "empty": lambda server: _signed(server, b"{}"),
    "no client": _with(client_id=None, sub="me"),
    "a client that is a number": _with(client_id=7),
    "a client with a NUL": _with(client_id="a\x00b"),
    "a client with half a character": lambda server: _signed(
        server, json.dumps({**server.claims(), "client_id": "\ud800"}).encode()
    ),
    "a patient that is a list": _with(patient=["p1"]),
    "a user that is an object": _with(fhir_user={"reference": "Practitioner/1"}),
    "a subject that is a number": _with(sub=7),
    "a scope that is a number": _with(scope=7),
    "scopes that are numbers": _with(scp=[7]),
}
