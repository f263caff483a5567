"""This file writes FHIR answers: bytes with the right media type, and the headers of a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fastapi import Response

from api.errors import MEDIA_TYPE
from fhir_mappings.resource_json import dumps


def fhir_response(
    content: Mapping[str, Any] | bytes | None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource as an HTTP answer. Bytes go out as they are: a stored resource is never written anew."""
    body = b"" if content is None else content if isinstance(content, bytes) else dumps(content)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE if body else None)


def etag(version: int) -> str:
    """The weak ETag of a version, as FHIR writes it."""
    return f'W/"{version}"'


def version_headers(version: int, modified: datetime) -> dict[str, str]:
    """ETag and Last-Modified of a version."""
    return {"ETag": etag(version), "Last-Modified": format_datetime(modified, usegmt=True)}


def versions_named(header: str) -> tuple[int, ...]:
    """The versions that an If-Match or If-None-Match header names; what is not an ETag of ours is left out.

    >>> versions_named('W/"3"')
    (3,)
    """
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return tuple(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 10)
