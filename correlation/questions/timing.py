"""This file answers questions of time: was it there before, is it still expected, had it time to calcify."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, Fit, JointFit, Said
from correlation.dates import DateRange
from correlation.injections import fits_of, joint_fit
from correlation.timeline import FillerInjection, ResourceRef


def injected_before_finding(case: Case) -> Said:
    """Was such a material injected before the finding was first seen?

    Yes when an injection certainly lies before the first study that shows the finding, no when all certainly lie
    after it, not known when none is on record or a date is missing or too coarse to order.
    """
    finding = case.finding
    if finding is None:
        return NO_FINDING
    joint = joint_fit(case.chart, finding, materials=case.cause.materials)
    if not joint.fits:
        return Said(Reply.NOT_KNOWN, "no such injection is on record that counts")
    evidence = _sources(joint.injections) + finding_sources(case)
    return Said(joint.before, lambda: _order_words(joint, finding.first_seen), evidence)


def _order_words(joint: JointFit, first_seen: DateRange | None) -> str:
    told = _dates(joint.injections)
    seen = first_seen or "an unknown day"
    if joint.before is Reply.YES:
        return f"injected {told}{_ago(joint.fits)}; first seen on {seen}"
    if joint.before is Reply.NO:
        return f"injected {told}, after the finding was first seen on {seen}"
    return f"injected {told}, first seen on {seen}: their order is not known"


def still_expected(case: Case) -> Said:
    """Are deposits of this material still expected on the newest study, so long after the last injection?

    Uses the last injection in reach before the newest study, for repeat injections reset the clock. Yes up to the
    material's `visible_months_ct` or for a permanent one; no beyond the time deposits become uncommon, unless a
    residue is described.
    """
    finding, look = case.finding, case.look
    if finding is None or look is None:
        return NO_FINDING
    near = [
        fit
        for fit in fits_of(case.chart, finding)
        if fit.injection.material in case.cause.materials and fit.reach is not Reply.NO and fit.before is not Reply.NO
    ]
    dated = [fit for fit in near if fit.months is not None and fit.months[1] >= 0]
    if not dated:
        return Said(Reply.NOT_KNOWN, "how long after the injection the newest study was made is not known")
    last = min(dated, key=lambda fit: fit.months or (0, 0))
    least, most = last.months or (0, 0)
    evidence = (last.injection.source, *finding_sources(case))
    material = case.chart.knowledge.materials[last.injection.material]
    told = f"{_span(max(least, 0), most)} after the last injection in reach"
    expected = material.visible_months_ct
    if material.permanent or expected is None:
        return Said(Reply.YES, f"{told}; {material.name} stays", evidence)
    usual = int(expected.value)
    if most <= usual:
        return Said(Reply.YES, f"{told}; deposits are expected up to about {usual} months", evidence)
    uncommon = case.chart.months("caha_ct_uncommon_until")
    fading = not look.changes.isdisjoint({"decreased", "residual"}) or "faint" in look.densities
    if least > case.chart.months("caha_ct_rare_until") or (least >= uncommon and not fading):
        return Said(Reply.NO, f"{told}; so late, deposits are not expected", evidence)
    if most <= uncommon and fading:
        return Said(
            Reply.YES, f"{told}; a shrinking residue is described, which fits a material that resorbs", evidence
        )
    return Said(Reply.NOT_KNOWN, f"{told}; later than usual ({usual} months), and rare cases are described", evidence)


def bulky_when_late(case: Case) -> Said:
    """Is it bulky later than deposits are usually seen? By then a thin residue is expected (clinical summary, 6)."""
    finding, look = case.finding, case.look
    if finding is None or look is None:
        return NO_FINDING
    joint = joint_fit(case.chart, finding, materials=case.cause.materials)
    months = [fit.months for fit in joint.fits if fit.months is not None]
    materials = [case.chart.knowledge.materials[item.material] for item in joint.injections]
    usual = [int(item.visible_months_ct.value) for item in materials if item.visible_months_ct is not None]
    if not months or not usual:
        return Said(Reply.NOT_KNOWN, "how long after the injection the newest study was made is not known")
    evidence = finding_sources(case)
    if min(months)[0] <= max(usual):
        return Said(Reply.NO, "it is not later than such deposits are usually seen", evidence)
    size = case.chart.knowledge.measures["bulky_size_least"].value
    if "mass" in look.morphology or (look.size_mm is not None and look.size_mm >= size):
        return Said(Reply.YES, f"bulky {_span(*min(months))} after the last injection", evidence)
    return Said(Reply.NO, "it is not described as bulky", evidence)


def _span(least: int, most: int) -> str:
    return f"{least} months" if least == most else f"{least} to {most} months"


def _ago(fits: tuple[Fit, ...]) -> str:
    spans = [fit.months for fit in fits if fit.months is not None]
    if not spans:
        return ""
    last = min(spans)
    return f", the last {_span(max(last[0], 0), last[1])} before the newest study"


def _dates(injections: tuple[FillerInjection, ...]) -> str:
    days = [f"{item.product or item.material} {item.performed or 'on an unknown date'}" for item in injections]
    return ", ".join(dict.fromkeys(days))


def _sources(injections: tuple[FillerInjection, ...]) -> tuple[ResourceRef, ...]:
    return tuple(item.source for item in injections)


def finding_sources(case: Case) -> tuple[ResourceRef, ...]:
    """The resources the finding was read from."""
    return case.look.sources if case.look else ()
