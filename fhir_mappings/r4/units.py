"""This file tells whether a text is a unit of UCUM, by its grammar and its list of units.

UCUM 1.9, https://ucum.org/ucum (ucum-essence.xml, copyright Regenstrief Institute). Nothing is converted here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from fhir_mappings.r4.definitions import UNITS

_TOKEN: Final = re.compile(r"\{[\x21-\x7a\x7c\x7e ]*\}|[()./]|(?:[^{}()./\[\]]|\[[^\]]*\])+")
_EXPONENT: Final = re.compile(r"(?P<unit>.*?[^\d+-])(?P<exponent>[+-]?\d+)?")


@cache
def _all_units() -> frozenset[str]:
    metric = UNITS["metric"]
    return frozenset((*UNITS["other"], *metric, *(prefix + unit for prefix in UNITS["prefixes"] for unit in metric)))


def is_unit(code: str) -> bool:
    """Whether UCUM has this unit.

    >>> [is_unit(code) for code in ("mg/dL", "10*3/uL", "mm[Hg]", "mL/min/{1.73_m2}", "1", "{score}", "IU/L", "mg//L")]
    [True, True, True, True, True, True, False, False]
    """
    tokens = _TOKEN.findall(code)
    if not tokens or "".join(tokens) != code:
        return False
    if tokens[0] == "/":
        tokens = tokens[1:]
    end = _term(tokens, 0)
    return end is not None and end == len(tokens)


def _term(tokens: list[str], at: int) -> int | None:
    """Where a term that begins here ends; None where there is none."""
    end = _component(tokens, at)
    while end is not None and end < len(tokens) and tokens[end] in ("/", "."):
        end = _component(tokens, end + 1)
    return end


def _component(tokens: list[str], at: int) -> int | None:
    if at >= len(tokens):
        return None
    token = tokens[at]
    if token == "(":
        end = _term(tokens, at + 1)
        return end + 1 if end is not None and end < len(tokens) and tokens[end] == ")" else None
    if token.startswith("{"):
        return at + 1
    if not _simple(token):
        return None
    return at + 2 if at + 1 < len(tokens) and tokens[at + 1].startswith("{") else at + 1


def _simple(token: str) -> bool:
    """A whole number, or a unit with or without an exponent."""
    if (token.isascii() and token.isdigit()) or token in _all_units():
        return True
    found = _EXPONENT.fullmatch(token)
    return found is not None and found["unit"] in _all_units()
