"""This file gives the history of one resource: every version, newest first, deletions included.

FHIR R4 https://hl7.org/fhir/R4/http.html#history. Versions only grow, so a next page begins below the last one shown
and stays right while new versions come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.access.guard import needs
from api.access.sight import Sight
from api.addresses import HISTORY, check_type
from api.answers import fhir_response
from api.parts import base_of, log_ids
from api.representation import ABOUT_ANSWERS, form_of, parameter_refused
from api.resources import may_know_of, note_read
from api.seen_reports import seen_resource
from api.stored_form import as_read, received_as_read
from fhir_mappings.etags import etag
from fhir_mappings.report_frame import instant
from fhir_mappings.resource_json import loads
from store import report_search, resources
from store.errors import NotFound
from store.report_search import OwnResource
from store.resources import StoredResource

router = APIRouter(prefix="/fhir", tags=["resources"])

_PAGE = 100
_LARGEST_PAGE = 1000


_Version = StoredResource | OwnResource


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    since: datetime | None
    below: int | None
    count: int


@router.get(HISTORY, summary="Read the history of a resource")
def read_history(
    request: Request,
    resource_type: str,
    resource_id: str,
    sight: Annotated[Sight, needs("r")],
) -> Response:
    """A Bundle of type history: `_count` and `_since` narrow it, `next` leads on. 404 for what never was."""
    check_type(resource_type, interaction="history-instance")
    form, wanted = form_of(request), _wanted(request.query_params)
    every = _versions(sight, resource_type, resource_id, since=wanted.since)
    page = [one for one in every if wanted.below is None or one.version < wanted.below][: wanted.count]
    shown = [_as_seen(sight, one) for one in page]
    if every and not shown:
        _as_seen(sight, every[0])  # or their number would be told to who may not see them
    log_ids(request, type=resource_type, id=resource_id)
    patient_id = every[0].patient_id if every else None
    note_read(sight, type_=resource_type, identity=resource_id, patient_id=patient_id)
    address = f"{base_of(request)}/{resource_type}/{resource_id}"
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(every),
        "link": _links(
            request, address=address, more=bool(shown) and shown[-1].version > every[-1].version, shown=shown
        ),
    }
    if shown:
        bundle["entry"] = [_entry(one, address=address) for one in shown]
    return fhir_response(bundle, form=form)


def _versions(sight: Sight, type_: str, identity: str, *, since: datetime | None) -> Sequence[_Version]:
    try:
        every = resources.history(sight.parts.database, type_, identity, since=since if sight.unlimited else None)
    except NotFound:
        return _made(sight, type_, identity, since=since)
    if sight.unlimited:
        return every
    seen = [one for one in every if _sees(sight, one)]
    if not seen or identity in sight.hidden_since([identity]):
        raise NotFound(type_, identity)
    return [one for one in seen if since is None or one.recorded_at >= since]


def _as_seen(sight: Sight, one: _Version) -> _Version:
    """A version as the caller may see it; of what was received, only those that they see are here."""
    return seen_resource(sight, one) if isinstance(one, OwnResource) else one


def _sees(sight: Sight, one: StoredResource) -> bool:
    if one.deleted:
        return may_know_of(sight, one)
    return sight.sees(one.type, one.id, content=loads(one.content), patient_id=one.patient_id)


def _made(sight: Sight, type_: str, identity: str, *, since: datetime | None) -> Sequence[_Version]:
    """Versions of what we made, as they are stored: only those that are shown are put as the caller may see them.

    Our Organization stands in many reports: of each number the newest is shown.
    """
    every = report_search.resource_history(sight.parts.database, type_, identity)
    found: dict[int, _Version] = {}
    for one in every:
        if since is None or one.recorded_at >= since:
            found.setdefault(one.version, one)
    if not found:
        seen_resource(sight, every[0])  # NotFound for who may not see it
    return sorted(found.values(), key=lambda one: one.version, reverse=True)


def _entry(version: _Version, *, address: str) -> dict[str, Any]:
    deleted = isinstance(version, StoredResource) and version.deleted
    if deleted:
        how = {"method": "DELETE", "url": f"{version.type}/{version.id}"}, "204 No Content"
    elif version.version == 1:
        how = {"method": "POST", "url": version.type}, "201 Created"
    else:
        how = {"method": "PUT", "url": f"{version.type}/{version.id}"}, "200 OK"
    return {
        "fullUrl": address,
        **({} if deleted else {"resource": _as_read(version)}),
        "request": how[0],
        "response": {
            "status": how[1],
            "etag": etag(version.version),
            "lastModified": instant(version.recorded_at),
        },
    }


def _as_read(version: _Version) -> dict[str, Any]:
    if isinstance(version, StoredResource):
        return received_as_read(version)
    return as_read(version.content, identity=version.id, version=version.version, modified=version.recorded_at)


def _links(request: Request, *, address: str, more: bool, shown: Sequence[_Version]) -> list[dict[str, str]]:
    known = {"_count", "_since", "below", *ABOUT_ANSWERS}
    asked = [(name, value) for name, value in request.query_params.multi_items() if name in known and value]
    links = [{"relation": "self", "url": _url(address, asked)}]
    if more:
        onward = [pair for pair in asked if pair[0] != "below"]
        links.append({"relation": "next", "url": _url(address, [*onward, ("below", str(shown[-1].version))])})
    return links


def _url(address: str, asked: Sequence[tuple[str, str]]) -> str:
    query = f"?{urlencode(asked)}" if asked else ""
    return f"{address}/_history{query}"


def _wanted(query: Mapping[str, str]) -> _Wanted:
    count = _number(query.get("_count"), "_count is a whole number.")
    return _Wanted(
        since=_since(query.get("_since")),
        below=_number(query.get("below"), "Follow the next link as it was given."),
        count=_PAGE if count is None else min(count, _LARGEST_PAGE),
    )


def _number(text: str | None, words: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise parameter_refused(words)
    return int(text)


def _since(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        # In a query "+" means a space, and many clients do not write it as %2B.
        since = datetime.fromisoformat(text.replace(" ", "+"))
        return since.astimezone(UTC) if since.tzinfo is not None else since.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise parameter_refused("_since is a FHIR instant, such as 2026-11-23T19:00:00Z.") from None
