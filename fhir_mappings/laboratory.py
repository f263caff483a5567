"""This file reads Observations as laboratory results in each test's own unit. Missing is never normal.

A test is known by its LOINC code, or by its whole name where no LOINC code is given. FHIR R4: https://hl7.org/fhir/R4/observation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from correlation.catalogue import Analyte, Interval, Knowledge
from correlation.dates import DateRange
from correlation.timeline import LabResult
from fhir_mappings.code_tables import code_table
from fhir_mappings.codes import LOINC, words_of
from fhir_mappings.elements import codings, concept_text, concept_words, mapping, objects, plain, string
from fhir_mappings.quantities import (
    Amount,
    in_own_unit,
    known_unit,
    mixed_units,
    read_quantity,
    read_remarked,
    read_written,
    reference_range,
    worded_range,
)
from fhir_mappings.range_words import range_in_words
from fhir_mappings.record import Record, Source

_LEFT_OUT: Final = ("entered-in-error", "cancelled", "registered")
_SETTLED: Final = ("final", "amended", "corrected")
_LABORATORY: Final = "laboratory"
_BLANK_UNITS: Final = ("{", "1")


class _Names:
    """The tests by code and by name, worked out once for each knowledge base."""

    def __init__(self) -> None:
        self._digest: str | None = None
        self._by_code: dict[str, Analyte] = {}
        self._by_name: dict[str, Analyte] = {}

    def of(self, knowledge: Knowledge) -> tuple[Mapping[str, Analyte], Mapping[str, Analyte]]:
        if self._digest != knowledge.digest:
            self._by_code = {code: one for one in knowledge.labs.values() for code in one.loinc}
            self._by_name = {
                plain(name): one
                for one in knowledge.labs.values()
                for name in (*knowledge.names_of_lab(one.id), *one.aliases)
            }
            self._digest = knowledge.digest
        return self._by_code, self._by_name


_NAMES: Final = _Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What the value of a result says."""

    amount: Amount | None = None
    qualitative: str | None = None
    as_written: str = ""
    range_written: str = ""  # limits in the words of the value itself


def read_labs(source: Source, record: Record) -> list[LabResult]:
    """The results an Observation holds: its own, and those of its components. Empty where it is no test we know."""
    resource = source.resource
    parts = [(resource, source.path)]
    parts += [(part, f"{source.path}.component[{at}]") for at, part in enumerate(objects(resource.get("component")))]
    tests = [(part, path, _test_of(part, resource, path, record)) for part, path in parts]
    if not any(test for _, _, test in tests):
        return []
    if string(resource.get("status")) in _LEFT_OUT:
        text = "The status of this result forbids using it; it was left out."
        record.inform("not-counted", text, f"{source.path}.status")
        return []
    known = [(part, path, test) for part, path, test in tests if test is not None and _has_value(part)]
    if not known:
        return []
    collected = record.when(source, stem="effective", what="This result")
    return [_result(part, test, path, collected, source, record) for part, path, test in known]


def is_laboratory(resource: Mapping[str, Any]) -> bool:
    """Whether the category says laboratory."""
    return any(
        coding.code.casefold() in (_LABORATORY, "lab")
        for one in objects(resource.get("category"))
        for coding in codings(one)
    )


def _test_of(part: Mapping[str, Any], resource: Mapping[str, Any], path: str, record: Record) -> Analyte | None:
    by_code, by_name = _NAMES.of(record.knowledge)
    loinc = [coding.code for coding in codings(part.get("code")) if coding.system == LOINC]
    for code in loinc:
        if code in by_code:
            return by_code[code]
    if not (is_laboratory(resource) or not objects(resource.get("category"))):
        return None
    named = next((by_name[name] for name in map(plain, concept_words(part.get("code"))) if name in by_name), None)
    if named is None or (_is_other_specimen(resource) and not named.id.endswith("_urine")):
        return None
    if loinc:
        text = "This result has the name of a test that is read, with a LOINC code that is not: it was left out."
        record.inform("unknown-code", text, f"{path}.code", code="code-invalid")
        return None
    return named


def _is_other_specimen(resource: Mapping[str, Any]) -> bool:
    specimen = mapping(resource.get("specimen"))
    words = [string(specimen.get("display"))]
    words += [text for item in objects(resource.get("contained")) for text in concept_words(item.get("type"))]
    other = words_of("results", "other_specimen", "words")
    return any(other.search(plain(text)) for text in words)


def _has_value(part: Mapping[str, Any]) -> bool:
    return any(name.startswith("value") for name in part)


def _result(
    part: dict[str, Any], test: Analyte, path: str, collected: DateRange | None, source: Source, record: Record
) -> LabResult:
    reading = _read_value(part)
    status = string(source.resource.get("status"))
    amount = reading.amount
    value, unit, reason = None, "", None
    if amount is not None:
        value, unit, reason = _convert(amount, test, path, record)
    elif reading.qualitative is None:
        reason = record.words.say("read.unreadable")
        record.warn(
            "invalid-element", "This value is neither a number nor positive or negative.", f"{path}.value", code="value"
        )
    range_unit = unit if amount is not None else test.unit
    low, high, is_default = _limits(part, reading.range_written, test, range_unit, record.sex)
    return LabResult(
        source=source.ref,
        test=test.id,
        collected=collected,
        value=value,
        unit=test.unit,
        as_written=reading.as_written,
        low=low,
        high=high,
        range_is_default=is_default,
        range_as_written=range_in_words(low, high, amount=amount, unit=unit, analyte=test, words=record.words),
        comparator=amount.comparator if amount is not None else None,
        qualitative=reading.qualitative or _interpretation(part),
        preliminary=status not in _SETTLED,
        unusable_because=reason,
    )


