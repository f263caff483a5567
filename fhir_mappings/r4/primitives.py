"""This file checks the value of a primitive element: its JSON type, its form, and that a date is one of the calendar.

FHIR R4: https://hl7.org/fhir/R4/datatypes.html#primitive. The regular expressions come from HL7's definitions.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from fhir_mappings.r4.definitions import PRIMITIVES
from fhir_mappings.r4.xhtml import xhtml_fault

_WHOLE: Final = frozenset({"integer", "positiveInt", "unsignedInt"})
NOT_TEXT: Final = _WHOLE | {"boolean", "decimal"}
"""The primitive types that JSON does not write as text."""

_LARGEST_INTEGER: Final = 2**31 - 1
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_BLANK: Final = re.compile(r"\s")

_FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "date": "Write a date of the calendar as YYYY, YYYY-MM or YYYY-MM-DD.",
        "dateTime": "Write YYYY, YYYY-MM, YYYY-MM-DD, or a date with time, seconds and time zone.",
        "instant": "Write a date with time, seconds and time zone.",
        "time": "Write hh:mm:ss.",
        "id": "Write 1 to 64 letters, digits, hyphens and dots.",
        "code": "Write the code without blanks before, after or doubled.",
        "uri": "Write an address without blanks.",
        "url": "Write an absolute address without blanks.",
        "canonical": "Write an absolute address without blanks, or a fragment (#id).",
        "oid": "Write urn:oid: and the object identifier.",
        "uuid": "Write urn:uuid: and the UUID in small letters.",
        "base64Binary": "Write base64.",
        "boolean": "Write true or false without quotation marks.",
        "decimal": "Write a number without quotation marks.",
        "integer": "Write a whole number without quotation marks.",
        "positiveInt": "Write a whole number from 1 up, without quotation marks.",
        "unsignedInt": "Write a whole number from 0 up, without quotation marks.",
    }
)


def primitive_fault(value: Any, kind: str) -> str | None:
    """Why a value is none of this primitive type, in a sentence that says how to mend it; None where it is one."""
    if value is None:
        return "An element has a value or is left out: null is neither."
    if not _right_json(value, kind):
        return _FORMS.get(kind, "Write a text in quotation marks.")
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        least = {"positiveInt": 1, "unsignedInt": 0}.get(kind, -_LARGEST_INTEGER - 1)
        return None if kind == "decimal" or least <= value <= _LARGEST_INTEGER else _FORMS[kind]
    if not isinstance(value, str):
        return None
    if value == "":
        return "An element has a value or is left out: an empty text is neither."
    check = _TEXT_CHECKS.get(kind)
    if check is not None:
        return check(value)
    return None if kind not in _FORMS or _pattern(kind).fullmatch(value) else _FORMS[kind]


def _right_json(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "decimal":
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return isinstance(value, str)


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile(PRIMITIVES[kind])


def is_absolute(address: str) -> bool:
    """Whether an address begins with a scheme.

    >>> is_absolute("urn:oid:1.2"), is_absolute("Patient/1")
    (True, False)
    """
    return _ABSOLUTE.fullmatch(address) is not None


def _date(value: str) -> str | None:
    return None if _pattern("date").fullmatch(value) and _of_the_calendar(value) else _FORMS["date"]


def _date_time(value: str) -> str | None:
    return None if _pattern("dateTime").fullmatch(value) and _of_the_calendar(value) else _FORMS["dateTime"]


def _instant(value: str) -> str | None:
    return None if _pattern("instant").fullmatch(value) and _of_the_calendar(value) else _FORMS["instant"]


def _of_the_calendar(value: str) -> bool:
    if len(value) < len("YYYY-MM-DD"):
        return True
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _text(value: str) -> str | None:
    return None


def _address(value: str) -> str | None:
    for kind in ("oid", "uuid"):
        if value.startswith(f"urn:{kind}:") and not _pattern(kind).fullmatch(value):
            return _FORMS[kind]
    return _FORMS["uri"] if _BLANK.search(value) else None


def _canonical(value: str) -> str | None:
    return None if value.startswith("#") or is_absolute(value) else _FORMS["canonical"]


def _base64(value: str) -> str | None:
    try:
        b64decode(re.sub(r"\s", "", value), validate=True)
    except (binascii.Error, ValueError):
        return _FORMS["base64Binary"]
    return None


_TEXT_CHECKS: Final[Mapping[str, Callable[[str], str | None]]] = MappingProxyType(
    {
        "date": _date,
        "dateTime": _date_time,
        "instant": _instant,
        "string": _text,
        "markdown": _text,
        "uri": _address,
        "url": _address,
        "canonical": _canonical,
        "base64Binary": _base64,
        "xhtml": xhtml_fault,
    }
)
