"""This file answers questions of product: is such a filler on record, and can it look like this."""

from __future__ import annotations

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, Said
from correlation.injections import UNKNOWN_MATERIAL, injection_words, joint_fit
from correlation.questions.timing import finding_sources


def filler_recorded(case: Case) -> Said:
    """Is an injection of such a material on record that counts?

    Not known where only a filler of unknown material is on record: it may be this one.
    """
    own = [item for item in case.chart.counted if item.material in case.cause.materials]
    if own:
        told = "; ".join(injection_words(item) for item in own)
        reported = " (as the patient reported)" if all(item.source_certainty != "recorded" for item in own) else ""
        return Said(Reply.YES, f"on record{reported}: {told}", tuple(item.source for item in own))
    unknown = [item for item in case.chart.counted if item.material == UNKNOWN_MATERIAL]
    if unknown:
        told = "; ".join(injection_words(item) for item in unknown)
        return Said(Reply.NOT_KNOWN, f"a filler of unknown material: {told}", tuple(item.source for item in unknown))
    if case.chart.timeline.withheld:
        return Said(Reply.NOT_KNOWN, "parts of the record were withheld")
    ignored = [item for item in case.chart.timeline.injections if item.material in case.cause.materials]
    if ignored:
        told = "; ".join(f"{injection_words(item)}: {item.ignored_because}" for item in ignored)
        return Said(Reply.NO, f"none that counts ({told})", tuple(item.source for item in ignored))
    return Said(Reply.NO, "none on record; absence of a record is not absence of an injection")


def material_fits_appearance(case: Case) -> Said:
    """Can the material on record look like this finding (density, calcium, age)?"""
    if case.finding is None:
        return NO_FINDING
    joint = joint_fit(case.chart, case.finding, materials=case.cause.materials)
    if not joint.fits:
        return Said(Reply.NOT_KNOWN, "no such injection is on record that counts")
    told = "; ".join(dict.fromkeys(fit.appears_because for fit in joint.fits))
    evidence = tuple(item.source for item in joint.injections) + finding_sources(case)
    return Said(joint.appears, told, evidence)


def no_fitting_record(case: Case) -> Said:
    """Is there no filler of these materials (the cause's, or the parameter's) on record that could have made this?

    Yes when none is on record, or those on record are certainly too late, too far or cannot look like this.
    """
    if case.finding is None:
        return NO_FINDING
    materials = case.parameters.get("materials", case.cause.materials)
    joint = joint_fit(case.chart, case.finding, materials=materials)
    if not joint.fits:
        recorded = filler_recorded(case)
        if recorded.reply is Reply.NOT_KNOWN:
            return recorded
        return Said(Reply.YES, recorded.because, recorded.evidence)
    evidence = tuple(item.source for item in joint.injections)
    told = "; ".join(injection_words(item) for item in joint.injections)
    if Reply.NO in (joint.before, joint.reach, joint.appears):
        return Said(Reply.YES, f"what is on record does not fit in time, place or material: {told}", evidence)
    if joint.certain:
        return Said(Reply.NO, f"a fitting one is on record: {told}", evidence)
    return Said(Reply.NOT_KNOWN, f"one is on record that may fit: {told}", evidence)


def no_filler_recorded(case: Case) -> Said:
    """Is no filler at all on record that counts?"""
    if case.chart.counted:
        told = "; ".join(injection_words(item) for item in case.chart.counted)
        return Said(Reply.NO, f"on record: {told}", tuple(item.source for item in case.chart.counted))
    return Said(Reply.YES, "no filler that counts is on record")
