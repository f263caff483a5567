"""This file reads SMART scopes: `patient/Observation.rs?category=laboratory`. What they allow is decided elsewhere.

SMART App Launch 2.2 https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. A scope that is not
well-formed, such as `.dus`, allows nothing; one of another kind (`openid`, `launch/patient`) is no scope of this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from fhir_mappings.resource_types import R4_TYPES

ALL_RIGHTS: Final = "cruds"
_SCOPE: Final = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})"
    r"\.(?:(?P<second>c?r?u?d?s?)|(?P<first>read|write|\*))(?:\?(?P<query>[^\s#]+))?"
)
_FIRST_VERSION: Final = {"read": "rs", "write": "cud", "*": ALL_RIGHTS}
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One scope. `context` is `patient`, `user` or `system`; `type` a resource type or `*`; `rights` are letters of
    `cruds`; `parameters` are those of a search that narrow it, as names and values, unescaped."""

    context: str
    type: str
    rights: frozenset[str]
    parameters: tuple[tuple[str, str], ...] = ()

    def covers(self, type_: str) -> bool:
        """Whether it speaks of this type of resource."""
        return self.type in ("*", type_)


def parse_scope(text: str) -> Scope | None:
    """One scope of either version of the grammar; None for what is none.

    >>> parse_scope("patient/Observation.rs").rights == parse_scope("patient/Observation.read").rights
    True
    >>> parse_scope("user/Observation.dus") is None, parse_scope("openid") is None
    (True, True)
    """
    found = _SCOPE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or (found["type"] != "*" and found["type"] not in R4_TYPES):
        return None
    rights = _FIRST_VERSION[found["first"]] if found["first"] else found["second"]
    if not rights:
        return None
    parameters: tuple[tuple[str, str], ...] = ()
    if found["query"] is not None:
        if found["first"]:
            return None  # the first version of the grammar knows no parameters
        try:
            parameters = tuple(parse_qsl(found["query"], keep_blank_values=True, strict_parsing=True))
        except ValueError:
            return None
    return Scope(context=found["context"], type=found["type"], rights=frozenset(rights), parameters=parameters)


def parse_scopes(texts: str | Iterable[str]) -> tuple[Scope, ...]:
    """The scopes among texts, or of one text by blanks, each once; what is none is left out."""
    words = texts.split() if isinstance(texts, str) else texts
    return tuple(dict.fromkeys(scope for word in words if (scope := parse_scope(word)) is not None))
