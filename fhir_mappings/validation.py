"""This file checks one resource against FHIR R4 and against profiles of ours, and names each fault by its FHIRPath.

What is kept or made is checked with the table of HL7's own definitions (`fhir_mappings/r4`): structure, forms,
required codes, invariants, reference targets. Other types of R4 are checked with fhir.resources, for their structure
alone; this is the only file that imports it, and only when asked. fhir.resources has R4B instead of R4, with the same
structure for the types met here; it also serves the tests of what we write. Its messages may hold values of the record,
so none is passed on. Nothing here is on the way of a bundle: the tolerant readers of this room take its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fhir_mappings.elements import mapping, string
from fhir_mappings.issues import ERROR, WARNING, Issue
from fhir_mappings.profile_check import profile_faults
from fhir_mappings.r4.fault import Fault
from fhir_mappings.r4.structure import resource_faults
from fhir_mappings.resource_json import ELEMENT_NAME
from fhir_mappings.resource_types import R4_TYPES

_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
_CHOICES: Final = (
    "value", "effective", "performed", "onset", "abatement", "occurrence", "timing", "medication", "deceased",
    "multipleBirth", "reported", "defaultValue",
)  # fmt: skip
_MISSING: Final = ("required", "missing-element", "An element that FHIR R4 requires is missing: add it.")
_KINDS: Final = {
    "missing": _MISSING,
    "extra_forbidden": (
        "structure",
        "unknown-field",
        "FHIR R4 has no such field here: leave it out or use an extension.",
    ),
}
_OTHERWISE: Final = ("value", "invalid-element", "This element is not as FHIR R4 has it: check its type and form.")


def validate(
    resource: dict[str, Any],
    *,
    path: str | None = None,
    profiles: Iterable[str] = (),
    definitions: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Issue, ...]:
    """The faults of one resource, each once; empty where there is none.

    `path` is the FHIRPath it stands under. `profiles` are addresses it is checked against beside base R4;
    `definitions` holds our StructureDefinitions and ValueSets by address. A profile that is asked for and not known
    here is an error, one that the resource itself names in `meta.profile` a warning: it was not checked.
    """
    kind = string(resource.get("resourceType"))
    if kind not in R4_TYPES:
        text = "FHIR R4 has no resource type of this name: correct resourceType."
        where = f"{path}.resourceType" if path else "Resource.resourceType"
        return (Issue(severity=ERROR, code="not-supported", detail="unknown-type", text=text, expression=(where,)),)
    found = _faults(resource, kind, path or kind, profiles=tuple(profiles), definitions=definitions or {})
    return tuple(dict.fromkeys(_issue(fault) for fault in found))


def _faults(
    resource: dict[str, Any],
    kind: str,
    path: str,
    *,
    profiles: tuple[str, ...],
    definitions: Mapping[str, Mapping[str, Any]],
) -> Iterator[Fault]:
    yield from resource_faults(resource, path=path, other=by_model)
    own = mapping(resource.get("meta")).get("profile")
    named = own if isinstance(own, list) else []
    asked = [(address, path, ERROR) for address in profiles]
    claimed = [
        (address, f"{path}.meta.profile[{at}]", WARNING) for at, address in enumerate(named) if isinstance(address, str)
    ]
    for address, where, severity in (*asked, *claimed):
        profile = definitions.get(address.partition("|")[0])
        if address.partition("|")[0] == f"{_BASE}{kind}":
            continue
        if profile is None or profile.get("resourceType") != "StructureDefinition":
            text = "This profile is not known here, so the resource was not checked against it: name base R4 or ours."
            yield Fault(path=where, code="not-found", detail="unknown-profile", text=text, severity=severity)
        elif profile.get("type") != kind:
            text = "This profile is one of another resource type: name one of this type."
            yield Fault(path=where, code="value", detail="unknown-profile", text=text)
        else:
            yield from profile_faults(resource, profile, definitions=definitions, path=path)


def by_model(resource: dict[str, Any], path: str) -> Iterator[Fault]:
    """The faults that fhir.resources finds, for a type that the table does not have."""
    from fhir.resources.R4B import get_fhir_model_class  # costs a third of a second: only who validates pays it
    from pydantic import ValidationError

    kind = string(resource.get("resourceType"))
    if kind not in R4_TYPES:
        text = "FHIR R4 has no resource type of this name: correct resourceType."
        yield Fault(path=f"{path}.resourceType", code="structure", detail="unknown-type", text=text)
        return
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as fault:
        for error in fault.errors(include_input=False, include_url=False, include_context=False):
            code, detail, text = _KINDS.get(error["type"], _OTHERWISE)
            yield Fault(path=_fhirpath(error["loc"], path), code=code, detail=detail, text=text)
    except RecursionError:
        yield Fault(path=path, code="too-long", detail="too-deep", text="Nested too deep to be checked.")
    except (KeyError, LookupError, TypeError, ValueError, AttributeError):
        # fhir.resources lets these through, for instance for a type that R4B does not have.
        text = "A part of this resource is of no known type: check contained and entry."
        yield Fault(path=path, code="structure", detail="invalid-element", text=text)


def _issue(fault: Fault) -> Issue:
    return Issue(
        severity=fault.severity, code=fault.code, detail=fault.detail, text=fault.text, expression=(fault.path,)
    )


def _fhirpath(location: Iterable[int | str], path: str) -> str:
    """`("entry", 3, "resource", "valueQuantity", "unit")` as `Bundle.entry[3].resource.value.unit`."""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif ELEMENT_NAME.fullmatch(step):
            stem = next((one for one in _CHOICES if step.startswith(one) and step[len(one) :][:1].isupper()), None)
            path += f".{stem or step.removeprefix('_')}"
    return path
