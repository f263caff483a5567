"""This file tells from a signed token (JWT, RFC 7519 and RFC 8725) who calls.

Whatever is wrong with a token, the answer is the same NotAuthenticated: it helps nobody to make a better one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from api.access.caller import Caller
from api.access.claims import read_claims
from api.access.errors import NotAuthenticated
from api.access.key_set import KEY_TYPES
from fhir_mappings.resource_json import loads

LONGEST: Final = 16 * 1024
"""The longest token that is looked at, in bytes."""
_SIGNED: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_NEEDED: Final = frozenset({"iss", "aud", "exp"})
# They name keys, or change how the token is to be read; the keys are those of the issuer, and nobody else's.
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
_REGISTRY: Final = JWSRegistry(algorithms=list(KEY_TYPES), strict_check_header=False)


def is_signed(token: str) -> bool:
    """Whether a token has the form of a JWT, and not that of a word which only its issuer understands."""
    return _SIGNED.fullmatch(token) is not None


def read_token(
    token: str, *, find_key: Callable[[str, str], Key | None], issuer: str, audience: str, now: datetime
) -> Caller:
    """The Caller of a token that `issuer` has signed for `audience` and that holds `now`.

    `find_key` gives the key of an id and an algorithm. Raises NotAuthenticated, and what `find_key` raises.
    """
    if len(token) > LONGEST:
        raise NotAuthenticated
    header = _header(token)
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not isinstance(algorithm, str) or _REFUSED_HEADERS & header.keys():
        raise NotAuthenticated
    if algorithm not in KEY_TYPES:
        raise NotAuthenticated
    key = find_key(kid, algorithm)
    if key is None:
        raise NotAuthenticated
    try:
        claims = jwt.decode(token, key, registry=_REGISTRY).claims
    except (JoseError, ValueError, RecursionError):  # the last one for JSON that is nested very deep
        raise NotAuthenticated from None
    return read_claims(claims, issuer=issuer, audience=audience, now=now, needed=_NEEDED)


def _header(token: str) -> Mapping[str, Any]:
    try:
        header = loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    except ValueError:
        raise NotAuthenticated from None
    if not isinstance(header, dict):
        raise NotAuthenticated
    return header
