"""This file reads what an issuer says of a token, in the token itself or on being asked, as the Caller it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from api.access.caller import Caller
from api.access.errors import NotAuthenticated
from fhir_mappings.smart_scopes import parse_scopes

LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock may be ahead of ours. An expired token is expired all the same."""
_CLIENT_NAMES: Final = ("client_id", "azp", "cid")
_SCOPE_NAMES: Final = ("scope", "scp")
_LONGEST: Final = 1_000


def read_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: datetime, needed: frozenset[str]
) -> Caller:
    """The Caller of these claims. `needed` are those of `iss`, `aud`, `exp` that must be there; what is there counts.

    Scopes are in `scope` or `scp`, as text or a list; the client in `client_id`, `azp` or `cid`; `sub`, `patient` and
    `fhirUser` as they are given. Raises NotAuthenticated.
    """
    seconds = now.timestamp()
    checked = JWTClaimsRegistry(
        now=int(seconds),
        leeway=LEEWAY_SECONDS,
        iss={"value": issuer, "essential": "iss" in needed},
        aud={"value": audience, "essential": "aud" in needed},
        exp={"essential": "exp" in needed},
    )
    try:
        checked.validate(dict(claims))
    except JoseError:
        raise NotAuthenticated from None
    if "exp" in claims and claims["exp"] <= seconds:
        raise NotAuthenticated
    client_id = next((found for name in _CLIENT_NAMES if (found := _text(claims, name)) is not None), None)
    if client_id is None:
        raise NotAuthenticated
    return Caller(
        client_id=client_id,
        subject=_text(claims, "sub"),
        user=_text(claims, "fhirUser"),
        patient=_text(claims, "patient"),
        scopes=parse_scopes(_scopes(claims)),
        verified=True,
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """A claim that is a name: what cannot be printed has no place in a record or a header."""
    said = claims.get(name)
    if said is None:
        return None
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST or not said.isprintable():
        raise NotAuthenticated
    return said


def _scopes(claims: Mapping[str, Any]) -> Iterator[str]:
    for name in _SCOPE_NAMES:
        said = claims.get(name)
        texts = said if isinstance(said, list) else [] if said is None else [said]
        for text in texts:
            if not isinstance(text, str):
                raise NotAuthenticated
            yield from text.split()
