"""This file answers whether a filler material can look like a finding at all: its density, and its age.

Hyaluronic acid never explains calcium. Late calcification counts only for the materials whose file says so
(`late_calcification` in `knowledge/materials/`). MRI and ultrasound cannot prove or refute calcium, and MRI signal is
never used against a material (clinical summary, section 0, fact 5).
"""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.catalogue import Material
from correlation.chart import Clause
from correlation.look import Look
from correlation.timeline import FindingKind
from correlation.words import Words

Months = tuple[int, int]  # least and most whole months since the injection

SOLID = "solid_implant"  # between soft and hard tissue on radiographs and CT
IMPLANTS = frozenset({SOLID, "eptfe"})  # put in by surgery, in one piece
RIM_FORMS = frozenset({"rim", "eggshell"})


def can_appear(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, Clause]:
    """Whether the material can look like this, with the reason in a clause."""
    if look.kind is FindingKind.METAL or "metallic" in look.densities:
        return _metal(material)
    if material.on_ct == "unknown":
        return Reply.NOT_KNOWN, _of(material, "appears.made_of_not_known")
    if material.on_ct == "metallic":
        return Reply.NO, _of(material, "appears.metal_not_described")
    if look.kind is FindingKind.IMPLANT:
        if material.id in IMPLANTS:
            return Reply.YES, _of(material, "appears.implant")
        reply = Reply.NOT_KNOWN if material.permanent else Reply.NO
        return reply, _of(material, "appears.implant_other")
    if look.kind is FindingKind.MASS and not (look.calcified and material.late_calcification == "known"):
        return _mass(material)
    if look.calcified and not (material.id == SOLID and look.dense and "calcific" not in look.densities):
        return _calcium(material, look, months=months)
    if look.dense:
        return _dense(material)
    if "fat" in look.densities:
        return _fat(material)
    if look.kind is FindingKind.CYST:
        return _cyst(material)
    return _soft(material, look)


def _metal(material: Material) -> tuple[Reply, Clause]:
    if material.on_ct == "metallic":
        return Reply.YES, _of(material, "appears.metal")
    if material.on_ct == "unknown":
        return Reply.NOT_KNOWN, _of(material, "appears.made_of_not_known")
    return Reply.NO, _of(material, "appears.not_metal")


def _calcium(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, Clause]:
    if material.on_ct == "calcific":
        return Reply.YES, _of(material, "appears.calcific")
    if material.late_calcification == "known":
        return _late(material, months=months)
    if material.late_calcification == "rare" and material.permanent:
        return _rare(material, look, months=months)
    if material.late_calcification == "unknown":
        return Reply.NOT_KNOWN, _of(material, "appears.late_not_known")
    return Reply.NO, _of(material, "appears.never_calcifies")


def _late(material: Material, *, months: Months | None) -> tuple[Reply, Clause]:
    after = material.calcifies_after_months
    if after is None:
        return Reply.YES, _of(material, "appears.calcifies")
    if months is None:
        return Reply.NOT_KNOWN, _of(material, "appears.calcifies_age_not_known")
    if months[0] >= int(after.value):
        return Reply.YES, _of(material, "appears.calcifies_after")
    return Reply.NOT_KNOWN, _of(material, "appears.calcifies_too_early")


def _rare(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, Clause]:
    if not look.morphology.isdisjoint(RIM_FORMS):
        reply, _ = _late(material, months=months)
        if reply is Reply.YES:
            return reply, _of(material, "appears.rim")
    return Reply.NOT_KNOWN, _of(material, "appears.rarely")


def _dense(material: Material) -> tuple[Reply, Clause]:
    if material.on_ct == "calcific" or material.id == SOLID:
        return Reply.YES, _of(material, "appears.dense")
    if material.late_calcification == "known":
        return Reply.YES, _of(material, "appears.reaction_dense")
    if material.permanent:
        return Reply.NOT_KNOWN, _of(material, "appears.dense_not_known")
    return Reply.NO, _of(material, "appears.not_dense")


def _fat(material: Material) -> tuple[Reply, Clause]:
    if material.on_ct == "fat":
        return Reply.YES, _of(material, "appears.fat")
    return Reply.NO, _of(material, "appears.not_fat")


def _mass(material: Material) -> tuple[Reply, Clause]:
    if material.late_calcification == "known":
        return Reply.YES, _of(material, "appears.granuloma")
    return Reply.NOT_KNOWN, _of(material, "appears.mass_unusual")


def _cyst(material: Material) -> tuple[Reply, Clause]:
    if material.on_ct in ("fat", "fluid"):
        return Reply.YES, _of(material, "appears.cyst")
    if material.on_ct == "calcific":
        return Reply.NO, _of(material, "appears.not_cyst")
    return Reply.NOT_KNOWN, _of(material, "appears.cyst_unusual")


def _soft(material: Material, look: Look) -> tuple[Reply, Clause]:
    if material.on_ct == "calcific" and look.on_x_ray and look.densities:
        return Reply.NOT_KNOWN, _of(material, "appears.expected_calcific")
    if look.on_x_ray:
        return Reply.YES, _of(material, "appears.density")
    return Reply.YES, lambda words: _without_calcium(words, material, look)


def _without_calcium(words: Words, material: Material, look: Look) -> str:
    studies = words.either(words.modality(code) for code in sorted(look.modalities))
    return words.say("appears.soft", material=material.name, studies=studies or words.say("study.this"))


def _of(material: Material, sentence: str) -> Clause:
    after = material.calcifies_after_months
    months = int(after.value) if after is not None else ""
    return lambda words: words.say(sentence, material=material.name, months=months)
