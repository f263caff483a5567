"""This file reads FHIR elements from plain JSON and never raises: what is not as expected is not there.

FHIR R4 datatypes: https://hl7.org/fhir/R4/datatypes.html
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Optional

Json = Mapping[str, Any]
# A place inside a resource: the place above it, and the name or number of the step to it.
_Place = tuple[Optional["_Place"], str | int]
_BRANCHES = (dict, list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """One coding; what is absent is the empty string."""

    system: str = ""
    code: str = ""
    display: str = ""


def string(value: object) -> str:
    """A JSON string without the blanks around it; anything else is the empty string."""
    return value.strip() if isinstance(value, str) else ""


def mapping(value: object) -> dict[str, Any]:
    """A JSON object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list. A lone object where FHIR has a list counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: object) -> Decimal | None:
    """A JSON number as Decimal. Booleans and strings are none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def codings(concept: object) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept, or a lone Coding."""
    found = mapping(concept)
    every = objects(found["coding"]) if "coding" in found else [found]
    read = [_coding(string(one.get("system")), string(one.get("code")), string(one.get("display"))) for one in every]
    return tuple([one for one in read if one.code or one.display])


@lru_cache(maxsize=4096)
def _coding(system: str, code: str, display: str) -> Coding:
    """The same few codes stand in every record: each is made once."""
    return Coding(system=system, code=code, display=display)


def concept_text(concept: object) -> str:
    """The words of a CodeableConcept: its text, else its first display."""
    text = string(mapping(concept).get("text"))
    return text or next((coding.display for coding in codings(concept) if coding.display), "")


def concept_words(concept: object) -> tuple[str, ...]:
    """Every different wording of a CodeableConcept: the text first, then the displays."""
    words = (string(mapping(concept).get("text")), *(coding.display for coding in codings(concept)))
    return tuple(dict.fromkeys(word for word in words if word))


def code_of(concept: object) -> str:
    """The first code of a CodeableConcept, or a plain string (STU3 wrote some status as a code)."""
    return string(concept) or next((coding.code for coding in codings(concept) if coding.code), "")


def references(value: object) -> tuple[str, ...]:
    """The literal references of a Reference or a list of them."""
    return tuple(text for item in objects(value) if (text := string(item.get("reference"))))


def notes(resource: Json) -> tuple[str, ...]:
    """The texts of `note` (Annotation)."""
    return tuple(text for item in objects(resource.get("note")) if (text := string(item.get("text"))))


def every_reference(content: object, *, path: str) -> Iterator[tuple[str, str]]:
    """Every literal reference inside a resource with the FHIRPath of its element; not recursive."""
    waiting: list[tuple[_Place, dict[str, Any] | list[Any]]] = []
    if isinstance(content, dict | list):
        waiting.append(((None, path), content))
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, dict):
            text = found.get("reference")
            if isinstance(text, str):
                yield _path(place), text.strip()
            for name, child in found.items():
                if isinstance(child, _BRANCHES):
                    waiting.append(((place, name), child))
        else:
            for at, child in enumerate(found):
                if isinstance(child, _BRANCHES):
                    waiting.append(((place, at), child))


def _path(place: _Place) -> str:
    """The FHIRPath of a place; written out only where it is asked for, as most places hold no reference."""
    steps: list[str] = []
    above, step = place
    while above is not None:
        steps.append(f".{step}" if isinstance(step, str) else f"[{step}]")
        above, step = above
    return str(step) + "".join(reversed(steps))


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """Words for comparing: small letters, no accents, every run of other characters one blank.

    >>> plain("Calcio  iónico (suero)")
    'calcio ionico suero'
    """
    without_accents = "".join(
        character
        for character in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(character)
    )
    return re.sub(r"[^a-z0-9+]+", " ", without_accents).strip()
