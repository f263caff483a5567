"""This file finds the security labels that a report must carry: the strictest confidentiality among its inputs.

Of the confidentiality codes only the strictest is kept; every other label (sensitivity, handling) is kept as it is,
since leaving one out would loosen what its author asked for.
FHIR R4 security labels: https://hl7.org/fhir/R4/security-labels.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fhir_mappings import canonical

CONFIDENTIALITIES: Final = ("U", "L", "M", "N", "R", "V")
"""The codes of confidentiality, the loosest first."""
_ABOUT_THE_INPUT_ALONE: Final = frozenset({"REDACTED", "MASKED", "SUBSETTED"})
"""Labels that say what was done to a resource, not how it must be handled."""


def strictest_labels(resources: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The labels for something made from all these resources; empty where none carries a label."""
    confidentiality: dict[str, Any] | None = None
    others: dict[tuple[str, str], dict[str, Any]] = {}
    for label in _labels(resources):
        system, code = str(label.get("system", "")), str(label.get("code", ""))
        if system == canonical.CONFIDENTIALITY and code in CONFIDENTIALITIES:
            if confidentiality is None or _rank(code) > _rank(confidentiality["code"]):
                confidentiality = label
        elif code and code not in _ABOUT_THE_INPUT_ALONE:
            others.setdefault((system, code), label)
    first = () if confidentiality is None else (confidentiality,)
    return tuple(_coding(label) for label in (*first, *(others[key] for key in sorted(others))))


def confidentialities(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of confidentiality that a resource is labelled with."""
    codes = (label.get("code") for label in _labels([resource]) if label.get("system") == canonical.CONFIDENTIALITY)
    return tuple(dict.fromkeys(str(code) for code in codes if code in CONFIDENTIALITIES))


def codes_above(code: str) -> tuple[str, ...]:
    """The codes of what is more confidential than a code such as `R`.

    >>> codes_above("N")
    ('R', 'V')
    """
    return CONFIDENTIALITIES[_rank(code) + 1 :]


def more_confidential(resource: Mapping[str, Any], *, than: str) -> bool:
    """Whether a resource is labelled as more confidential than a code such as `R`.

    >>> more_confidential({"meta": {"security": [{"system": canonical.CONFIDENTIALITY, "code": "V"}]}}, than="R")
    True
    """
    return not set(codes_above(than)).isdisjoint(confidentialities(resource))


def _labels(resources: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for resource in resources:
        meta = resource.get("meta")
        labels = meta.get("security") if isinstance(meta, Mapping) else None
        if isinstance(labels, list):
            yield from (label for label in labels if isinstance(label, dict))


def _rank(code: str) -> int:
    return CONFIDENTIALITIES.index(code)


def _coding(label: dict[str, Any]) -> dict[str, Any]:
    """Only the plain parts of a Coding: an input's extensions are not ours to repeat."""
    return {key: label[key] for key in ("system", "version", "code", "display") if isinstance(label.get(key), str)}
