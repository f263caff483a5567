"""This file writes FHIR answers: bytes with the right media type, and the headers of a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import Request, Response

from api.errors import MEDIA_TYPE
from api.representation import PLAIN, Form, represented
from fhir_mappings.etags import etag, versions_named

_NOT_MODIFIED = 304


def fhir_response(
    content: Mapping[str, Any] | bytes | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form: Form = PLAIN,
) -> Response:
    """A resource as an HTTP answer, in the form asked for. Plain bytes go out as they are."""
    body = b"" if content is None else represented(content, form=form)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE if body else None)


def version_headers(version: int, modified: datetime) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {"ETag": etag(version), "Last-Modified": format_datetime(modified, usegmt=True)}


def not_modified(request: Request, *, version: int, modified: datetime) -> Response | None:
    """304 where If-None-Match, or else If-Modified-Since, says that the client has this version; None where not."""
    headers = version_headers(version, modified)
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = tags.strip() == "*" or version in versions_named(tags)
    else:
        since = _moment(request.headers.get("if-modified-since", ""))
        known = since is not None and modified.replace(microsecond=0) <= since
    return Response(status_code=_NOT_MODIFIED, headers=headers) if known else None


def _moment(header: str) -> datetime | None:
    """An HTTP date; None where it is none, as RFC 9110 asks."""
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
