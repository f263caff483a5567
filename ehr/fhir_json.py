"""This file reads and writes JSON on the wire without losing a digit: `2.350` stays `2.350`.

Numbers with a point or an exponent are `decimal.Decimal`. Nothing here knows what the JSON means.
"""

from __future__ import annotations

from typing import Any

import simplejson

DEEPEST = 60  # nested objects and lists; FHIR's own resources stay below 30


class NotJson(ValueError):
    """The bytes are not JSON in UTF-8. Carries no part of them."""


class TooDeep(ValueError):
    """The JSON is nested deeper than anything in FHIR."""


def read_json(content: bytes) -> Any:
    """One JSON document. Raises NotJson, TooDeep."""
    try:
        document = simplejson.loads(content.decode("utf-8-sig"), use_decimal=True)
    except RecursionError:
        raise TooDeep("nested too deep") from None
    except ValueError:  # the cause is cut off: its text may hold a part of the content
        raise NotJson("not JSON in UTF-8") from None
    if _is_deeper(document):
        raise TooDeep("nested too deep")
    return document


def write_json(document: Any) -> bytes:
    """The document as bytes, in ASCII, so that half a surrogate pair in a text does no harm."""
    return simplejson.dumps(document, use_decimal=True, separators=(",", ":")).encode("ascii")


def _is_deeper(document: Any) -> bool:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(parent: dict[str, Any] | list[Any]) -> list[Any]:
    return list(parent.values()) if isinstance(parent, dict) else parent
