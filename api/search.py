"""This file searches: `GET [base]/Type?…` and `POST [base]/Type/_search`, over what was received and what we made.

FHIR R4 https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from admission.search_terms import criteria_from
from api.access.guard import needs
from api.access.sight import Sight
from api.addresses import TYPE, check_type
from api.answers import fhir_response
from api.content import preferences_of
from api.errors import RequestRefused, error_issue
from api.form_body import FormBody
from api.included import included
from api.parts import log_ids
from api.representation import form_from
from api.searching import cursor_from, cursor_text
from api.seen_reports import finds_made, is_of_whole_report
from api.stored_form import as_read
from fhir_mappings.issues import WARNING, Issue, operation_outcome
from fhir_mappings.search_query import CURSOR, MOST, BadParameter, SearchRequest, read_search, shown_name
from store import audit, search
from store.search import Found, Page, Query

router = APIRouter(prefix="/fhir", tags=["search"])

Parameters = Sequence[tuple[str, str]]


@router.get(TYPE, summary="Search a type")
def search_type(
    request: Request,
    resource_type: str,
    sight: Annotated[Sight, needs("s")],
) -> Response:
    """A Bundle of type searchset, newest first: `next` leads on, `self` says what was understood."""
    return _answer(request, sight, resource_type, request.query_params.multi_items())


@router.post(f"{TYPE}/_search", summary="Search a type by a form")
def search_by_form(
    request: Request,
    resource_type: str,
    sight: Annotated[Sight, needs("s")],
    body: FormBody,
) -> Response:
    """The same, with the parameters in the body, where no log of addresses sees them."""
    return _answer(request, sight, resource_type, [*request.query_params.multi_items(), *body])


def _answer(request: Request, sight: Sight, type_: str, parameters: Parameters) -> Response:
    check_type(type_, interaction="search-type")
    form = form_from(parameters)
    strict = preferences_of(request).handling == "strict"
    asked = understood(type_, parameters, strict=strict)
    bundle, found = searchset(sight, asked, cursor=dict(parameters).get(CURSOR))
    log_ids(request, type=type_, found=len(found))
    note_found(sight, found)
    return fhir_response(bundle, form=form)


def understood(type_: str, parameters: Parameters, *, strict: bool) -> SearchRequest:
    """The search that is asked for. Raises RequestRefused: 400 for a value without meaning, or, if strict, for what is
    not known."""
    try:
        asked = read_search(type_, parameters)
    except BadParameter as bad:
        raise RequestRefused(400, code="value", detail="invalid-parameter", text=bad.text) from None
    if asked.unknown and strict:
        issue = _unknown(asked, severity="error")
        raise RequestRefused(400, code=issue.code, detail=issue.detail, text=issue.text)
    return asked


def searchset(sight: Sight, asked: SearchRequest, *, cursor: str | None = None) -> tuple[dict[str, Any], list[Found]]:
    """The Bundle of a search, and all that it shows: what fits of what the caller may see."""
    base, reach = sight.base, sight.require(asked.type, "s")
    query = Query(
        type=asked.type,
        criteria=(*criteria_from(asked, base=base), *sight.open_labels()),
        any_of=None if reach.everything else reach.choices,
        made=finds_made(sight, asked.type),
        order=asked.order,
        descending=asked.descending,
        limit=asked.count,
        after=cursor_from(cursor, asked) if cursor else None,
    )
    page, matches, total = _page(sight, query, with_total=asked.total, narrow=not reach.everything)
    along = [found for one in included(sight, asked, matches) for found, _ in _seen(sight, one, right="r")]
    entries = [_entry(found, content, mode="match", base=base) for found, content in matches]
    entries += [_entry(found, _as_read(found), mode="include", base=base) for found in along]
    if asked.unknown:
        outcome = operation_outcome([_unknown(asked, severity=WARNING)])
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = _links(asked, page, base=base, cursor=cursor)
    if entries:
        bundle["entry"] = entries
    return bundle, [*(found for found, _ in matches), *along]


def _page(
    sight: Sight, query: Query, *, with_total: bool, narrow: bool
) -> tuple[Page, list[tuple[Found, dict[str, Any]]], int | None]:
    """A page, what of it is shown, and how many there are in all, unless that would tell of what is hidden.

    Nor does the place where the next page begins: it is behind the last that is shown.
    """
    if narrow and query.limit == 0:
        return Page(found=(), next=None, total=None), [], _count_seen(sight, query)
    page = search.search(sight.parts.database, query, with_total=with_total)
    matches = _seen_of(sight, page)
    if sight.unlimited:
        return page, matches, page.total
    while page.next is not None and not matches:
        page = search.search(sight.parts.database, replace(query, after=page.next), with_total=False)
        matches = _seen_of(sight, page)
    whole = len(matches) == len(page.found)
    if page.next is not None and matches:
        page = replace(page, next=page.after[matches[-1][0].id])
    if narrow:  # what other pages hide is known only when they are read
        whole = whole and page.next is None and query.after is None
    return page, matches, page.total if whole else None


def _count_seen(sight: Sight, query: Query) -> int:
    """How many of what is found the caller may see: one patient's, so that each can be looked at."""
    count, after = 0, None
    while True:
        page = search.search(sight.parts.database, replace(query, limit=MOST, after=after), with_total=False)
        count += len(_seen_of(sight, page))
        if page.next is None:
            return count
        after = page.next


