"""This file keeps the keys by which the issuer's tokens are known to be its own (RFC 7517).

They are fetched when they are needed, again when they are old or a token names one that is not among them
(`remembered.py`), and nowhere else: no address in a token is ever followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from api.access.issuer import Issuer, away
from api.access.remembered import Remembered

KEY_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),  # one algorithm: RFC 9864 has renamed it
}
"""The algorithms of signatures that are believed, with the type of key of each. None of them has a shared secret."""
_RSA_DIGITS: Final = 342  # of 2048 bits in base64url; RFC 7518 section 3.3 forbids fewer


class KeySet:
    """The issuer's keys. `url` is where they are; None where its own description says it."""

    def __init__(
        self, issuer: Issuer, *, url: str | None, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._url = url
        self._keys = Remembered(self._fetch, seconds=seconds, clock=clock)

    def find(self, kid: str, *, algorithm: str) -> Key | None:
        """The key of this id, if its type is that of the algorithm. Raises IssuerAway where there are none at all."""
        known = [key for key in self._keys.get() if key.kid == kid]
        if not known:
            known = [key for key in self._keys.get(again=True) if key.kid == kid]
        return next((key for key in known if key.key_type == KEY_TYPES.get(algorithm)), None)

    def _fetch(self) -> tuple[Key, ...]:
        url = self._url or self._issuer.described().get("jwks_uri")
        if not isinstance(url, str):
            raise away(self._issuer.name, "it does not say where its keys are: set FILLERTRACE_API_JWKS_URL")
        keys = tuple(_usable((self._issuer.document(url) or {}).get("keys")))
        if not keys:
            raise away(url, "no key that can be used is there")
        return keys


def _usable(said: Any) -> Iterator[Key]:
    """The keys of a set that sign; what is not understood is passed over, as RFC 7517 section 5 asks."""
    for one in said if isinstance(said, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        if one.get("kty") not in KEY_TYPES.values() or (one["kty"] == "RSA" and len(str(one.get("n"))) < _RSA_DIGITS):
            continue
        try:
            yield import_key(one)
        except (JoseError, KeyError, TypeError, ValueError):
            continue
