"""This file names what a search asks for, in the record's own words: the store answers it without knowing FHIR."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpan:
    """The span of a date, both ends included: days as written, and instants in UTC, each as text that sorts."""

    first_day: str
    last_day: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchValues:
    """By what a resource is found.

    `tokens` are (parameter, system, value); `references` (parameter, reference as another entry's key or as it stands).
    A parameter is written `Type.name`.
    """

    tokens: tuple[tuple[str, str, str], ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    span: SearchSpan | None = None


NO_VALUES = SearchValues()


@dataclass(frozen=True, slots=True, kw_only=True)
class HasToken:
    """One of these values; a system or value of None is any."""

    parameter: str
    choices: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LacksToken:
    """None of these values, of whatever system."""

    parameter: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginsWith:
    """A word that begins with one of these."""

    parameter: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPatient:
    """Of one of these patients: our id, `Patient/id`, an absolute address, or another entry's key."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HasId:
    """One of these ids of ours."""

    choices: tuple[str, ...]


class Prefix(StrEnum):
    """How a date compares with the one that is asked for, as FHIR writes it."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    LESS = "lt"
    GREATER_OR_EQUAL = "ge"
    LESS_OR_EQUAL = "le"
    STARTS_AFTER = "sa"
    ENDS_BEFORE = "eb"


@dataclass(frozen=True, slots=True, kw_only=True)
class HasDate:
    """Its date compares so with one of these spans; `by_day` where a day or less was asked for, and not a time."""

    choices: tuple[tuple[Prefix, SearchSpan, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """When its present version was recorded: (prefix, first moment, last moment)."""

    choices: tuple[tuple[Prefix, datetime, datetime], ...]


Criterion = HasToken | LacksToken | BeginsWith | OfPatient | HasId | HasDate | Changed


def fits(values: SearchValues, criterion: Criterion) -> bool:
    """Whether a resource with these values would be found. Only words and tokens are looked at."""
    if isinstance(criterion, HasToken):
        return any(
            parameter == criterion.parameter and wanted in ((system, value), (None, value), (system, None))
            for parameter, system, value in values.tokens
            for wanted in criterion.choices
        )
    if isinstance(criterion, LacksToken):
        return not any(
            parameter == criterion.parameter and value in criterion.values for parameter, _, value in values.tokens
        )
    if isinstance(criterion, BeginsWith):
        return any(
            parameter == criterion.parameter and value.startswith(criterion.choices)
            for parameter, _, value in values.tokens
        )
    return False