def _convert(amount: Amount, test: Analyte, path: str, record: Record) -> tuple[Decimal | None, str, str | None]:
    """The value in the test's unit, the unit it was read in, and why it cannot be used."""
    unit = amount.unit or (test.unit if test.unit.startswith(_BLANK_UNITS) else "")
    if not unit and known_unit("", analyte=test) is None:
        text = "This result has no unit and was not used: send valueQuantity with a UCUM code."
        record.warn("no-unit", text, f"{path}.value", code="required")
        return None, "", record.words.say("read.no_unit")
    if not amount.usable:
        record.warn("impossible-value", "This number cannot be true and was not used: correct it.", f"{path}.value")
        return None, "", record.words.say("read.not_true")
    value = in_own_unit(amount.value, unit=unit, analyte=test)
    if value is None and amount.printed_unit:
        unit = amount.printed_unit
        value = in_own_unit(amount.value, unit=unit, analyte=test)
    if value is None:
        text = "The unit of this result cannot be converted, so it was not used: send a UCUM code usual for the test."
        record.warn("unknown-unit", text, f"{path}.value", code="code-invalid")
        return None, "", record.words.say("read.not_converted")
    if mixed_units(amount, analyte=test):
        text = "The UCUM code and the printed unit mean different things: the code was taken. Correct one of them."
        record.warn("mixed-units", text, f"{path}.value", code="conflict")
    if _is_impossible(value, test):
        text = "This value lies outside what is possible for the test and was not used: check value and unit."
        record.warn("impossible-value", text, f"{path}.value")
        return None, unit, record.words.say("read.impossible")
    if amount.comparator is not None:
        text = "This result is a limit, not a number: it was used only where the limit decides."
        record.inform("comparator", text, f"{path}.value")
    return value, unit, None


def _is_impossible(value: Decimal, test: Analyte) -> bool:
    low, high = test.impossible_below, test.impossible_above
    return (low is not None and value < low) or (high is not None and value > high)


def _read_value(part: dict[str, Any]) -> _Reading:
    amount = read_quantity(part.get("valueQuantity"))
    if amount is not None:
        return _Reading(amount=amount, as_written=amount.as_written)
    for name in ("valueInteger", "valueDecimal"):
        amount = read_quantity({"value": part.get(name)})
        if amount is not None:
            return _Reading(amount=amount, as_written=amount.as_written)
    if isinstance(part.get("valueBoolean"), bool):
        word = "positive" if part["valueBoolean"] else "negative"
        return _Reading(qualitative=word, as_written=word)
    ratio = _titre(part.get("valueRatio"))
    if ratio is not None:
        return _Reading(amount=ratio, as_written=ratio.as_written)
    concept = part.get("valueCodeableConcept")
    text = string(part.get("valueString")) or concept_text(concept)
    return _read_words(text, concept)


def _read_words(text: str, concept: object) -> _Reading:
    qualitative = _qualitative(text, concept)
    remarked = read_remarked(text)
    if remarked is not None:
        return _Reading(amount=remarked[0], qualitative=qualitative, as_written=text, range_written=remarked[1])
    amount = read_written(text) or _number_behind(text)
    return _Reading(amount=amount, qualitative=qualitative, as_written=text)


def _number_behind(text: str) -> Amount | None:
    """The titre behind a word, as in "Positive 1:160"."""
    _, _, rest = text.partition(" ")
    amount = read_written(rest.strip("() "))
    return amount if amount is not None and amount.titre else None


def _titre(ratio: object) -> Amount | None:
    parts = [read_quantity(mapping(ratio).get(name)) for name in ("numerator", "denominator")]
    if parts[0] is None or parts[1] is None or parts[0].value != 1:
        return None
    return Amount(
        value=parts[1].value,
        unit="{titer}",
        as_written=f"1:{parts[1].value}",
        comparator=parts[0].comparator,
        titre=True,
    )


def _qualitative(text: str, concept: object) -> str | None:
    words = plain(text)
    codes = {coding.code for coding in codings(concept)}
    for name in ("negative", "positive"):
        if codes & set(code_table("results")[name]["codes"]) or words_of("results", name, "words").search(words):
            return name
    return None


def _interpretation(part: Mapping[str, Any]) -> str | None:
    found = {coding.code for one in objects(part.get("interpretation")) for coding in codings(one)}
    return "positive" if "POS" in found else "negative" if "NEG" in found else None


def _limits(
    part: Mapping[str, Any], in_words: str, test: Analyte, unit: str, sex: str | None
) -> tuple[Decimal | None, Decimal | None, bool]:
    low, high = reference_range(part.get("referenceRange"), analyte=test, unit=unit)
    if low is None and high is None and in_words:
        low, high = worded_range(in_words, analyte=test, unit=unit)
    if low is not None or high is not None:
        return low, high, False
    interval = _default(test.intervals, sex)
    return (interval.low, interval.high, True) if interval is not None else (None, None, False)


def _default(intervals: tuple[Interval, ...], sex: str | None) -> Interval | None:
    """The adult default for this sex, else the one for both; with an unknown sex only the latter."""
    exact = [one for one in intervals if one.sex == sex and sex is not None]
    both = [one for one in intervals if one.sex is None]
    return next(iter(exact + both), None)
