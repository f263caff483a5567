"""This file reads quantities: a number with its unit, a limit ("<5"), a titre ("1:160"), a range in numbers or words.

The UCUM code wins over the printed unit. Conversion is `correlation.units`; a unit it does not list is not converted.
FHIR R4: https://hl7.org/fhir/R4/datatypes.html#Quantity, https://hl7.org/fhir/R4/observation-definitions.html#Observation.referenceRange
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from correlation.catalogue import Analyte
from correlation.units import convert, factor_of
from fhir_mappings.code_tables import code_table
from fhir_mappings.elements import code_of, mapping, number, objects, string

_COMPARATORS: Final = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_NUMBER: Final = r"[+-]?\d+(?:[.,]\d+)?"
_WRITTEN: Final = re.compile(
    rf"(?P<comparator><=|>=|≤|≥|<|>)?\s*(?P<titre>1\s*[:/]\s*)?(?P<value>{_NUMBER})\s*(?P<unit>\D.*)?"
)
_BETWEEN: Final = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?:-|–|—|to|a|hasta|\.\.)\s*(?P<high>{_NUMBER})\s*(?P<unit>[^\d\s].*)?", re.IGNORECASE
)
_UP_TO: Final = re.compile(r"^(?:up to|less than|below|hasta|menor (?:de|que)|inferior a)\s*", re.IGNORECASE)
_FROM: Final = re.compile(r"^(?:more than|greater than|above|at least|mayor (?:de|que)|superior a)\s*", re.IGNORECASE)
_FLAG: Final = r"(?:hh?|ll?|aa?|n|\*+|!+|↑+|↓+|high|low|normal|critical|alt[oa]|baj[oa]|elevad[oa]|cr[ií]tic[oa])"
_UNIT: Final = r"[a-zµμ%][^\s()\[\];,*]*"
_LIMITS: Final = rf"(?:{_NUMBER}\s*(?:-|–|—|to|a|hasta)\s*{_NUMBER}|[<>≤≥]=?\s*{_NUMBER})"
_RANGE_NAME: Final = (
    r"(?:reference range|reference|ref\.? range|range|ref|normal|vn|vr|v\.?n\.?|v\.?r\.?|rango|n|"
    r"valores? normal(?:es)?|valores? de referencia)\.?[:\s]*"
)
_REMARKED: Final = re.compile(
    rf"(?:\(?{_FLAG}\)?[:\s]+)?(?P<number>(?:<=|>=|≤|≥|<|>)?\s*{_NUMBER})\s*"
    rf"(?P<unit>(?!{_FLAG}\b){_UNIT})?[\s,;]*(?:\(?{_FLAG}\)?[\s,;]*)?"
    rf"(?:[(\[]?\s*(?:{_RANGE_NAME})?(?P<range>{_LIMITS})\s*(?:{_UNIT})?\s*[)\]]?[\s,;]*)?"
    rf"(?P<last_unit>(?!{_FLAG}\b){_UNIT})?[\s,;]*(?:\(?{_FLAG}\)?)?",
    re.IGNORECASE,
)
_LONGEST_REMARK: Final = 120  # characters
_LARGEST_EXPONENT: Final = 15
_OTHER_SPELLINGS: Final = (
    ("IU/", "U/"),
    ("UI/", "U/"),
    ("/hr", "/h"),
    ("/min/1.73m2", "/min/{1.73_m2}"),
    ("mcg", "ug"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number as it was written. `unit` is blank where none was given; `comparator` marks a limit."""

    value: Decimal
    unit: str
    as_written: str
    comparator: str | None = None
    titre: bool = False
    printed_unit: str = ""  # where it differs from `unit`, which is then the code

    @property
    def usable(self) -> bool:
        """Whether the number is one that can be reckoned with."""
        return self.value.is_finite() and abs(self.value.adjusted()) <= _LARGEST_EXPONENT


def read_quantity(quantity: object) -> Amount | None:
    """A Quantity, or `None` where it has no number."""
    found = mapping(quantity)
    value = number(found.get("value"))
    if value is None:
        return None
    printed, code = string(found.get("unit")), string(found.get("code"))
    comparator = _COMPARATORS.get(string(found.get("comparator")))
    return Amount(
        value=value,
        unit=code or printed,
        as_written=f"{comparator or ''}{value} {printed or code}".strip(),
        comparator=comparator,
        printed_unit=printed if code else "",
    )


