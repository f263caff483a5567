"""This file guards the routes: each says what it needs, and is given the Sight of the caller who has it.

With `smart` access a caller is who the token in the header Authorization says (RFC 6750; one in the query or the body
is not looked at). Open access is allowed on a loopback address alone and is said aloud in the log and in the
CapabilityStatement.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.params import Depends as DependsMarker

from api.access.authority import Authority, check_authority
from api.access.caller import OPEN_CALLER, Caller
from api.access.errors import AccessNotPossible, AnotherSite, NotAuthenticated, NoToken
from api.access.sight import Sight
from api.parts import Parts, base_of, parts_of
from api.settings import ApiSettings
from store.ownership import same_person

OPEN_ACCESS_WARNING = (
    "Access is open: whoever reaches this address may read and write everything. "
    "It answers on this machine only and is meant for trying out, not for real patients."
)
_BEARER = re.compile(r"(?i:bearer) +(?P<token>[A-Za-z0-9._~+/-]+=*)")


def check_access(settings: ApiSettings, *, plain_hosts: frozenset[str] = frozenset()) -> None:
    """Raise AccessNotPossible unless the access asked for can be given safely. `plain_hosts` are called without TLS."""
    if settings.access == "smart":
        check_authority(settings, plain_hosts=plain_hosts)
        if not (settings.base_url or is_loopback(settings.host)):
            raise AccessNotPossible(
                "FILLERTRACE_API_ACCESS=smart on an address that other machines reach needs FILLERTRACE_API_BASE_URL: "
                "what a request calls us decides nothing."
            )
    elif settings.access != "open":
        raise AccessNotPossible("FILLERTRACE_API_ACCESS must be open or smart.")
    elif not is_loopback(settings.host):
        raise AccessNotPossible(
            f"Open access is allowed on a loopback address only, and {settings.host} can be reached from other "
            "machines. Use --host 127.0.0.1, or FILLERTRACE_API_ACCESS=smart."
        )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone. A name other than localhost is not trusted to be."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def needs(right: str, type_: str | None = None) -> DependsMarker:
    """What a route asks of its caller: one of the rights `cruds` on a type, which is that of the address where none is
    named. `sight: Annotated[Sight, needs("r", "Task")]`."""
    return DependsMarker(_guard(right, type_))


def known_caller() -> DependsMarker:
    """For a route that finds out by itself what it must ask of its caller: what the request it is about had needed."""
    return DependsMarker(_guard(None, None))


def _guard(right: str | None, type_: str | None) -> Callable[[Request], Sight]:
    def sight_of_who_may(request: Request) -> Sight:
        sight = Sight(parts=parts_of(request), caller=caller_of(request), base=base_of(request))
        if right is not None:
            sight.require(type_ or request.path_params["resource_type"], right)
        return sight

    return sight_of_who_may


def caller_of(request: Request) -> Caller:
    """Who makes this request. Raises AccessDenied, IssuerAway, RequestRefused where somebody asks far too much."""
    parts = parts_of(request)
    if parts.authority is None:
        return _open_caller(request, parts)
    if parts.settings.base_url is None and not is_loopback(request.url.hostname or ""):
        raise AnotherSite  # our base, by which own ids are told from others, would be whatever the caller says
    return _verified_caller(request, parts, authority=parts.authority)


def _verified_caller(request: Request, parts: Parts, *, authority: Authority) -> Caller:
    try:
        caller = authority.caller(_token_in(request), now=parts.clock())
    except NotAuthenticated:
        authority.pace.count_stranger(request.client.host if request.client else "")
        raise
    authority.pace.count(caller.identity)
    return caller if caller.patient is None else _bound(caller, caller.patient, parts)


def _bound(caller: Caller, patient: str, parts: Parts) -> Caller:
    """The caller with the ids of the patient whom the token names: by our id, or by the id on the server of the
    setting `patient_base`."""
    base = parts.settings.patient_base
    if base is None:
        return replace(caller, patient_ids=same_person(parts.database, [patient]))
    address = f"{base.rstrip('/')}/Patient/{patient.removeprefix('Patient/')}"
    ids = same_person(parts.database, [address])
    return replace(caller, patient_ids=ids, patient_addresses=frozenset({address}))


def _token_in(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    if not any(header.lower().startswith("bearer") for header in headers):
        raise NoToken  # RFC 6750 section 3.1: who shows nothing of the kind has made no mistake
    found = _BEARER.fullmatch(headers[0])
    if found is None or len(headers) > 1:
        raise NotAuthenticated
    return found["token"]


def _open_caller(request: Request, parts: Parts) -> Caller:
    """With open access everybody on this machine is the one caller who may do all.

    A page of another site that is open in a browser here is not: browsers say so in Sec-Fetch-Site, and no page can
    forge that. The exception are the origins of the setting `cors_origins`, which the browser names in Origin. Nor is a
    page whose own name was made to lead to this machine (DNS rebinding): the browser takes that one for ours, and tells
    it apart by Host alone, which must be a loopback address or that of the setting `base_url`.
    """
    if not _is_ours(request, base_url=parts.settings.base_url):
        raise AnotherSite
    from_another_site = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    if from_another_site and request.headers.get("origin") not in parts.settings.cors_origins:
        raise AnotherSite
    return OPEN_CALLER


def _is_ours(request: Request, *, base_url: str | None) -> bool:
    host = request.url.hostname or ""
    return is_loopback(host) or (base_url is not None and host == urlsplit(base_url).hostname)