def _seen_of(sight: Sight, page: Page) -> list[tuple[Found, dict[str, Any]]]:
    return [(found, content) for one in page.found for found, content in _seen(sight, one, right="s")]


def _seen(sight: Sight, found: Found, *, right: str) -> Iterator[tuple[Found, dict[str, Any]]]:
    """The resource as a client reads it, where the caller may see it, and of what we made what is whole to them."""
    content = _as_read(found)
    if found.made and not is_of_whole_report(sight, found.type, found.id, version=found.version):
        return
    if sight.sees(found.type, found.id, content=content, patient_id=found.patient_id, right=right):
        yield found, content


def note_found(sight: Sight, found: Sequence[Found]) -> None:
    """Note in the audit who was shown what of whom."""
    now = sight.parts.clock()
    audit.record(
        sight.parts.database,
        [
            audit.Access(
                at=now,
                caller_id=sight.caller.identity,
                action="search",
                type=one.type,
                id=one.id,
                patient_id=one.patient_id,
            )
            for one in found
        ],
    )


def _links(asked: SearchRequest, page: Page, *, base: str, cursor: str | None) -> list[dict[str, str]]:
    def url(*more: tuple[str, str]) -> str:
        query = urlencode([*asked.understood, *more])
        return f"{base}/{asked.type}?{query}" if query else f"{base}/{asked.type}"

    links = [{"relation": "self", "url": url(*(((CURSOR, cursor),) if cursor else ()))}]
    if page.next is not None:
        links.append({"relation": "next", "url": url((CURSOR, cursor_text(page.next, asked)))})
    return links


def _as_read(found: Found) -> dict[str, Any]:
    return as_read(
        found.content,
        identity=found.id,
        version=found.version,
        modified=found.recorded_at,
        source_url=found.source_url,
    )


def _entry(found: Found, content: dict[str, Any], *, mode: str, base: str) -> dict[str, Any]:
    return {"fullUrl": f"{base}/{found.type}/{found.id}", "resource": content, "search": {"mode": mode}}


def _unknown(asked: SearchRequest, *, severity: str) -> Issue:
    names = ", ".join(dict.fromkeys(shown_name(name) for name in asked.unknown))
    text = f"Not searched by here: {names}. The CapabilityStatement at metadata names what {asked.type} is searched by."
    issue = error_issue("not-supported", detail="unknown-parameter", text=text)
    return Issue(severity=severity, code=issue.code, detail=issue.detail, text=issue.text)
