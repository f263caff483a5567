"""This file serves our conformance artefacts: code systems, value sets, maps, profiles, operations.

They are the same for every caller and hold nothing of a patient, so nobody is asked who they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.answers import fhir_response
from api.content import preferences_of
from api.errors import RequestRefused
from api.issue_codes import DOOR_ISSUE_CODES
from api.parts import GivenParts, Parts, base_of
from api.representation import ABOUT_ANSWERS, form_of
from fhir_mappings.capability import CONFORMANCE_SEARCH, CONFORMANCE_TYPES
from fhir_mappings.conformance import conformance_resources
from fhir_mappings.issues import ISSUE_CODES
from store.errors import NotFound

router = APIRouter(prefix="/fhir", tags=["conformance"])

_SEARCHED: Final = frozenset(name for name, _ in CONFORMANCE_SEARCH)


def artefacts(parts: Parts) -> Mapping[str, dict[str, Any]]:
    """Our conformance artefacts by canonical address."""
    words = {**ISSUE_CODES, **DOOR_ISSUE_CODES}
    return conformance_resources(parts.knowledge, software_version=parts.software_version, issue_words=words)


def _reading(type_: str) -> Callable[..., Response]:
    def read(request: Request, artefact_id: str, parts: GivenParts) -> Response:
        for artefact in artefacts(parts).values():
            if artefact["resourceType"] == type_ and artefact["id"] == artefact_id:
                return fhir_response(artefact, form=form_of(request))
        raise NotFound(type_, artefact_id)

    read.__name__ = f"read_{type_.lower()}"
    return read


def _searching(type_: str) -> Callable[..., Response]:
    def search(request: Request, parts: GivenParts) -> Response:
        asked = {name: value for name, value in request.query_params.items() if name in _SEARCHED and value}
        if preferences_of(request).handling == "strict" and request.query_params.keys() - _SEARCHED - ABOUT_ANSWERS:
            text = f"A search of this type knows {', '.join(sorted(_SEARCHED))}: leave out the others."
            raise RequestRefused(400, code="not-supported", detail="unknown-parameter", text=text)
        found = [one for one in artefacts(parts).values() if one["resourceType"] == type_ and _fits(one, asked)]
        return fhir_response(_searchset(f"{base_of(request)}/{type_}", found, asked), form=form_of(request))

    search.__name__ = f"search_{type_.lower()}"
    return search


def _fits(artefact: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    by_id = "_id" not in asked or artefact["id"] in asked["_id"].split(",")
    return by_id and ("url" not in asked or artefact["url"] in asked["url"].split(","))


def _searchset(address: str, found: list[dict[str, Any]], asked: Mapping[str, str]) -> dict[str, Any]:
    link = f"{address}?{urlencode(asked)}" if asked else address
    entries = [{"fullUrl": f"{address}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    bundle["link"] = [{"relation": "self", "url": link}]
    return {**bundle, "entry": entries} if entries else bundle


for _type in CONFORMANCE_TYPES:
    router.get(f"/{_type}/{{artefact_id}}", summary=f"Read a {_type} of ours")(_reading(_type))
    router.get(f"/{_type}", summary=f"Search our {_type} resources by url or _id")(_searching(_type))
