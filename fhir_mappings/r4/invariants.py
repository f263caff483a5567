"""This file holds FHIR R4's invariants of the types that are kept or made, one small rule under each of HL7's keys.

HL7 writes them as FHIRPath; the one FHIRPath library for Python lacks `hasValue` and prints what it traces, so they
are written out (docs/decisions/0017). A rule sees only content of the right form. A test compares the keys with the
generated table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from fhir_mappings.elements import mapping, objects

_UCUM: Final = "http://unitsofmeasure.org"
_CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"

_Content = dict[str, Any]
_Rule = Callable[[_Content], bool]


def holds(key: str, content: Any) -> bool:
    """Whether one invariant holds for content of the right form; keys of `CHECKED_ELSEWHERE` always do here."""
    rule = RULES.get(key)
    return rule is None or rule(content)


def _has(content: _Content, name: str) -> bool:
    """Whether an element is there; `value` stands for every form of `value[x]`."""
    return name in content or any(one.startswith(name) and one[len(name) :][:1].isupper() for one in content)


def _implies(first: bool, second: bool) -> bool:
    return second or not first


def _coded(content: _Content, name: str, system: str, codes: Sequence[str]) -> bool:
    """Whether a CodeableConcept, or any of several, has one of these codes."""
    return any(
        coding.get("system") == system and coding.get("code") in codes
        for concept in objects(content.get(name))
        for coding in objects(concept.get("coding"))
    )


def _measured(content: _Content) -> bool:
    """What Age, Count, Distance and Duration share: a unit's code beside a value, of UCUM."""
    return ("code" in content or "value" not in content) and content.get("system", _UCUM) == _UCUM


def _in_order(low: str | None, high: str | None) -> bool:
    """Whether one date is not after another, as far as both are written; unsure counts as in order."""
    if not low or not high:
        return True
    if "T" in low and "T" in high:
        try:
            return datetime.fromisoformat(low) <= datetime.fromisoformat(high)
        except (ValueError, TypeError):  # named where it stands, or a leap second
            return True
    length = min(len(low), len(high), len("YYYY-MM-DD"))
    return low[:length] <= high[:length]


def _quantities_in_order(content: _Content) -> bool:
    low, high = content.get("low", {}), content.get("high", {})
    same_unit = low.get("code", low.get("unit")) == high.get("code", high.get("unit"))
    return not same_unit or "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _code_without_component_value(content: _Content) -> bool:
    if not _has(content, "value"):
        return True
    own = _codes(content.get("code", {}))
    return not any(own & _codes(component.get("code", {})) for component in content.get("component", []))


def _codes(concept: _Content) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted((key, str(value)) for key, value in one.items())) for one in concept.get("coding", [])}


def _ratio(content: _Content) -> bool:
    both, none = {"numerator", "denominator"} <= content.keys(), not {"numerator", "denominator"} & content.keys()
    return both or (none and "extension" in content)


def _contained(resource: _Content) -> list[_Content]:
    return objects(resource.get("contained"))


def _meta_of_contained(resource: _Content) -> set[str]:
    return {name for one in _contained(resource) for name in mapping(one.get("meta"))}


def _entries(bundle: _Content) -> list[_Content]:
    return objects(bundle.get("entry"))


def _first_is(bundle: _Content, kind: str) -> bool:
    first = next(iter(_entries(bundle)), {})
    return mapping(first.get("resource")).get("resourceType") == kind


def _addresses_differ(bundle: _Content) -> bool:
    named = [
        (one["fullUrl"], str(mapping(mapping(one.get("resource")).get("meta")).get("versionId", "")))
        for one in _entries(bundle)
        if "fullUrl" in one
    ]
    return bundle.get("type") == "history" or len(named) == len(set(named))


def _all_with(bundle: _Content, name: str, types: frozenset[str]) -> bool:
    wanted = bundle.get("type") in types
    return all((name in one) == wanted for one in _entries(bundle))


def _parameter_or_task(content: _Content) -> bool:
    """HL7 gave the key inv-1 twice: a parameter has one of value, resource and parts; a Task's dates follow."""
    if "name" not in content:
        return _in_order(content.get("authoredOn"), content.get("lastModified"))
    return [_has(content, "value"), "resource" in content, "part" in content].count(True) == 1


def _home(items: object) -> bool:
    return objects(items) != [] and objects(items)[0].get("use") == "home"


_REQUESTS: Final = frozenset({"batch", "transaction", "history"})
_RESPONSES: Final = frozenset({"batch-response", "transaction-response", "history"})
_BY_MEAL: Final = frozenset({"C", "CM", "CD", "CV"})

