"""This file turns the pages of a search into cursors and back."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from api.errors import RequestRefused
from fhir_mappings.resource_json import NotJson, TooDeep, dumps, loads
from fhir_mappings.search_query import SearchRequest
from store.search import Cursor

_CURSOR_TEXT = re.compile(r"[A-Za-z0-9.:\-]{1,64}")


def cursor_text(cursor: Cursor, request: SearchRequest) -> str:
    """A cursor as it stands in a next link."""
    said = [request.order, request.descending, cursor.key, cursor.id]
    return urlsafe_b64encode(dumps(said)).decode().rstrip("=")


def cursor_from(text: str, request: SearchRequest) -> Cursor:
    """The cursor of a next link. Raises RequestRefused (400) where it is none of ours for this search."""
    try:
        order, descending, key, identity = loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        same = (order, descending) == (request.order, request.descending)
        if same and isinstance(identity, str) and _CURSOR_TEXT.fullmatch(identity):
            return Cursor(key=_cursor_key(key, order), id=identity)
    except (binascii.Error, NotJson, TooDeep, ValueError, TypeError, OverflowError):
        pass
    raise RequestRefused(
        400,
        code="value",
        detail="invalid-parameter",
        text="The parameter _page is ours alone: follow the next link as it was given.",
    )


def _cursor_key(key: object, order: str) -> str:
    """The sort key of a cursor: an instant in UTC, or a date as the index keeps it, empty where there is none.

    Raises ValueError, TypeError, OverflowError.
    """
    if not isinstance(key, str):
        raise TypeError("a key is text")
    if order == "date":
        if key and not _CURSOR_TEXT.fullmatch(key):
            raise ValueError("no date")
        return key
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None:
        raise ValueError("an instant has a zone")
    return moment.astimezone(UTC).isoformat()
