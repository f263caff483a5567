"""This file gathers what all mentions of one finding say about it into one description the questions can ask.

Nothing is filled in: an empty set or `None` means that no mention described it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from correlation.assessment import FindingCourse
from correlation.catalogue import Measure
from correlation.timeline import Certainty, FindingKind, ResourceRef, Side

X_RAY_MODALITIES = frozenset({"CT", "CR", "DX", "RG", "PX", "IO", "MG", "XA", "RF"})
CALCIFIED_KINDS = frozenset({FindingKind.CALCIFICATION, FindingKind.CALCULUS, FindingKind.OSSIFICATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One finding as described over all its studies; sizes in mm, attenuation in Hounsfield units."""

    kind: FindingKind
    kinds: frozenset[str]  # the kind as a word to compare with others
    words: frozenset[str]  # kind, morphology and signs together
    region: str | None
    sides: frozenset[Side]
    tissues: frozenset[str]
    morphology: frozenset[str]
    densities: frozenset[str]
    signs: frozenset[str]
    changes: frozenset[str]
    counts: frozenset[str]
    on_x_ray: bool
    modalities: frozenset[str]
    on_bone: bool | None
    highest_hu: Decimal | None
    size_mm: Decimal | None
    suv_max: Decimal | None
    only_possible: bool
    calcified: bool
    sources: tuple[ResourceRef, ...]

    @property
    def dense(self) -> bool:
        """Denser than soft tissue on a study that uses X-rays, without the word calcific."""
        return self.on_x_ray and not self.densities.isdisjoint({"high", "faint"})


def look_of(course: FindingCourse, *, measures: Mapping[str, Measure]) -> Look:
    """The description of one finding. Any calcified mention makes it calcified; a bone contact outweighs its denial."""
    mentions = course.seen
    firm = tuple(item for item in mentions if item.certainty is not Certainty.POSSIBLE)
    kind = FindingKind(course.kind)
    highest = max((item.attenuation_hu[1] for item in mentions if item.attenuation_hu), default=None)
    densities = frozenset(item.density for item in mentions if item.density) or _density_by_number(highest, measures)
    modalities = frozenset().union(*(item.modalities for item in mentions))
    on_bone = [item.on_bone for item in mentions if item.on_bone is not None]
    calcium_from = measures.get("calcific_hu_least")
    return Look(
        kind=kind,
        kinds=frozenset({kind.value}),
        words=frozenset({kind.value}).union(*(item.morphology | item.signs for item in mentions)),
        region=course.site.region if course.site else None,
        sides=course.site.sides if course.site else frozenset(),
        tissues=frozenset(item.tissue for item in mentions if item.tissue),
        morphology=frozenset().union(*(item.morphology for item in mentions)),
        densities=densities,
        signs=frozenset().union(*(item.signs for item in mentions)),
        changes=frozenset(item.change for item in mentions if item.change),
        counts=frozenset(item.count for item in mentions if item.count),
        on_x_ray=not modalities.isdisjoint(X_RAY_MODALITIES),
        modalities=modalities,
        on_bone=any(on_bone) if on_bone else None,
        highest_hu=highest,
        size_mm=max((item.size_mm for item in mentions if item.size_mm is not None), default=None),
        suv_max=max((item.suv_max for item in mentions if item.suv_max is not None), default=None),
        only_possible=not firm,
        calcified=kind in CALCIFIED_KINDS
        or "calcific" in densities
        or (highest is not None and calcium_from is not None and highest >= calcium_from.value),
        sources=tuple(dict.fromkeys(item.source for item in mentions)),
    )


def _density_by_number(highest: Decimal | None, measures: Mapping[str, Measure]) -> frozenset[str]:
    """The density that a stated attenuation means where no word says it: fat, or soft tissue and fluid."""
    if highest is None:
        return frozenset()
    fat, soft = measures.get("fat_hu_most"), measures.get("soft_tissue_hu_most")
    if fat is not None and highest <= fat.value:
        return frozenset({"fat"})
    return frozenset({"soft_tissue"}) if soft is not None and highest <= soft.value else frozenset()
