"""This file answers questions of form: shape, density, calcium, size, number, further signs."""

from __future__ import annotations

from collections.abc import Set
from decimal import Decimal

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, Said
from correlation.questions.timing import finding_sources

# A study without X-rays cannot tell calcium; ultrasound may describe it, MRI cannot.


def form_fits(case: Case) -> Said:
    """Is its form and depth the usual one, and not one that speaks against it?

    Usual are the parameters `morphology`, `tissues`, `kinds`, `densities` and `signs`. No when a contrary form,
    tissue or kind is described (`not_…`), or attachment to bone where `not_on_bone` is given; not known when nothing
    telling is.
    """
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    contrary = _contrary(case)
    if contrary:
        return Said(Reply.NO, lambda: f"described: {_words(contrary)}", evidence)
    usual = (look.morphology & case.words("morphology")) | (look.tissues & case.words("tissues"))
    usual |= ({look.kind.value} & case.words("kinds")) | (look.densities & case.words("densities"))
    usual |= look.signs & case.words("signs")
    if usual:
        return Said(Reply.YES, lambda: f"described: {_words(usual)}", evidence)
    return Said(Reply.NOT_KNOWN, "neither a usual nor a contrary form or depth is described", evidence)


def _contrary(case: Case) -> frozenset[str]:
    look = case.look
    if look is None:
        return frozenset()
    found = {look.kind.value} & case.words("not_kinds")
    found |= look.signs & case.words("not_signs")
    if look.morphology.isdisjoint(case.words("morphology")):
        found |= look.morphology & case.words("not_morphology")
    found |= look.morphology & case.words("never_morphology")
    if look.tissues.isdisjoint(case.words("tissues")):
        found |= look.tissues & case.words("not_tissues")
    if case.words("not_on_bone") and look.on_bone:
        found |= {"attached to bone"}
    return frozenset(found)


def shape_is(case: Case) -> Said:
    """Is the shape one of those asked for (`morphology`, `signs`, `kinds`)? No when only others are described."""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    found = (look.morphology & case.words("morphology")) | (look.signs & case.words("signs"))
    found |= {look.kind.value} & case.words("kinds")
    if found:
        return Said(Reply.YES, lambda: f"described: {_words(found)}", evidence)
    if look.morphology:
        return Said(Reply.NO, lambda: f"described: {_words(look.morphology)}", evidence)
    return Said(Reply.NOT_KNOWN, "its shape is not described", evidence)


def sign_described(case: Case) -> Said:
    """Is one of the further signs (`signs`) described? A sign that is not mentioned is not known to be absent."""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    found = look.signs & case.words("signs")
    if found:
        return Said(Reply.YES, lambda: f"described: {_words(found)}", evidence)
    return Said(Reply.NOT_KNOWN, "not mentioned in what was read", evidence)


def calcium_seen(case: Case) -> Said:
    """Is calcium density described? MRI cannot tell, and no signal speaks against it."""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if look.calcified:
        hu = f", up to {look.highest_hu} HU" if look.highest_hu is not None else ""
        return Said(Reply.YES, f"described as calcified{hu}", evidence)
    if look.dense:
        return Said(Reply.YES, lambda: f"described as {_words(look.densities)} density", evidence)
    if look.on_x_ray and look.densities:
        return Said(Reply.NO, lambda: f"described as {_words(look.densities)} density", evidence)
    return Said(Reply.NOT_KNOWN, "this kind of study or description does not tell calcium", evidence)


def no_calcium_seen(case: Case) -> Said:
    """Is it described without calcium, on a study that would show calcium?"""
    return calcium_seen(case).turned()


def density_is(case: Case) -> Said:
    """Is the density one of those asked for (`densities`)?"""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if not look.densities.isdisjoint(case.words("densities")) or look.kind.value in case.words("kinds"):
        return Said(Reply.YES, lambda: f"described: {_words(look.densities or {look.kind.value})}", evidence)
    if look.densities:
        return Said(Reply.NO, lambda: f"described: {_words(look.densities)}", evidence)
    return Said(Reply.NOT_KNOWN, "its density is not described", evidence)


def tiny(case: Case) -> Said:
    """Is it punctate, no larger than the calcified foci of ageing skin (3 mm)?"""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    most: Decimal = case.chart.knowledge.measures["miliary_size_most"].value
    if look.size_mm is not None and look.size_mm > most:
        return Said(Reply.NO, f"{look.size_mm} mm, larger than {most} mm", evidence)
    if look.size_mm is not None or "punctate" in look.morphology:
        size = f"{look.size_mm} mm" if look.size_mm is not None else "punctate"
        return Said(Reply.YES, f"described as {size}", evidence)
    if look.morphology:
        return Said(Reply.NO, lambda: f"described: {_words(look.morphology)}", evidence)
    return Said(Reply.NOT_KNOWN, "its size is not described", evidence)


def single(case: Case) -> Said:
    """Is there one only?"""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if not look.counts:
        return Said(Reply.NOT_KNOWN, "how many there are is not described", evidence)
    reply = Reply.YES if look.counts == {"single"} else Reply.NO
    return Said(reply, lambda: f"described as {_words(look.counts)}", evidence)


def many(case: Case) -> Said:
    """Are there several?"""
    return single(case).turned()


def tracer_uptake(case: Case) -> Said:
    """Does it take up FDG? Fillers do so too, so this weighs little."""
    look = case.look
    if look is None:
        return NO_FINDING
    evidence = finding_sources(case)
    if look.suv_max is not None or look.kind.value == "uptake" or "fdg_avid" in look.signs:
        value = f", SUVmax {look.suv_max}" if look.suv_max is not None else ""
        return Said(Reply.YES, f"uptake is described{value}", evidence)
    return Said(Reply.NOT_KNOWN, "uptake is not described", evidence)


def _words(words: Set[str]) -> str:
    return ", ".join(sorted(word.replace("_", " ") for word in words))