def read_written(text: str) -> Amount | None:
    """A number in words as laboratories print it, or `None`: "9.4 mg/dL", "<0,5", "1:160", "> 1:1280".

    >>> read_written("1:160").value
    Decimal('160')
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    value = to_decimal(found["value"])
    if value is None:
        return None
    titre = bool(found["titre"])
    return Amount(
        value=value,
        unit="{titer}" if titre else string(found["unit"]),
        as_written=text.strip(),
        comparator=_COMPARATORS.get(found["comparator"] or ""),
        titre=titre,
    )


def read_remarked(text: str) -> tuple[Amount, str] | None:
    """A number in words with a flag or a range beside it, and that range: "11.6 mg/dL (ref 8.6-10.2) H", "H 11,6".

    `None` where anything else stands there too: "1.2 today, 3.4 before" is no one number.

    >>> amount, written = read_remarked("11.6 mg/dL (ref 8.6-10.2) H")
    >>> str(amount.value), amount.unit, written
    ('11.6', 'mg/dL', '8.6-10.2')
    """
    found = _REMARKED.fullmatch(text.strip()) if len(text) <= _LONGEST_REMARK else None
    if found is None:
        return None
    amount = read_written(f"{found['number']} {found['unit'] or found['last_unit'] or ''}")
    return None if amount is None else (amount, string(found["range"]))


def to_decimal(text: str) -> Decimal | None:
    """A written number; a comma stands for a point."""
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def known_unit(unit: str, *, analyte: Analyte) -> str | None:
    """The spelling of a unit that the test lists, or `None`. `IU/L` is tried as `U/L`, `/hr` as `/h`."""
    if factor_of(unit, analyte=analyte) is not None:
        return unit
    for printed, code in _OTHER_SPELLINGS:
        tried = re.sub(re.escape(printed), code, unit.replace(" ", ""), flags=re.IGNORECASE)
        if tried != unit and factor_of(tried, analyte=analyte) is not None:
            return tried
    return None


def in_own_unit(value: Decimal, *, unit: str, analyte: Analyte) -> Decimal | None:
    """A value in the test's own unit, or `None` where the unit is not listed for it."""
    known = known_unit(unit, analyte=analyte)
    return None if known is None else convert(value, unit=known, analyte=analyte)


def mixed_units(amount: Amount, *, analyte: Analyte) -> bool:
    """Whether code and printed unit are both known and mean different things."""
    if not amount.printed_unit:
        return False
    one, other = (known_unit(unit, analyte=analyte) for unit in (amount.unit, amount.printed_unit))
    if one is None or other is None:
        return False
    return factor_of(one, analyte=analyte) != factor_of(other, analyte=analyte)


def reference_range(ranges: object, *, analyte: Analyte, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """Lower and upper limit in the test's own unit, from numbers or words; `None` for what is not given.

    `unit` is the result's, used where the range has none. Therapeutic and critical ranges are passed over.
    """
    for written in _of_health(ranges):
        low, high = (_limit(written.get(name), analyte=analyte, unit=unit) for name in ("low", "high"))
        if low is None and high is None:
            low, high = _worded_limits(string(written.get("text")), analyte=analyte, unit=unit)
        if (low is not None or high is not None) and (low is None or high is None or low <= high):
            return low, high
    return None, None


def _of_health(ranges: object) -> Iterable[dict[str, Any]]:
    passed_over = frozenset(code_table("results")["other_ranges"]["codes"])
    kept = [one for one in objects(ranges) if code_of(one.get("type")) not in passed_over]
    return sorted(kept, key=lambda one: code_of(one.get("type")) != "normal")


def _limit(quantity: object, *, analyte: Analyte, unit: str) -> Decimal | None:
    amount = read_quantity(quantity)
    if amount is None or not amount.usable:
        return None
    return in_own_unit(amount.value, unit=amount.unit or unit, analyte=analyte)


def worded_range(text: str, *, analyte: Analyte, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """Limits written beside a result ("8.6-10.2"), in the test's own unit."""
    return _worded_limits(text, analyte=analyte, unit=unit)


def _worded_limits(text: str, *, analyte: Analyte, unit: str) -> tuple[Decimal | None, Decimal | None]:
    plain = text.strip().strip("()[]")
    between = _BETWEEN.fullmatch(plain)
    if between is not None:
        own_unit = _unit_in_words(between["unit"], fallback=unit)
        low, high = (to_decimal(between[name]) for name in ("low", "high"))
        return _own(low, own_unit, analyte), _own(high, own_unit, analyte)
    amount = read_written(_FROM.sub(">", _UP_TO.sub("<", plain)))
    if amount is None or amount.comparator is None or not amount.usable:
        return None, None
    value = _own(amount.value, amount.unit or unit, analyte)
    return (value, None) if amount.comparator.startswith(">") else (None, value)


def _unit_in_words(found: str | None, *, fallback: str) -> str:
    return string(found) or fallback


def _own(value: Decimal | None, unit: str, analyte: Analyte) -> Decimal | None:
    return None if value is None else in_own_unit(value, unit=unit, analyte=analyte)


def in_millimetres(quantity: object) -> Decimal | None:
    """A length in millimetres, from mm, cm or m."""
    amount = read_quantity(quantity)
    factors = {"mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000)}
    if amount is None or not amount.usable or amount.unit.casefold() not in factors:
        return None
    return amount.value * factors[amount.unit.casefold()]
