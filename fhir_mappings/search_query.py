"""This file reads the parameters of a search: what is asked, in which order and how much of it, and what is not known.

FHIR R4 https://hl7.org/fhir/R4/search.html. Comma means or, a repeated parameter means and; `\\,` `\\|` `\\$` are the
characters themselves. Modifiers other than the type of a reference are refused, as FHIR asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fhir_mappings.search_dates import Span, span_of
from fhir_mappings.search_parameters import EVERYWHERE, SearchParameter, parameter, parameters_of
from fhir_mappings.search_values import folded

MOST: Final = 1000
USUAL_COUNT: Final = 50
MOST_VALUES: Final = 400
"""So many values one search may name in all: SQLite takes no condition of a thousand parts."""
PREFIXES: Final = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"})
ABOUT_FORM: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})
CURSOR: Final = "_page"
_NAME: Final = re.compile(r"_?[a-z][a-zA-Z-]{0,40}")
_ID: Final = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_REFERENCE: Final = re.compile(r"(?:https?://.+/)?[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}|urn:(?:uuid|oid):[\w.:-]+")
_PREFIXED: Final = re.compile(r"([a-z]{2})?(.*)", re.DOTALL)


class BadParameter(ValueError):
    """A parameter that is known, with a value that has no meaning. `name` is its name, `text` says how to mend it."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"the parameter {name} has a value without meaning")
        self.name = name
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One parameter with the values of which one must fit.

    `ids` for _id; `patients` for whose it is; `tokens` are (system, value), None for any; `words` beginnings of words;
    `dates` are (prefix, span), of the resource's own date or, for _lastUpdated, of its last change.
    """

    name: str
    key: str
    ids: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    tokens: tuple[tuple[str | None, str | None], ...] = ()
    words: tuple[str, ...] = ()
    dates: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """`_include` or `_revinclude`: the type that refers, its parameter, the type referred to; None for any type."""

    source: str | None
    name: str
    target: str | None = None
    iterate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search as it was understood.

    `understood` are the names and values that counted, for the self link; `unknown` the names that did not. `count` 0
    asks for the number alone. `order` is `created`, `updated` or `date`.
    """

    type: str
    asked: tuple[Asked, ...] = ()
    count: int = USUAL_COUNT
    order: str = "created"
    descending: bool = True
    total: bool = True
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def read_search(type_: str, parameters: Iterable[tuple[str, str]]) -> SearchRequest:
    """A search of one type. Raises BadParameter; parameters that are not known here are listed in `unknown`."""
    reader = _Reader(type_)
    for name, value in parameters:
        if value and name != CURSOR:
            reader.add(name, value)
    return SearchRequest(
        type=type_,
        asked=tuple(reader.asked),
        count=reader.count,
        order=reader.order,
        descending=reader.descending,
        total=reader.total,
        includes=tuple(reader.includes),
        revincludes=tuple(reader.revincludes),
        understood=tuple(reader.understood),
        unknown=tuple(dict.fromkeys(reader.unknown)),
    )


def shown_name(name: str) -> str:
    """The name of an unknown parameter where it looks like one; what might be anything is not repeated."""
    return name if _NAME.fullmatch(name.partition(":")[0]) and len(name) < 60 else "a parameter"


