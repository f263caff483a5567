"""This file turns a mapping of environment variables into the settings dataclasses of the rooms.

It never looks at the process environment itself: the three `main.py` files pass it in. A field of a room is
`FILLERTRACE_<ROOM>_<FIELD>` unless its metadata name another variable. Durations end in `_SECONDS`, sizes in `_BYTES`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from store.errors import SettingsError

PREFIX = "FILLERTRACE_"
ROOMS = ("API", "CLI", "EHR", "STORE", "WORKERS")
EXCEPTIONS = frozenset({"FILLERTRACE_DATABASE_URL", "FILLERTRACE_REDIS_URL"})
TEST_PREFIX = "FILLERTRACE_TEST_"  # read by the tests only
MASK = "******"

Settings = TypeVar("Settings")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as `fillertrace settings` and `deploy/env.sample` show it.

    `value` is what holds now, secrets masked.
    """

    variable: str
    kind: str
    default: str
    meaning: str
    example: str
    secret: bool
    value: str


def setting(
    default: object, meaning: str, *, example: str = "", secret: bool = False, variable: str | None = None
) -> Any:
    """A dataclass field with its meaning. `variable` replaces the name made from room and field."""
    metadata = {"meaning": meaning, "example": example, "secret": secret, "variable": variable}
    return dataclasses.field(default=default, metadata=metadata)


def check_rooms(environ: Mapping[str, str]) -> None:
    """Refuse FILLERTRACE_ variables that belong to no room at all; each room checks its own in `read_settings`."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX) or name.removesuffix("_FILE") in EXCEPTIONS:
            continue
        if name.removeprefix(PREFIX).partition("_")[0] not in ROOMS:
            raise SettingsError(f"{name} is not a setting of Fillertrace; see `fillertrace settings`")


def read_settings(settings: type[Settings], environ: Mapping[str, str], *, room: str) -> Settings:
    """The settings of one room (`api`, `store`, …). Raises SettingsError on an unknown or unreadable variable of it.

    `<NAME>_FILE` gives the value of a secret as the content of a file, without the line end.
    """
    room_prefix = f"{PREFIX}{room.upper()}_"
    hints = typing.get_type_hints(settings)
    values: dict[str, object] = {}
    known: set[str] = set()
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]
        name = _variable(field, room)
        known |= {name, f"{name}_FILE"} if field.metadata.get("secret") else {name}
        text = _text(name, environ, secret=bool(field.metadata.get("secret")))
        if text is not None:
            values[field.name] = _value(name, text, hints[field.name])
    for name in sorted(environ):
        if name.startswith(room_prefix) and name not in known:
            raise SettingsError(f"{name} is not a setting of Fillertrace; see `fillertrace settings`")
    try:
        return settings(**values)
    except ValueError as error:  # a settings class may check itself; its messages name fields only
        raise SettingsError(str(error)) from None


def list_settings(settings: object, *, room: str) -> tuple[Setting, ...]:
    """Every setting of one room with the value it has in this instance."""
    hints = typing.get_type_hints(type(settings))
    return tuple(
        Setting(
            variable=_variable(field, room),
            kind=_kind(hints[field.name]),
            default=_shown(_default(field), secret=False),
            meaning=str(field.metadata.get("meaning", "")),
            example=str(field.metadata.get("example", "")),
            secret=bool(field.metadata.get("secret")),
            value=_shown(getattr(settings, field.name), secret=bool(field.metadata.get("secret"))),
        )
        for field in dataclasses.fields(settings)  # type: ignore[arg-type]
    )


def _variable(field: dataclasses.Field[Any], room: str) -> str:
    named = field.metadata.get("variable")
    return str(named) if named else f"{PREFIX}{room.upper()}_{field.name.upper()}"


def _text(name: str, environ: Mapping[str, str], *, secret: bool) -> str | None:
    plain, file = environ.get(name), environ.get(f"{name}_FILE") if secret else None
    if plain is not None and file is not None:
        raise SettingsError(f"{name} and {name}_FILE are both set; keep one")
    if file is None:
        return plain
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError:
        raise SettingsError(f"{name}_FILE names a file that cannot be read") from None


def _value(name: str, text: str, hint: Any) -> object:
    reader = _readers(hint)
    try:
        return reader(text.strip())
    except ValueError:
        raise SettingsError(f"{name} is not readable as {_kind(hint)}") from None


def _readers(hint: Any) -> Callable[[str], object]:
    if isinstance(hint, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not types.NoneType]
        read = _readers(inner[0])
        return lambda text: read(text) if text else None
    if typing.get_origin(hint) is tuple:
        read_one = _readers(typing.get_args(hint)[0])
        return lambda text: tuple(read_one(part.strip()) for part in text.split(",") if part.strip())
    simple: dict[Any, Callable[[str], object]] = {bool: _truth, int: int, float: float, str: str, Path: Path}
    enumeration: Callable[[str], object] = hint  # an enum reads itself
    return simple.get(hint, enumeration)


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _kind(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return next(_kind(part) for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"list of {_kind(typing.get_args(hint)[0])}, by commas"
    words: dict[Any, str] = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path"}
    return words.get(hint) or " | ".join(str(member.value) for member in hint)


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return "" if field.default is dataclasses.MISSING else field.default


def _shown(value: object, *, secret: bool) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return mask(str(value)) if secret else str(value)


def mask(text: str) -> str:
    """A secret fit to be shown: an address keeps all but its password, anything else becomes stars.

    >>> mask("postgresql+psycopg://me:secret@db/fillertrace")
    'postgresql+psycopg://me:******@db/fillertrace'
    """
    if "://" not in text:
        return MASK
    parts = urlsplit(text)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    hidden = f"{name}:{MASK}" if colon else name
    return urlunsplit(parts._replace(netloc=f"{hidden}{at}{host}", query="" if parts.query == "" else MASK))
