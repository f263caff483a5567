"""This file answers questions of form: shape, density, calcium, size, number, further signs."""

from __future__ import annotations

from decimal import Decimal

from correlation.assessment import Reply
from correlation.chart import Asked, Case, Said
from correlation.look import Look
from correlation.words import Words

# A study without X-rays cannot tell calcium; ultrasound may describe it, MRI cannot.


def form_fits(case: Case, asked: Asked) -> Said:
    """Is its form and depth the usual one, and not one that speaks against it?

    Usual are the parameters `morphology`, `tissues`, `kinds`, `densities` and `signs`. No when a contrary form,
    tissue or kind is described (`not_…`), or attachment to bone where `not_on_bone` is given; not known when nothing
    telling is.
    """
    look = case.look
    evidence = case.evidence
    contrary = _contrary(case, asked)
    if contrary:
        return Said(Reply.NO, lambda words: words.say("form.described", what=words.listed(contrary)), evidence)
    usual = (look.morphology & asked.words("morphology")) | (look.tissues & asked.words("tissues"))
    usual |= (look.kinds & asked.words("kinds")) | (look.densities & asked.words("densities"))
    usual |= look.signs & asked.words("signs")
    if usual:
        return Said(Reply.YES, lambda words: words.say("form.described", what=words.listed(usual)), evidence)
    return Said(Reply.NOT_KNOWN, "form.nothing_telling", evidence)


def _contrary(case: Case, asked: Asked) -> frozenset[str]:
    look = case.look
    found = look.kinds & asked.words("not_kinds")
    found |= look.signs & asked.words("not_signs")
    if look.morphology.isdisjoint(asked.words("morphology")):
        found |= look.morphology & asked.words("not_morphology")
    found |= look.morphology & asked.words("never_morphology")
    if look.tissues.isdisjoint(asked.words("tissues")):
        found |= look.tissues & asked.words("not_tissues")
    if asked.words("not_on_bone") and look.on_bone:
        found |= {"on_bone"}
    return frozenset(found)


def shape_is(case: Case, asked: Asked) -> Said:
    """Is the shape one of those asked for (`morphology`, `signs`, `kinds`)? No when only others are described."""
    look = case.look
    evidence = case.evidence
    found = _shapes(look, asked)
    if found:
        return Said(Reply.YES, lambda words: words.say("form.described", what=words.listed(found)), evidence)
    if look.morphology:
        return Said(Reply.NO, lambda words: words.say("form.described", what=words.listed(look.morphology)), evidence)
    return Said(Reply.NOT_KNOWN, "form.shape_not_described", evidence)


def _shapes(look: Look, asked: Asked) -> frozenset[str]:
    if look.words.isdisjoint(asked.every):  # as a rule, so it is asked first
        return frozenset()
    found = (look.morphology & asked.words("morphology")) | (look.signs & asked.words("signs"))
    return found | (look.kinds & asked.words("kinds"))


def sign_described(case: Case, asked: Asked) -> Said:
    """Is one of the further signs (`signs`) described? A sign that is not mentioned is not known to be absent."""
    look = case.look
    evidence = case.evidence
    found = look.signs & asked.words("signs")
    if found:
        return Said(Reply.YES, lambda words: words.say("form.described", what=words.listed(found)), evidence)
    return Said(Reply.NOT_KNOWN, "form.not_mentioned", evidence)


def calcium_seen(case: Case, asked: Asked) -> Said:
    """Is calcium density described? MRI cannot tell, and no signal speaks against it."""
    look = case.look
    evidence = case.evidence
    if look.calcified:
        return Said(Reply.YES, lambda words: _calcified(words, look), evidence)
    if look.dense:
        return Said(Reply.YES, lambda words: words.say("form.density", density=words.listed(look.densities)), evidence)
    if look.on_x_ray and look.densities:
        return Said(Reply.NO, lambda words: words.say("form.density", density=words.listed(look.densities)), evidence)
    return Said(Reply.NOT_KNOWN, "form.calcium_not_told", evidence)


def no_calcium_seen(case: Case, asked: Asked) -> Said:
    """Is it described without calcium, on a study that would show calcium?"""
    return calcium_seen(case, asked).turned()


def density_is(case: Case, asked: Asked) -> Said:
    """Is the density one of those asked for (`densities`)?"""
    look = case.look
    evidence = case.evidence
    if not look.densities.isdisjoint(asked.words("densities")) or look.kind.value in asked.words("kinds"):
        described = look.densities or frozenset(look.kinds)
        return Said(Reply.YES, lambda words: words.say("form.described", what=words.listed(described)), evidence)
    if look.densities:
        return Said(Reply.NO, lambda words: words.say("form.described", what=words.listed(look.densities)), evidence)
    return Said(Reply.NOT_KNOWN, "form.density_not_described", evidence)


def tiny(case: Case, asked: Asked) -> Said:
    """Is it punctate, no larger than the calcified foci of ageing skin (3 mm)?"""
    look = case.look
    evidence = case.evidence
    most: Decimal = case.chart.knowledge.measures["miliary_size_most"].value
    if look.size_mm is not None and look.size_mm > most:
        return Said(Reply.NO, lambda words: words.say("form.larger", size=look.size_mm, most=most), evidence)
    if look.size_mm is not None or "punctate" in look.morphology:
        return Said(Reply.YES, lambda words: _small(words, look), evidence)
    if look.morphology:
        return Said(Reply.NO, lambda words: words.say("form.described", what=words.listed(look.morphology)), evidence)
    return Said(Reply.NOT_KNOWN, "form.size_not_described", evidence)


def single(case: Case, asked: Asked) -> Said:
    """Is there one only?"""
    look = case.look
    evidence = case.evidence
    if not look.counts:
        return Said(Reply.NOT_KNOWN, "form.number_not_described", evidence)
    reply = Reply.YES if look.counts == {"single"} else Reply.NO
    return Said(reply, lambda words: words.say("form.described", what=words.listed(look.counts)), evidence)


def many(case: Case, asked: Asked) -> Said:
    """Are there several?"""
    return single(case, asked).turned()


def tracer_uptake(case: Case, asked: Asked) -> Said:
    """Does it take up FDG? Fillers do so too, so this weighs little."""
    look = case.look
    evidence = case.evidence
    if look.suv_max is not None or look.kind.value == "uptake" or "fdg_avid" in look.signs:
        return Said(Reply.YES, lambda words: _uptake(words, look), evidence)
    return Said(Reply.NOT_KNOWN, "form.no_uptake", evidence)


def _calcified(words: Words, look: Look) -> str:
    if look.highest_hu is None:
        return words.say("form.calcified")
    return words.say("form.calcified_hu", highest=look.highest_hu)


def _small(words: Words, look: Look) -> str:
    if look.size_mm is None:
        return words.say("form.described", what=words.term("punctate"))
    return words.say("form.measures", size=look.size_mm)


def _uptake(words: Words, look: Look) -> str:
    if look.suv_max is None:
        return words.say("form.uptake")
    return words.say("form.uptake_suv", value=look.suv_max)
