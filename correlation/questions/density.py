"""This file answers whether a stated attenuation is that of a calcium filler (Hounsfield units of multidetector CT).

The usual range is not established: what lies outside it is not known, and only metal or soft tissue speaks against it.
Dilution and mixing with hyaluronic acid lower the attenuation (clinical summary, sections 1 and 6).
"""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import Asked, Case, Said
from correlation.injections import joint_fit

MIXED = "ha_caha"


def attenuation_fits(case: Case, asked: Asked) -> Said:
    """Does the highest attenuation that is stated lie in the material's range, from 150 HU on where it was diluted?"""
    evidence = case.evidence
    hu = case.look.highest_hu
    injections = joint_fit(case.chart, case.finding, materials=asked.materials).injections
    materials = case.chart.knowledge.materials
    usual = materials[injections[0].material if injections else asked.materials[0]].attenuation_hu
    if hu is None or usual is None:
        return Said(Reply.NOT_KNOWN, "form.hu_not_stated", evidence)
    measures = case.chart.knowledge.measures
    if hu >= measures["metal_hu_least"].value:
        return Said(Reply.NO, lambda words: words.say("form.hu_metal", hu=hu), evidence)
    if hu <= measures["soft_tissue_hu_most"].value:
        return Said(Reply.NO, lambda words: words.say("form.hu_soft", hu=hu), evidence)
    lowered = any(item.dilution or item.material == MIXED for item in injections)
    least = measures["calcific_hu_least"].value if lowered else usual[0].value
    most = usual[1].value
    if least <= hu <= most:
        sentence = "form.hu_diluted" if lowered else "form.hu_usual"
        return Said(Reply.YES, lambda words: words.say(sentence, hu=hu, least=least, most=most), evidence)
    if hu < least:
        return Said(Reply.NOT_KNOWN, lambda words: words.say("form.hu_less", hu=hu), evidence)
    return Said(Reply.NOT_KNOWN, lambda words: words.say("form.hu_more", hu=hu), evidence)
