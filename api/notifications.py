"""This file hears an EHR's Subscriptions: `/notify/{secret}/{server}`, with what the channel adds behind it.

A word says only that something is new there: what it is, is asked for (workers/listening.py), so the body is not read
and nothing in it is believed. Who may send one is settled by the secret in the address, which stands in no log.
FHIR R4 https://hl7.org/fhir/R4/subscription.html#2.46.6.1 (rest-hook)
"""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Response

from api.parts import GivenParts, Parts
from store import listening
from store.errors import NotFound

router = APIRouter(prefix="/notify", include_in_schema=False)


@router.post("/{secret}/{server}", summary="Something is new on an EHR")
def hear(secret: str, server: str, parts: GivenParts) -> Response:
    """204. The EHR is asked at once what is new. 404 for a secret or server that is not ours."""
    _check(parts, secret=secret, server=server)
    listening.tell(parts.database, server, now=parts.clock())
    return Response(status_code=204)


@router.put("/{secret}/{server}/{resource:path}", summary="This resource is new on an EHR")
def hear_of(secret: str, server: str, resource: str, parts: GivenParts) -> Response:
    """The same, for a channel with a payload: its resource is fetched from the EHR, not taken from here."""
    return hear(secret, server, parts)


def _check(parts: Parts, *, secret: str, server: str) -> None:
    wanted = parts.ehr.notify_secret
    if wanted is None or not hmac.compare_digest(secret.encode(), wanted.encode()) or server not in parts.ehr.subscribe:
        raise NotFound("notification", "unknown")
