"""This file puts together what is needed to find out who calls: the issuer, its keys, its word on a token, the counts.

SMART App Launch 2.2 as a resource server: https://hl7.org/fhir/smart-app-launch/STU2.2/.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from api.access.caller import Caller
from api.access.errors import AccessNotPossible, NotAuthenticated
from api.access.introspection import Introspection
from api.access.issuer import Issuer
from api.access.key_set import KeySet
from api.access.request_pace import RequestPace
from api.access.tokens import is_signed, read_token
from api.settings import ApiSettings
from ehr.transport import Transport

_ADDRESSES = ("issuer", "jwks_url", "authorize_url", "token_url", "introspection_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who is believed about callers. `introspection` is None where only signed tokens are taken."""

    issuer: Issuer
    keys: KeySet
    audience: str
    introspection: Introspection | None
    pace: RequestPace

    def caller(self, token: str, *, now: datetime) -> Caller:
        """Who calls with this token. Raises NotAuthenticated, IssuerAway."""
        if is_signed(token):
            return read_token(
                token,
                find_key=lambda kid, algorithm: self.keys.find(kid, algorithm=algorithm),
                issuer=self.issuer.name,
                audience=self.audience,
                now=now,
            )
        if self.introspection is None:
            raise NotAuthenticated
        return self.introspection.caller(token, now=now)


def check_authority(settings: ApiSettings, *, plain_hosts: frozenset[str]) -> None:
    """Raise AccessNotPossible unless these settings name an issuer that can be trusted, and whom its tokens are for.

    `plain_hosts` may be called without TLS.
    """
    for name in ("issuer", "audience"):
        if not getattr(settings, name):
            raise AccessNotPossible(f"FILLERTRACE_API_ACCESS=smart needs FILLERTRACE_API_{name.upper()}: set it.")
    for name in _ADDRESSES:
        address = getattr(settings, name)
        if address and not _is_address(address, plain_hosts=plain_hosts):
            raise AccessNotPossible(
                f"FILLERTRACE_API_{name.upper()} must begin with https://, and have neither a user name nor a query. "
                "Without TLS only a host is trusted that FILLERTRACE_EHR_ALLOW names."
            )


def _is_address(text: str, *, plain_hosts: frozenset[str]) -> bool:
    try:
        parts = urlsplit(text)
        plain = parts.scheme == "http" and parts.hostname in plain_hosts
        odd = parts.username is not None or parts.query or parts.fragment or parts.port == 0
    except ValueError:  # a port that is none, half an IPv6 address
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or plain) and not odd


def authority_of(settings: ApiSettings, transport: Transport) -> Authority:
    """The authority that these settings name, asked by this connection. Nothing is asked yet."""
    assert settings.issuer
    assert settings.audience
    issuer = Issuer(settings.issuer, transport=transport, seconds=settings.keys_seconds)
    return Authority(
        issuer=issuer,
        keys=KeySet(issuer, url=settings.jwks_url, seconds=settings.keys_seconds),
        audience=settings.audience,
        introspection=_introspection(settings, issuer=issuer, audience=settings.audience),
        pace=RequestPace(settings.requests_per_minute),
    )


def _introspection(settings: ApiSettings, *, issuer: Issuer, audience: str) -> Introspection | None:
    url, client_id, secret = (
        settings.introspection_url,
        settings.introspection_client_id,
        settings.introspection_client_secret,
    )
    if not (url and client_id and secret):
        return None  # the settings check that all three are there, or none
    return Introspection(issuer, url=url, client_id=client_id, client_secret=secret, audience=audience)
