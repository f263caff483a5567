"""This file turns JSON bytes into plain dictionaries and back without losing a digit: `2.350` stays `2.350`.

Numbers with a point or an exponent become `decimal.Decimal`, and are written as they were read. Duplicate keys are
found, because RFC 8259 leaves their meaning open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final, Self

import simplejson

ELEMENT_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_WRITER: Final = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, separators=(",", ":"))
_PRETTY_WRITER: Final = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, indent="  ")
_GREATEST_EXPONENT: Final = 9999
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The bytes are not JSON in UTF-8. Carries no part of them."""


class TooDeep(ValueError):
    """The JSON is nested deeper than allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJson:
    """What was read, and the paths of objects that name a key twice (the last value was taken)."""

    content: Any
    duplicate_keys: tuple[str, ...] = ()


class WrittenDecimal(Decimal):
    """A number whose spelling Decimal would change, such as `1e3` or `0.0000001`; it is written as it was read."""

    __slots__ = ("_spelling",)
    _spelling: str

    def __new__(cls, spelling: str) -> Self:
        """The number of this spelling."""
        number = super().__new__(cls, spelling)
        number._spelling = spelling
        return number

    def __str__(self) -> str:
        return self._spelling


def loads(raw: bytes) -> Any:
    """One JSON document as plain Python, numbers with a point as Decimal. Raises `NotJson` or `TooDeep`."""
    return _decode(raw, hook=None)


def read_json(raw: bytes, *, depth: int) -> ReadJson:
    """One JSON document with its duplicate keys. Raises `NotJson`, or `TooDeep` beyond `depth` levels."""
    repeated: dict[int, tuple[dict[str, Any], tuple[str, ...]]] = {}

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) != len(pairs):
            repeated[id(content)] = (content, _repeated_names(pairs))
        return content

    content = _decode(raw, hook=keep)
    if _is_deeper(content, depth=depth):
        raise TooDeep("nested too deep")
    if not repeated:
        return ReadJson(content=content)
    paths = tuple(
        f"{path}{_step(name)}"
        for path, found in _objects(content)
        if id(found) in repeated
        for name in repeated[id(found)][1]
    )
    return ReadJson(content=content, duplicate_keys=paths)


def dumps(content: Any) -> bytes:
    """JSON in UTF-8 without blanks; decimals as they were written."""
    return _encode(content, _WRITER)


def dumps_pretty(content: Any) -> bytes:
    """The same for eyes: one member a line, two blanks in."""
    return _encode(content, _PRETTY_WRITER)


def digest(content: Any) -> str:
    """The SHA-256, in hex, of a resource as `dumps` writes it."""
    return sha256(dumps(content)).hexdigest()


def _encode(content: Any, writer: simplejson.JSONEncoder) -> bytes:
    text: str = writer.encode(content)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell and UTF-8 cannot
        return simplejson.dumps(content, use_decimal=True, separators=(",", ":")).encode("ascii")


def _decode(raw: bytes, *, hook: Any) -> Any:
    try:
        text = raw.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
        return simplejson.loads(text, parse_float=_decimal, object_pairs_hook=hook)
    except RecursionError:
        raise TooDeep("nested too deep") from None
    except ValueError:  # the cause is cut off: its text may hold a part of the input
        raise NotJson("not JSON in UTF-8") from None


def _decimal(spelling: str) -> Decimal:
    # RFC 8259, section 6, leaves the range to the reader. A number beyond this one is nobody's, and slow to work with.
    try:
        number = Decimal(spelling)
    except InvalidOperation:
        raise ValueError("a number out of range") from None
    if abs(number.adjusted()) > _GREATEST_EXPONENT:
        raise ValueError("a number out of range")
    return number if str(number) == spelling else WrittenDecimal(spelling)


def _repeated_names(pairs: list[tuple[str, Any]]) -> tuple[str, ...]:
    names = [name for name, _ in pairs]
    return tuple(sorted({name for name in names if names.count(name) > 1}))


def _is_deeper(content: Any, *, depth: int) -> bool:
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(depth):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _step(name: str) -> str:
    """One step of a FHIRPath. A key that is no element name could be anything, so it is not repeated."""
    return f".{name}" if ELEMENT_NAME.fullmatch(name) else ""


def _objects(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object with its FHIRPath, beginning with the resource type; not recursive."""
    root = content.get("resourceType") if isinstance(content, dict) else None
    waiting: list[tuple[str, Any]] = [(root if isinstance(root, str) else "Resource", content)]
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, dict):
            yield path, found
            waiting.extend((f"{path}{_step(name)}", child) for name, child in reversed(found.items()))
        elif isinstance(found, list):
            waiting.extend((f"{path}[{at}]", child) for at, child in reversed(list(enumerate(found))))
