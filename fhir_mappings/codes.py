"""This file turns codings and words into concepts of ours, by the tables under `codes/`.

Words are compared without accents, letter case and marks (`elements.plain`). A table's pattern is a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from fhir_mappings.code_tables import code_table
from fhir_mappings.elements import Coding, plain

SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"

Pattern = re.Pattern[str]


def pattern(fragments: Iterable[str]) -> Pattern:
    """One expression that fits where any of the fragments fits; without fragments it fits nothing."""
    joined = "|".join(f"(?:{fragment})" for fragment in fragments)
    return re.compile(joined or r"(?!)")


@cache
def words_of(table: str, *keys: str) -> Pattern:
    """The expression of one list of words in a table, by the path of keys to it."""
    found: Any = code_table(table)
    for key in keys:
        found = found[key]
    return pattern(found)


@cache
def word_groups(table: str, *keys: str) -> Mapping[str, Pattern]:
    """The expressions of a group of lists in a table, in the table's order."""
    found: Any = code_table(table)
    for key in keys:
        found = found[key]
    return {name: pattern(fragments) for name, fragments in found.items()}


def first_fit(groups: Mapping[str, Pattern], text: str) -> str | None:
    """The name of the first group whose words stand in `text`."""
    words = plain(text)
    return next((name for name, expression in groups.items() if expression.search(words)), None)


def every_fit(groups: Mapping[str, Pattern], text: str) -> frozenset[str]:
    """The names of all groups whose words stand in `text`."""
    words = plain(text)
    return frozenset(name for name, expression in groups.items() if expression.search(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureCode:
    """What one billing or clinical code says of a procedure, in our own words."""

    label: str  # such as "CPT 11951"
    act: str  # "filler", or "perhaps" where a product must be named too
    material: str | None = None
    product: str | None = None
    region: str | None = None


@cache
def _procedure_codes() -> Mapping[tuple[str, str], ProcedureCode]:
    table = code_table("procedures")
    found = {}
    for row in table["code"]:
        for code in row["codes"]:
            read = ProcedureCode(
                label=f"{row['system'].upper()} {code}",
                act=row["act"],
                material=row.get("material"),
                product=row.get("product"),
                region=row.get("region"),
            )
            found.update({(system, code): read for system in table["systems"][row["system"]]})
    return found


def procedure_code(coding: Coding) -> ProcedureCode | None:
    """What a procedure's code means for us, if anything. A code without its system means nothing."""
    return _procedure_codes().get((coding.system, coding.code))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Concept:
    id: str
    beginnings: tuple[str, ...]
    snomed: frozenset[str]
    words: Pattern
    history: tuple[str, ...] = ()
    procedures: bool = False


@cache
def _conditions() -> tuple[_Concept, ...]:
    return tuple(
        _Concept(
            id=row["id"],
            beginnings=tuple(row["icd10"]),
            snomed=frozenset(row["snomed"]),
            words=pattern(row["words"]),
            history=tuple(row.get("history", ())),
            procedures=row.get("procedures", False),
        )
        for row in code_table("conditions")["condition"]
    )


@cache
def _any_condition_words() -> Pattern:
    """All words of all conditions in one: most texts fit none, and one search says so."""
    return pattern(fragment for row in code_table("conditions")["condition"] for fragment in row["words"])


@cache
def _icd10_systems() -> frozenset[str]:
    return frozenset(code_table("conditions")["systems"]["icd10"])


def condition_concepts(codings: Iterable[Coding], text: str, *, of_procedure: bool = False) -> tuple[str, ...]:
    """The conditions of `codes/conditions.toml` that these codes or words mean, in the table's order."""
    by_words = _conditions_in_words(plain(text))
    known = tuple(codings)
    icd10 = [coding.code.replace(".", "").upper() for coding in known if coding.system in _icd10_systems()]
    snomed = {coding.code for coding in known if coding.system == SNOMED}
    if not (by_words or icd10 or snomed):
        return ()
    return tuple(
        concept.id
        for concept in _conditions()
        if (concept.procedures or not of_procedure)
        and (
            bool(concept.snomed & snomed)
            or bool(concept.beginnings and any(code.startswith(concept.beginnings) for code in icd10))
            or concept.id in by_words
        )
    )


@lru_cache(maxsize=2048)
def _conditions_in_words(words: str) -> frozenset[str]:
    """The conditions that words alone mean; the names of conditions are the same in every record."""
    if words_of("conditions", "around", "absent").search(words):
        return frozenset()  # "no sarcoidosis", "rule out …": only a code can still say it
    if not _any_condition_words().search(words):
        return frozenset()
    return frozenset(concept.id for concept in _conditions() if concept.words.search(words))


def says_history(codings: Iterable[Coding], text: str) -> bool:
    """Whether codes or words put a condition into the past."""
    past = tuple(beginning for concept in _conditions() for beginning in concept.history)
    codes = [coding.code.replace(".", "").upper() for coding in codings if coding.system in _icd10_systems()]
    return any(code.startswith(past) for code in codes) or bool(
        words_of("conditions", "around", "history").search(plain(text))
    )


@cache
def _medications() -> tuple[_Concept, ...]:
    return tuple(
        _Concept(id=row["id"], beginnings=tuple(row["atc"]), snomed=frozenset(), words=pattern(row["words"]))
        for row in code_table("medications")["medication"]
    )


@cache
def _any_medication_words() -> Pattern:
    return pattern(fragment for row in code_table("medications")["medication"] for fragment in row["words"])


def medication_concepts(codings: Iterable[Coding], text: str) -> tuple[str, ...]:
    """The medicines of `codes/medications.toml` that these codes or words mean, in the table's order."""
    systems = code_table("medications")["atc_systems"]
    atc = [coding.code.upper() for coding in codings if coding.system in systems]
    words = plain(text)
    if not atc and not _any_medication_words().search(words):
        return ()
    return tuple(
        concept.id
        for concept in _medications()
        if any(code.startswith(concept.beginnings) for code in atc) or bool(words and concept.words.search(words))
    )
