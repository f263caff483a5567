"""This file asks the issuer about a token that only it understands (RFC 7662, and SMART App Launch 2.2).

An answer is remembered by the token's hash, never longer than the token is good, nor than a minute.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from datetime import datetime
from typing import Final
from urllib.parse import quote_plus, urlencode

from api.access.caller import Caller
from api.access.claims import read_claims
from api.access.errors import NotAuthenticated
from api.access.issuer import Issuer, away, json_object
from api.access.tokens import LONGEST

REMEMBERED_SECONDS: Final = 60
_REMEMBERED: Final = 10_000
_NEEDED: Final = frozenset({"exp"})


class Introspection:
    """The issuer's introspection endpoint, and what it has said lately. Safe for many threads.

    We show who we are by HTTP Basic (RFC 6749 section 2.3.1).
    """

    def __init__(self, issuer: Issuer, *, url: str, client_id: str, client_secret: str, audience: str) -> None:
        self._issuer = issuer
        self._url = url
        self._audience = audience
        words = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(words.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._lock = threading.Lock()

    def caller(self, token: str, *, now: datetime) -> Caller:
        """The Caller of a token that is active. Raises NotAuthenticated, IssuerAway."""
        if len(token) > LONGEST:
            raise NotAuthenticated
        digest, seconds = hashlib.sha256(token.encode()).hexdigest(), now.timestamp()
        with self._lock:
            caller, until = self._known.get(digest, (None, 0.0))
        if caller is None or until <= seconds:
            caller, expires = self._ask(token, now=now)
            with self._lock:
                self._known[digest] = caller, min(expires, seconds + REMEMBERED_SECONDS)
                self._known.move_to_end(digest)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return caller

    def _ask(self, token: str, *, now: datetime) -> tuple[Caller, float]:
        """The Caller, and when the token expires."""
        form = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
        answer = self._issuer.ask("POST", self._url, headers=self._headers, content=form)
        if answer.status != 200:
            raise away(self._url, f"status {answer.status} on introspection")
        said = json_object(self._url, answer)
        if said.get("active") is not True or not isinstance(said.get("scope"), str) or "client_id" not in said:
            raise NotAuthenticated
        caller = read_claims(said, issuer=self._issuer.name, audience=self._audience, now=now, needed=_NEEDED)
        return caller, said["exp"]
