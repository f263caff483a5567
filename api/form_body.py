"""This file reads the body of a search by form: `application/x-www-form-urlencoded`, in UTF-8."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from api.errors import RequestRefused

_FORM = "application/x-www-form-urlencoded"
_LONGEST = 64 * 1024
_MOST_FIELDS = 1000


async def form_body(request: Request) -> list[tuple[str, str]]:
    """The names and values of a form: 415 for another content type, 413 beyond 64 kB. No body is an empty form."""
    kept = bytearray()
    async for piece in request.stream():
        kept += piece
        if len(kept) > _LONGEST:
            raise RequestRefused(
                413, code="too-long", detail="too-large", text="A search by form takes up to 64 kB: ask in several."
            )
    name = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kept and name != _FORM:
        raise RequestRefused(
            415,
            code="not-supported",
            detail="unsupported-media-type",
            text=f"Send the parameters of a search as a form and say so: Content-Type: {_FORM}.",
        )
    try:
        return parse_qsl(kept.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestRefused(
            400, code="invalid", detail="invalid-request", text="The form cannot be read: write it in UTF-8."
        ) from None


FormBody = Annotated[list[tuple[str, str]], Depends(form_body)]
"""The type of a route's parameter that is given the fields of a form."""
