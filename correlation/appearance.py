"""This file answers whether a filler material can look like a finding at all: its density, and its age.

Hyaluronic acid never explains calcium. Late calcification counts only for the materials whose file says so
(`late_calcification` in `knowledge/materials/`). MRI and ultrasound cannot prove or refute calcium, and MRI signal is
never used against a material (clinical summary, section 0, fact 5).
"""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.catalogue import Material
from correlation.look import Look
from correlation.timeline import FindingKind

Months = tuple[int, int]  # least and most whole months since the injection

IMPLANTS = frozenset({"solid_implant", "eptfe"})  # put in by surgery, in one piece
RIM_FORMS = frozenset({"rim", "eggshell"})


def can_appear(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, str]:
    """Whether the material can look like this, with the reason in a clause."""
    if look.kind is FindingKind.METAL or "metallic" in look.densities:
        return _metal(material)
    if material.on_ct == "unknown":
        return Reply.NOT_KNOWN, f"what {material.name} is made of is not known"
    if material.on_ct == "metallic":
        return Reply.NO, f"{material.name} is metal, and no metal is described"
    if look.kind is FindingKind.IMPLANT:
        if material.id in IMPLANTS:
            return Reply.YES, f"an implant is described, and {material.name} is one"
        reply = Reply.NOT_KNOWN if material.permanent else Reply.NO
        return reply, f"an implant is described, {material.name} is on record"
    if look.kind is FindingKind.MASS and not (look.calcified and material.late_calcification == "known"):
        return _mass(material)
    if look.calcified:
        return _calcium(material, look, months=months)
    if look.dense:
        return _dense(material)
    if "fat" in look.densities:
        return _fat(material)
    if look.kind is FindingKind.CYST:
        return _cyst(material)
    return _soft(material, look)


def _metal(material: Material) -> tuple[Reply, str]:
    if material.on_ct == "metallic":
        return Reply.YES, f"{material.name} is metal and metal density is described"
    if material.on_ct == "unknown":
        return Reply.NOT_KNOWN, f"what {material.name} is made of is not known"
    return Reply.NO, f"metal density is described; {material.name} is not metal"


def _calcium(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, str]:
    if material.on_ct == "calcific":
        return Reply.YES, f"{material.name} is itself calcific on CT"
    if material.late_calcification == "known":
        return _late(material, months=months)
    if material.late_calcification == "rare" and material.permanent:
        return _rare(material, look, months=months)
    if material.late_calcification == "unknown":
        return Reply.NOT_KNOWN, f"whether {material.name} calcifies late is not known"
    return Reply.NO, f"{material.name} holds no calcium and is not known to calcify"


def _late(material: Material, *, months: Months | None) -> tuple[Reply, str]:
    after = material.calcifies_after_months
    if after is None:
        return Reply.YES, f"{material.name} is known to calcify"
    if months is None:
        return Reply.NOT_KNOWN, f"{material.name} calcifies late, and how old it is, is not known"
    if months[0] >= int(after.value):
        return Reply.YES, f"{material.name} is known to calcify after {int(after.value)} months or later"
    return Reply.NOT_KNOWN, (
        f"{material.name} is known to calcify, but only after about {int(after.value)} months: earlier is unusual, "
        "so the product should be confirmed"
    )


def _rare(material: Material, look: Look, *, months: Months | None) -> tuple[Reply, str]:
    if not look.morphology.isdisjoint(RIM_FORMS):
        reply, _ = _late(material, months=months)
        if reply is Reply.YES:
            return reply, f"a late calcified rim around {material.name} is described, though rare"
    return Reply.NOT_KNOWN, f"{material.name} calcifies only rarely"


def _dense(material: Material) -> tuple[Reply, str]:
    if material.on_ct == "calcific":
        return Reply.YES, f"{material.name} is dense on studies with X-rays"
    if material.late_calcification == "known":
        return Reply.YES, f"{material.name} and the tissue reaction to it can be denser than fat"
    if material.permanent:
        return Reply.NOT_KNOWN, f"whether {material.name} looks this dense is not known"
    return Reply.NO, f"{material.name} has the density of water or soft tissue and is not seen as a dense deposit"


def _fat(material: Material) -> tuple[Reply, str]:
    if material.on_ct == "fat":
        return Reply.YES, f"{material.name} has the density of fat"
    return Reply.NO, f"fat density is described; {material.name} is not fat"


def _mass(material: Material) -> tuple[Reply, str]:
    if material.late_calcification == "known":
        return Reply.YES, f"{material.name} is known to form nodules and masses (granuloma)"
    return Reply.NOT_KNOWN, f"a mass is not the usual look of {material.name}"


def _cyst(material: Material) -> tuple[Reply, str]:
    if material.on_ct in ("fat", "fluid"):
        return Reply.YES, f"{material.name} can look like a cyst"
    if material.on_ct == "calcific":
        return Reply.NO, f"{material.name} does not look like a cyst"
    return Reply.NOT_KNOWN, f"a cyst is not the usual look of {material.name}"


def _soft(material: Material, look: Look) -> tuple[Reply, str]:
    if material.on_ct == "calcific" and look.on_x_ray and look.densities:
        return (
            Reply.NOT_KNOWN,
            f"{material.name} is expected to be calcific on CT, and soft tissue density is described",
        )
    if look.on_x_ray:
        return Reply.YES, f"{material.name} can have this density"
    return Reply.YES, f"{material.name} can look like this; calcium cannot be told on {_studies(look)}"


def _studies(look: Look) -> str:
    return " or ".join(sorted(look.modalities)) or "this study"