class _Reader:
    def __init__(self, type_: str) -> None:
        self._type = type_
        self.asked: list[Asked] = []
        self.includes: list[Include] = []
        self.revincludes: list[Include] = []
        self.understood: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.count = USUAL_COUNT
        self.order, self.descending = "created", True
        self.total = True
        self._values = 0
        self._only_number = False

    def add(self, name: str, value: str) -> None:
        understood = self._about_result(name, value) or self._criterion(name, value)
        if understood:
            self.understood.append((name, value))
        else:
            self.unknown.append(name)

    def _about_result(self, name: str, value: str) -> bool:
        if name in ABOUT_FORM:
            if (name, value) == ("_summary", "count"):
                self.count, self._only_number = 0, True
            return True
        if name == "_count":
            if not value.isascii() or not value.isdigit() or len(value) > 9:
                raise BadParameter("_count", "_count is a whole number, 0 or more.")
            self.count = 0 if self._only_number else min(int(value), MOST)
            return True
        if name == "_total":
            if value not in {"none", "estimate", "accurate"}:
                raise BadParameter("_total", "_total is none, estimate or accurate.")
            self.total = value != "none"
            return True
        if name == "_sort":
            return self._sort(value)
        plain, _, modifier = name.partition(":")
        if plain in {"_include", "_revinclude"}:
            return modifier in {"", "iterate", "recurse"} and self._include(plain, value, iterate=bool(modifier))
        return False

    def _sort(self, value: str) -> bool:
        dates = {one.name for one in parameters_of(self._type) if one.kind == "date"}
        plain = value.removeprefix("-")
        if plain != "_lastUpdated" and plain not in dates:
            return False
        self.order, self.descending = "updated" if plain == "_lastUpdated" else "date", value.startswith("-")
        return True

    def _include(self, kind: str, value: str, *, iterate: bool) -> bool:
        source, _, rest = value.partition(":")
        name, _, target = rest.partition(":")
        found = parameter(self._type if source == "*" else source, name)
        if found is None or found.kind != "reference":
            return False
        if kind == "_revinclude" and (source == "*" or not found.searched):
            return False
        wanted = self.includes if kind == "_include" else self.revincludes
        wanted.append(
            Include(source=None if source == "*" else source, name=name, target=target or None, iterate=iterate)
        )
        return True

    def _criterion(self, name: str, value: str) -> bool:
        plain, _, modifier = name.partition(":")
        everywhere = dict(EVERYWHERE).get(plain)
        found = parameter(self._type, plain)
        if everywhere is None and (found is None or not found.searched):
            return False
        if modifier and (found is None or found.kind != "reference" or modifier[:1].islower()):
            raise BadParameter(plain, f"The parameter {plain} is taken here without this modifier.")
        choices = _split(value, ",")
        self._values += len(choices)
        if self._values > MOST_VALUES:
            raise BadParameter(plain, f"A search names at most {MOST_VALUES} values in all: ask in several.")
        if plain == "_id":
            self.asked.append(Asked(name=plain, key="", ids=tuple(_unescaped(one) for one in choices)))
        elif plain == "_lastUpdated":
            self.asked.append(Asked(name=plain, key="", dates=tuple(_date(plain, one) for one in choices)))
        elif found is not None:
            self.asked.append(self._of(found, choices, modifier))
        return True

    def _of(self, found: SearchParameter, choices: list[str], modifier: str) -> Asked:
        name, key = found.name, f"{self._type}.{found.name}"
        if found.kind == "date":
            return Asked(name=name, key=key, dates=tuple(_date(name, one) for one in choices))
        if found.kind == "string":
            return Asked(name=name, key=key, words=tuple(folded(_unescaped(one)) for one in choices))
        if found.kind == "token":
            return Asked(name=name, key=key, tokens=tuple(_token(one) for one in choices))
        references = [_reference(name, _unescaped(one), modifier or self._usual_target(name)) for one in choices]
        if name != "target" and all("Patient/" in one or one.startswith("urn:") for one in references):
            return Asked(name=name, key=key, patients=tuple(references))
        return Asked(name=name, key=key, tokens=tuple(("", one) for one in references))

    def _usual_target(self, name: str) -> str:
        return "DiagnosticReport" if name == "target" else "Patient"


def _reference(name: str, text: str, type_: str) -> str:
    """A reference with its type; a bare id is one of the type that the parameter usually means."""
    if _ID.fullmatch(text):
        return f"{type_}/{text}"
    if not _REFERENCE.fullmatch(text):
        raise BadParameter(name, f"The parameter {name} is a reference: Type/id, an id, or an absolute address.")
    return text


def _token(text: str) -> tuple[str | None, str | None]:
    parts = [_unescaped(part) for part in _split(text, "|")]
    if len(parts) == 1:
        return None, parts[0]
    return parts[0], "|".join(parts[1:]) or None


def _date(name: str, text: str) -> tuple[str, Span]:
    found = _PREFIXED.fullmatch(text)
    prefix, rest = (found.group(1) or "eq", found.group(2)) if found else ("eq", text)
    span = span_of(rest.strip().replace(" ", "+"))  # a plus that was not written as %2B
    if prefix not in PREFIXES or span is None:
        raise BadParameter(
            name,
            f"The parameter {name} is a date as FHIR writes it, such as ge2019-10 or 2019-10-29T11:00:00Z, "
            "with eq, ne, gt, lt, ge, le, sa or eb before it.",
        )
    return prefix, span


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that are not escaped; empty ones of a comma are left out."""
    parts = re.split(rf"(?<!\\){re.escape(separator)}", text)
    return [part for part in parts if part or separator == "|"] or [""]


def _unescaped(text: str) -> str:
    return re.sub(r"\\([,|$\\])", r"\1", text).replace("\0", "")
