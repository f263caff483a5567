"""This file guards the routes: each says what it needs, and is given the Sight of the caller who has it.

Open access is allowed on a loopback address alone and is said aloud in the log and in the CapabilityStatement.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.params import Depends as DependsMarker

from api.access.caller import OPEN_CALLER, Caller
from api.access.errors import AccessNotPossible, NotPermitted
from api.access.sight import Sight
from api.parts import base_of, parts_of

OPEN_ACCESS_WARNING = (
    "Access is open: whoever reaches this address may read and write everything. "
    "It answers on this machine only and is meant for trying out, not for real patients."
)


def check_access(access: str, *, host: str) -> None:
    """Raise AccessNotPossible unless `access` can be given safely on `host`."""
    if access == "smart":
        raise AccessNotPossible(
            "FILLERTRACE_API_ACCESS=smart is not available in this release: SMART tokens cannot be checked yet. "
            "Only FILLERTRACE_API_ACCESS=open on a loopback address can be used."
        )
    if access != "open":
        raise AccessNotPossible("FILLERTRACE_API_ACCESS must be open; smart is planned and not yet available.")
    if not is_loopback(host):
        raise AccessNotPossible(
            f"Open access is allowed on a loopback address only, and {host} can be reached from other machines. "
            "Use --host 127.0.0.1, or wait for the release that checks SMART tokens."
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
    """Who makes this request. With open access everybody on this machine is the one caller who may do all.

    A page of another site that is open in a browser here is not: browsers say so in Sec-Fetch-Site, and no page can
    forge that. The exception are the origins of the setting `cors_origins`, which the browser names in Origin. Nor is a
    page whose own name was made to lead to this machine (DNS rebinding): the browser takes that one for ours, and tells
    it apart by Host alone, which must be a loopback address or that of the setting `base_url`.
    """
    if not _is_ours(request, base_url=parts_of(request).settings.base_url):
        raise NotPermitted
    from_another_site = request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    if from_another_site and request.headers.get("origin") not in parts_of(request).settings.cors_origins:
        raise NotPermitted
    return OPEN_CALLER


def _is_ours(request: Request, *, base_url: str | None) -> bool:
    host = request.url.hostname or ""
    return is_loopback(host) or (base_url is not None and host == urlsplit(base_url).hostname)
