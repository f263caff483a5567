"""This file decides what kind of finding a group of words speaks of, with the modality in mind."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from correlation.timeline import FindingKind
from fhir_mappings.language_rules import shared
from fhir_mappings.report_text.attributes import Attributes
from fhir_mappings.report_text.marks import CONTAINER, Head

_PUNCTATE_UP_TO_MM = Decimal(3)
_RIMS = frozenset({"rim", "eggshell"})
_CERTAIN = (
    ("calculus", FindingKind.CALCULUS),
    ("ossification", FindingKind.OSSIFICATION),
    ("cyst", FindingKind.CYST),
    ("implant", FindingKind.IMPLANT),
    ("metal", FindingKind.METAL),
    ("calcification", FindingKind.CALCIFICATION),
    ("mass", FindingKind.MASS),
    ("uptake", FindingKind.UPTAKE),
)


def kind_of(head: Head, attributes: Attributes, modalities: Iterable[str]) -> FindingKind:
    """Name the kind. A bare noun such as "foci" takes it from its density and from what the modality can show."""
    if head.role == "distractor":
        return FindingKind.DISTRACTOR
    if _is_fat_cyst(head, attributes):
        return FindingKind.CYST
    if CONTAINER in head.nouns and not attributes.morphology & _RIMS and "fat" not in attributes.densities:
        return FindingKind.MASS
    for name, kind in _CERTAIN:
        if name in head.kinds and not (name == "uptake" and head.nouns):
            return kind
    return _kind_of_noun(head, attributes, frozenset(modalities))


def _is_fat_cyst(head: Head, attributes: Attributes) -> bool:
    """An oil cyst by its words: something of fat density with a rim, not called a mass."""
    return (
        not head.kinds & {"mass", "calculus", "ossification"}
        and bool(attributes.morphology & _RIMS)
        and "fat" in attributes.densities
    )


def _kind_of_noun(head: Head, attributes: Attributes, modalities: frozenset[str]) -> FindingKind:
    rules = shared().modalities
    by_density = {"calcific": FindingKind.CALCIFICATION, "metallic": FindingKind.METAL}.get(attributes.density or "")
    if by_density:
        return by_density
    shows_calcium = not modalities or bool(modalities & rules["attenuation"])
    if attributes.density == "high" and shows_calcium:
        return FindingKind.CALCIFICATION
    if "lesion" in head.nouns:
        return FindingKind.MASS
    if modalities & rules["projection"] and not modalities & {"CT", "MR"}:
        return FindingKind.CALCIFICATION
    return FindingKind.DEPOSIT


def density_for(kind: FindingKind, attributes: Attributes) -> str | None:
    """Name the density of a finding: the fat of an oil cyst rather than the calcium of its rim."""
    if kind is FindingKind.CYST and "fat" in attributes.densities:
        return "fat"
    if kind is FindingKind.CALCIFICATION and "faint" in attributes.densities:
        return "faint"
    return attributes.density


def with_derived_form(head: Head, attributes: Attributes) -> frozenset[str]:
    """Add "punctate" for several foci of at most 3 mm, which reports often describe by size alone."""
    small = attributes.size_mm is not None and attributes.size_mm <= _PUNCTATE_UP_TO_MM
    if small and attributes.count == "multiple" and (head.nouns & {"material"} or "calcification" in head.kinds):
        return attributes.morphology | {"punctate"}
    return attributes.morphology
