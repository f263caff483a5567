"""This file reads one TOML table strictly: every key is asked for once, and a key nobody asked for is an error.

It knows nothing of the clinic; `knowledge_reader.py` says which keys there are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from correlation.catalogue import Measure
from correlation.errors import KnowledgeError

T = TypeVar("T")

FORMAT = 1


def parse_file(path: str, content: bytes) -> Table:
    """The top table of one file. Numbers with a point become `Decimal`; the file must say `format = 1`."""
    try:
        data = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KnowledgeError(file=path, key="", says=f"is not TOML: {error}") from None
    table = Table(data, file=path, key="")
    table.expect_format()
    return table


class Table:
    """A TOML table with the file and the key it stands at, so that every complaint says where."""

    def __init__(self, data: Mapping[str, object], *, file: str, key: str) -> None:
        self.data = data
        self.file = file
        self.key = key
        self._asked: set[str] = set()

    def wrong(self, name: str, says: str) -> KnowledgeError:
        """The complaint about one key of this table."""
        return KnowledgeError(file=self.file, key=f"{self.key}.{name}" if self.key else name, says=says)

    def done(self) -> None:
        """Refuse the keys that nobody asked for."""
        for name in sorted(set(self.data) - self._asked):
            raise self.wrong(name, "unknown key")

    def has(self, name: str) -> bool:
        """Whether an optional key is there."""
        self._asked.add(name)
        return name in self.data

    def expect_format(self) -> None:
        """Refuse a file of another format than ours."""
        if self._required(name="format") != FORMAT:
            raise self.wrong("format", f"is not {FORMAT}")

    def text(self, name: str) -> str:
        """A required text that is not blank."""
        value = self.text_or_blank(name)
        if not value:
            raise self.wrong(name, "is blank")
        return value

    def text_or_blank(self, name: str) -> str:
        """A required text that may be blank."""
        value = self._required(name)
        if not isinstance(value, str) or value != value.strip():
            raise self.wrong(name, "is not a text without outer spaces")
        return value

    def optional_text(self, name: str) -> str:
        """A text that may be missing; then blank."""
        return self.text(name) if self.has(name) else ""

    def word(self, name: str, allowed: frozenset[str]) -> str:
        """A required text out of a fixed set of words."""
        value = self.text(name)
        if value not in allowed:
            raise self.wrong(name, f"is not one of {', '.join(sorted(allowed))}")
        return value

    def flag(self, name: str) -> bool:
        """A required true or false."""
        value = self._required(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "is neither true nor false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A required list of texts, none blank, none twice; it may be empty."""
        value = self._required(name)
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.wrong(name, "is not a list of texts")
        if len(set(value)) != len(value):
            raise self.wrong(name, "says something twice")
        return tuple(value)

    def optional_texts(self, name: str) -> tuple[str, ...]:
        """A list of texts that may be missing; then empty."""
        return self.texts(name) if self.has(name) else ()

    def counts(self, name: str) -> Mapping[str, int]:
        """A table of small whole numbers; empty where missing."""
        if not self.has(name):
            return {}
        table = self.table(name)
        counts: dict[str, int] = {}
        for item, value in table.data.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise table.wrong(item, "is not a count")
            counts[item] = value
        return counts

    def day(self, name: str) -> date | None:
        """An optional calendar day."""
        if not self.has(name):
            return None
        value = self.data[name]
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.wrong(name, "is not a calendar day")
        return value

    def decimal(self, name: str) -> Decimal:
        """A required number, written as a text ("0.2495") or as a TOML number."""
        return self._decimal(name, self._required(name))

    def optional_decimal(self, name: str) -> Decimal | None:
        """A number that may be missing."""
        return self.decimal(name) if self.has(name) else None

    def measure(self, name: str) -> Measure:
        """A required number with its unit and its source: `{ value = "36", unit = "mo", source = "seed" }`."""
        table = self.table(name)
        measure = Measure(value=table.decimal("value"), unit=table.text("unit"), source=table.text("source"))
        table.done()
        return measure

    def optional_measure(self, name: str) -> Measure | None:
        """A measure that may be missing."""
        return self.measure(name) if self.has(name) else None

    def measures(self, name: str) -> Mapping[str, Measure]:
        """A table of measures by name; empty where missing."""
        if not self.has(name):
            return {}
        table = self.table(name)
        return {item: table.measure(item) for item in table.data}

    def table(self, name: str) -> Table:
        """A required table inside this one."""
        value = self._required(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "is a bare value; a table is needed (a number needs value, unit and source)")
        return Table(value, file=self.file, key=f"{self.key}.{name}" if self.key else name)

    def each(self, name: str, read: Callable[[Table], T]) -> tuple[T, ...]:
        """Every table of a required list of tables, read by `read` and closed; the list may not be empty."""
        value = self._required(name)
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            raise self.wrong(name, "is not a list of tables")
        return tuple(self._read_item(name, item, read) for item in value)

    def _read_item(self, name: str, item: dict[str, object], read: Callable[[Table], T]) -> T:
        label = item.get("id") or item.get("code") or item.get("term") or "?"
        table = Table(item, file=self.file, key=f"{self.key}.{name}[{label}]" if self.key else f"{name}[{label}]")
        result = read(table)
        table.done()
        return result

    def _required(self, name: str) -> object:
        if not self.has(name):
            raise self.wrong(name, "is missing")
        return self.data[name]

    def _decimal(self, name: str, value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self.wrong(name, "is not a number")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self.wrong(name, "is not a number") from None
        if not number.is_finite():
            raise self.wrong(name, "is not a finite number")
        return number
