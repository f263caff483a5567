"""This file keeps the findings of a report while it is read: later sentences add to them, repeated ones join."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from correlation.catalogue import Knowledge
from correlation.timeline import BodySite, Certainty, FindingKind, Side
from fhir_mappings.language_rules import shared
from fhir_mappings.report_text.attributes import Attributes, added
from fhir_mappings.text_sites import wider_than

IMPRESSION = "impression"
_CALCIUM_LIKE = frozenset({FindingKind.CALCIFICATION, FindingKind.DEPOSIT})
_WITH_CALCIUM = _CALCIUM_LIKE | {FindingKind.MASS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One finding at one region, not yet tied to its exam. `from_title` says that the exam's name gave the region."""

    kind: FindingKind
    certainty: Certainty
    site: BodySite | None
    attributes: Attributes
    quotes: tuple[str, ...]
    section: str
    from_title: bool = False


def with_draft(drafts: Iterable[Draft], new: Draft, knowledge: Knowledge) -> list[Draft]:
    """Add a finding; one that says the same thing of the same place again joins the earlier."""
    result = list(drafts)
    for index, known in enumerate(result):
        if _same_thing(known, new):
            result[index] = _joined(known, new)
            return result
    if new.section == IMPRESSION and new.certainty is Certainty.STATED:
        repeated = [index for index, known in enumerate(result) if _summed_up_by(known, new, knowledge)]
        for index in repeated:
            result[index] = _joined(result[index], replace(new, site=result[index].site))
        if repeated:
            return result
    return [*result, new]


def with_more(
    drafts: Iterable[Draft],
    more: Attributes,
    *,
    quote: str,
    regions: frozenset[str],
    kinds: frozenset[FindingKind] | None = None,
) -> list[Draft]:
    """Add attributes to the findings before ("Separate from bone."), to those at `regions` where any are named."""
    return [
        replace(draft, attributes=added(draft.attributes, more), quotes=_quotes(draft.quotes, (quote,)))
        if takes_more(draft)
        and (not regions or (draft.site and draft.site.region in regions))
        and (kinds is None or draft.kind in kinds)
        else draft
        for draft in drafts
    ]


def with_atheroma_aside(drafts: Iterable[Draft]) -> list[Draft]:
    """Set plaques of the carotid arteries aside where a report describes anything else that asks for an explanation.

    Most older people have them; as a report's only finding, or as tram tracks, they stay one.
    """
    drafts = list(drafts)
    if all(_is_atheroma(draft) or not takes_more(draft) for draft in drafts):
        return drafts
    return [replace(draft, kind=FindingKind.DISTRACTOR) if _is_atheroma(draft) else draft for draft in drafts]


def _is_atheroma(draft: Draft) -> bool:
    return (
        draft.kind is FindingKind.CALCIFICATION
        and draft.site is not None
        and draft.site.region in shared().atheroma_regions
        and "tram_track" not in draft.attributes.morphology
    )


def takes_more(draft: Draft) -> bool:
    """Say whether "the deposits" of a later sentence may mean this finding."""
    return draft.certainty is not Certainty.NEGATED and draft.kind is not FindingKind.DISTRACTOR


def _same_thing(known: Draft, new: Draft) -> bool:
    if known.kind is FindingKind.DISTRACTOR and known.quotes != new.quotes:
        return False
    if known.kind is not new.kind or known.certainty is not new.certainty:
        return False
    if (known.site.region if known.site else None) != (new.site.region if new.site else None):
        return False
    if known.kind is FindingKind.DISTRACTOR and known.site:
        return True
    sides = [draft.site.sides if draft.site else frozenset[Side]() for draft in (known, new)]
    if sides[0] and sides[1] and sides[0] != sides[1]:
        return False
    return all(
        _agree(getattr(known.attributes, name), getattr(new.attributes, name))
        for name in ("tissue", "size_mm", "count", "attenuation_hu", "on_bone")
    )


def _agree(one: object, other: object) -> bool:
    return one is None or other is None or one == other


def _summed_up_by(known: Draft, new: Draft, knowledge: Knowledge) -> bool:
    """Say whether an impression ("facial calcifications") only sums up this finding of the findings section."""
    if not takes_more(known) or known.section == IMPRESSION:
        return False
    alike = summed_up_as(known, new.kind, calcific="calcific" in new.attributes.densities)
    if new.site is None:
        return alike
    return alike and known.site is not None and new.site.region in wider_than(known.site.region, knowledge)


def summed_up_as(known: Draft, kind: FindingKind, *, calcific: bool) -> bool:
    """Say whether an impression may mean this finding by another word: "calcified nodules", "calcifications"."""
    if known.kind is kind or {known.kind, kind} <= _CALCIUM_LIKE:
        return True
    return calcific and "calcific" in known.attributes.densities and {known.kind, kind} <= _WITH_CALCIUM


def _joined(known: Draft, new: Draft) -> Draft:
    site = known.site
    if site is not None and new.site is not None and new.site.sides - site.sides and not site.sides:
        site = replace(site, sides=new.site.sides)
    return replace(
        known, site=site, attributes=added(known.attributes, new.attributes), quotes=_quotes(known.quotes, new.quotes)
    )


def _quotes(known: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *(quote for quote in new if quote not in known))
