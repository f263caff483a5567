"""This file checks codes: those of required value sets, those of code systems that FHIR R4 lists completely, and units.

Other code systems (SNOMED CT, LOINC) are not asked: their content is not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fhir_mappings.r4.definitions import TYPES, VALUE_SETS, Element, codes_of
from fhir_mappings.r4.fault import Fault
from fhir_mappings.r4.primitives import is_absolute
from fhir_mappings.r4.units import is_unit

_UCUM: Final = "http://unitsofmeasure.org"
_WITHIN_A_CONCEPT: Final = TYPES["CodeableConcept"].elements["coding"]
"""A CodeableConcept answers for its codings."""


def coding_faults(content: Any, kind: str, element: Element, path: str) -> Iterator[Fault]:
    """What is wrong with the codes of one code, Coding, CodeableConcept or Quantity of the right form."""
    if kind == "code":
        if element.binding and not any(content in codes for codes in VALUE_SETS[element.binding].values()):
            yield _out_of_value_set(path)
    elif kind == "Coding":
        if element is _WITHIN_A_CONCEPT:
            return
        if not is_absolute(content.get("system", _UCUM)):
            text = "The system of a code is an absolute address."
            yield Fault(path=path, code="value", detail="invalid-element", text=text)
        yield from _codings([content], element, path)
    elif kind == "CodeableConcept":
        yield from _codings(content.get("coding", []), element, path)
    elif kind == "Quantity":
        yield from _unit(content, path)


def _codings(codings: list[dict[str, Any]], element: Element, path: str) -> Iterator[Fault]:
    for coding in codings:
        system, code = coding.get("system"), coding.get("code")
        known = codes_of(system) if system else None
        if known is not None and code is not None and code not in known:
            yield Fault(
                path=path, code="code-invalid", detail="unknown-code", text="This code system has no such code."
            )
    if element.binding:
        allowed = VALUE_SETS[element.binding]
        if not any(one.get("code") in allowed.get(one.get("system", ""), ()) for one in codings):
            yield _out_of_value_set(path)


def _unit(quantity: dict[str, Any], path: str) -> Iterator[Fault]:
    system, code = quantity.get("system"), quantity.get("code")
    if system and not is_absolute(system):
        text = "The system of a unit is an absolute address: for UCUM http://unitsofmeasure.org."
        yield Fault(path=path, code="value", detail="invalid-element", text=text)
    if system == _UCUM and code and not is_unit(code):
        text = "UCUM has no such unit: correct the code, or leave system and code out and keep the printed unit."
        yield Fault(path=path, code="code-invalid", detail="unknown-unit", text=text)


def _out_of_value_set(path: str) -> Fault:
    text = "FHIR R4 requires a code of its own value set here: take one of that."
    return Fault(path=path, code="code-invalid", detail="unknown-code", text=text)
