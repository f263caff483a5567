"""This file reads the Parameters of an operation: each name at most once, each with the kind of value it takes.

FHIR R4: https://hl7.org/fhir/R4/operations.html#request, https://hl7.org/fhir/R4/parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_mappings.elements import string

_FORMS: Mapping[str, type] = {"resource": dict, "valueBoolean": bool}
"""What a value is in JSON; all others are text."""


class ParameterRefused(ValueError):
    """A parameter that the operation does not take. `path` names it, the message says how to mend it."""

    def __init__(self, text: str, *, path: str) -> None:
        super().__init__(text)
        self.text = text
        self.path = path


def operation_input(
    parameters: Mapping[str, Any], *, takes: Mapping[str, tuple[str, ...]], operation: str
) -> dict[str, Any]:
    """The values by name. `takes` says under which elements (`resource`, `valueCode` …) each may stand.

    Raises ParameterRefused for a name that is not known, one that stands twice, and a value of another kind: what a
    client meant must never be guessed.
    """
    listed = parameters.get("parameter", [])
    if not isinstance(listed, list):
        raise ParameterRefused("parameter is a list: write it in [ ].", path="Parameters.parameter")
    known = ", ".join(f"{name} ({' or '.join(elements)})" for name, elements in takes.items())
    found: dict[str, Any] = {}
    for at, parameter in enumerate(listed):
        path = f"Parameters.parameter[{at}]"
        name = string(parameter.get("name")) if isinstance(parameter, dict) else ""
        if name not in takes:
            raise ParameterRefused(f"{operation} knows {known}: correct or leave out this parameter.", path=path)
        if name in found:
            raise ParameterRefused("This parameter stands twice: send it once.", path=path)
        values = [
            parameter[element]
            for element in takes[name]
            if isinstance(parameter.get(element), _FORMS.get(element, str))
        ]
        if len(values) != 1 or parameter.keys() - {"name", "id", "extension", *takes[name]}:
            raise ParameterRefused(f"This parameter takes {' or '.join(takes[name])}: send it so.", path=path)
        found[name] = values[0]
    return found
