"""This file answers questions of time: was it there before, is it still expected, had it time to calcify."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_SUCH_FILLER, Asked, Case, Clause, JointFit, Said
from correlation.dates import DateRange
from correlation.injections import fits_of, joint_fit
from correlation.timeline import FillerInjection
from correlation.withheld import OF_FILLERS, concluded
from correlation.words import Words


def injected_before_finding(case: Case, asked: Asked) -> Said:
    """Was such a material injected before the finding was first seen?

    Yes when an injection certainly lies before the first study that shows the finding, no when all certainly lie
    after it, not known when none is on record or a date is missing or too coarse to order.
    """
    finding = case.finding
    joint = joint_fit(case.chart, finding, materials=asked.materials)
    if not joint.fits:
        return NO_SUCH_FILLER
    evidence = joint.sources + case.evidence
    said = Said(joint.before, lambda words: _order_words(words, joint, finding.first_seen), evidence)
    return concluded(case.chart, said, from_absence=Reply.NO, held_in=OF_FILLERS)


ORDER_TOLD = {Reply.YES: "time.before", Reply.NO: "time.after", Reply.NOT_KNOWN: "time.order_not_known"}


def _order_words(words: Words, joint: JointFit, first_seen: DateRange | None) -> str:
    products = (
        words.say("time.product_on", product=_product(item, words), day=words.day(item.performed))
        for item in joint.injections
    )
    told = ", ".join(dict.fromkeys(products))
    seen = words.day(first_seen)
    spans = [fit.months for fit in joint.fits if fit.months is not None]
    if joint.before is Reply.YES and spans:
        least, most = min(spans)
        return words.say("time.before_by", injections=told, span=words.months(max(least, 0), most), seen=seen)
    return words.say(ORDER_TOLD[joint.before], injections=told, seen=seen)


def _product(injection: FillerInjection, words: Words) -> str:
    return injection.product or words.material(injection.material)


def still_expected(case: Case, asked: Asked) -> Said:
    """Are deposits of this material still expected on the newest study, so long after the last injection?

    Uses the last injection in reach before the newest study, for repeat injections reset the clock. Yes up to the
    material's `visible_months_ct` or for a permanent one; no beyond the time deposits become uncommon, unless a
    residue is described.
    """
    finding, look = case.finding, case.look
    near = [
        fit
        for fit in fits_of(case.chart, finding)
        if fit.injection.material in asked.materials and fit.reach is not Reply.NO and fit.before is not Reply.NO
    ]
    dated = [fit for fit in near if fit.months is not None and fit.months[1] >= 0]
    if not dated:
        return Said(Reply.NOT_KNOWN, "time.span_not_known")
    last = min(dated, key=lambda fit: fit.months or (0, 0))
    least, most = last.months or (0, 0)
    evidence = (last.injection.source, *case.evidence)
    material = case.chart.knowledge.materials[last.injection.material]
    expected = material.visible_months_ct
    usual = int(expected.value) if expected is not None else 0

    def told(sentence: str) -> Clause:
        return lambda words: words.say(
            sentence, span=words.months(max(least, 0), most), material=material.name, usual=usual
        )

    if material.permanent or expected is None:
        return Said(Reply.YES, told("time.stays"), evidence)
    if most <= usual:
        return Said(Reply.YES, told("time.expected"), evidence)
    uncommon = case.chart.months("caha_ct_uncommon_until")
    fading = not look.changes.isdisjoint({"decreased", "residual"}) or "faint" in look.densities
    if least > case.chart.months("caha_ct_rare_until") or (least >= uncommon and not fading):
        too_late = Said(Reply.NO, told("time.not_expected"), evidence)
        return concluded(case.chart, too_late, from_absence=Reply.NO, held_in=OF_FILLERS)
    if most <= uncommon and fading:
        return Said(Reply.YES, told("time.residue"), evidence)
    return Said(Reply.NOT_KNOWN, told("time.later_than_usual"), evidence)


def bulky_when_late(case: Case, asked: Asked) -> Said:
    """Is it bulky later than deposits are usually seen? By then a thin residue is expected (clinical summary, 6)."""
    finding, look = case.finding, case.look
    joint = joint_fit(case.chart, finding, materials=asked.materials)
    months = [fit.months for fit in joint.fits if fit.months is not None]
    materials = [case.chart.knowledge.materials[item.material] for item in joint.injections]
    usual = [int(item.visible_months_ct.value) for item in materials if item.visible_months_ct is not None]
    if not months or not usual:
        return Said(Reply.NOT_KNOWN, "time.span_not_known")
    evidence = case.evidence
    if min(months)[0] <= max(usual):
        return Said(Reply.NO, "time.not_late", evidence)
    size = case.chart.knowledge.measures["bulky_size_least"].value
    if "mass" in look.morphology or (look.size_mm is not None and look.size_mm >= size):
        bulky = Said(Reply.YES, lambda words: words.say("time.bulky", span=words.months(*min(months))), evidence)
        return concluded(case.chart, bulky, from_absence=Reply.YES, held_in=OF_FILLERS)
    return Said(Reply.NO, "time.not_bulky", evidence)