RULES: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        "age-1": lambda it: _measured(it) and it.get("value", 1) > 0,
        "ait-1": lambda it: (
            "clinicalStatus" in it or _coded(it, "verificationStatus", _ALLERGY_VERIFICATION, ["entered-in-error"])
        ),
        "ait-2": lambda it: (
            "clinicalStatus" not in it
            or not _coded(it, "verificationStatus", _ALLERGY_VERIFICATION, ["entered-in-error"])
        ),
        "att-1": lambda it: _implies("data" in it, "contentType" in it),
        "bdl-1": lambda it: "total" not in it or it.get("type") in ("searchset", "history"),
        "bdl-2": lambda it: it.get("type") == "searchset" or not any("search" in one for one in _entries(it)),
        "bdl-3": lambda it: _all_with(it, "request", _REQUESTS),
        "bdl-4": lambda it: _all_with(it, "response", _RESPONSES),
        "bdl-5": lambda it: bool({"resource", "request", "response"} & it.keys()),
        "bdl-7": _addresses_differ,
        "bdl-8": lambda it: "/_history/" not in it.get("fullUrl", ""),
        "bdl-9": lambda it: _implies(
            it.get("type") == "document", {"system", "value"} <= it.get("identifier", {}).keys()
        ),
        "bdl-10": lambda it: _implies(it.get("type") == "document", "timestamp" in it),
        "bdl-11": lambda it: _implies(it.get("type") == "document", _first_is(it, "Composition")),
        "bdl-12": lambda it: _implies(it.get("type") == "message", _first_is(it, "MessageHeader")),
        "cnt-3": lambda it: _measured(it) and it.get("code", "1") == "1" and "." not in str(it.get("value", "")),
        "con-1": lambda it: "summary" in it or "assessment" in it,
        "con-2": lambda it: "code" in it or "detail" in it,
        "con-4": lambda it: (
            not _has(it, "abatement")
            or _coded(it, "clinicalStatus", _CONDITION_CLINICAL, ["resolved", "remission", "inactive"])
        ),
        "con-5": lambda it: (
            "clinicalStatus" not in it
            or not _coded(it, "verificationStatus", _CONDITION_VERIFICATION, ["entered-in-error"])
        ),
        "cpt-2": lambda it: _implies("value" in it, "system" in it),
        "dis-1": _measured,
        "dom-2": lambda it: not any("contained" in one for one in _contained(it)),
        "dom-4": lambda it: not {"versionId", "lastUpdated"} & _meta_of_contained(it),
        "dom-5": lambda it: "security" not in _meta_of_contained(it),
        "drq-1": lambda it: ("path" in it) != ("searchParam" in it),
        "drq-2": lambda it: ("path" in it) != ("searchParam" in it),
        "drt-1": lambda it: _implies("code" in it, it.get("system") == _UCUM and "value" in it),
        "exp-1": lambda it: "expression" in it or "reference" in it,
        "inv-1": _parameter_or_task,
        "mad-1": lambda it: "dose" in it or _has(it, "rate"),
        "obs-3": lambda it: bool({"low", "high", "text"} & it.keys()),
        "obs-6": lambda it: "dataAbsentReason" not in it or not _has(it, "value"),
        "obs-7": _code_without_component_value,
        "org-1": lambda it: "identifier" in it or "name" in it,
        "org-2": lambda it: not _home(it),
        "org-3": lambda it: not _home(it),
        "pat-1": lambda it: bool({"name", "telecom", "address", "organization"} & it.keys()),
        "per-1": lambda it: _in_order(it.get("start"), it.get("end")),
        "qty-3": lambda it: _implies("code" in it, "system" in it),
        "rat-1": _ratio,
        "rng-2": _quantities_in_order,
        "sqty-1": lambda it: "comparator" not in it,
        "tim-1": lambda it: _implies("duration" in it, "durationUnit" in it),
        "tim-2": lambda it: _implies("period" in it, "periodUnit" in it),
        "tim-4": lambda it: it.get("duration", 0) >= 0,
        "tim-5": lambda it: it.get("period", 0) >= 0,
        "tim-6": lambda it: _implies("periodMax" in it, "period" in it),
        "tim-7": lambda it: _implies("durationMax" in it, "duration" in it),
        "tim-8": lambda it: _implies("countMax" in it, "count" in it),
        "tim-9": lambda it: "offset" not in it or ("when" in it and not _BY_MEAL & set(it["when"])),
        "tim-10": lambda it: not ("timeOfDay" in it and "when" in it),
        "trd-1": lambda it: not ("data" in it and _has(it, "timing")),
        "trd-2": lambda it: _implies("condition" in it, "data" in it),
        "trd-3": lambda it: (
            _implies(it.get("type") == "named-event", "name" in it)
            and _implies(it.get("type") == "periodic", _has(it, "timing"))
            and _implies(it.get("type", "").startswith("data-"), "data" in it)
        ),
    }
)

CHECKED_ELSEWHERE: Final = frozenset({"dom-3", "ref-1", "txt-1", "txt-2"})
"""dom-3 in `special`, ref-1 in `references`, txt-1 and txt-2 in `xhtml`."""
