"""This file answers questions of product: is such a filler on record, and can it look like this."""

from __future__ import annotations

from collections.abc import Sequence

from correlation.assessment import Reply
from correlation.chart import NO_FINDING, Case, Said
from correlation.injections import UNKNOWN_MATERIAL, fits_of, injection_words, joint_fit
from correlation.questions.timing import finding_sources, still_expected
from correlation.timeline import FillerInjection


def filler_recorded(case: Case) -> Said:
    """Is an injection of such a material on record that counts?

    Not known where only a filler of unknown material is on record: it may be this one.
    """
    own = [item for item in case.chart.counted if item.material in case.cause.materials]
    if own:
        reported = " (as the patient reported)" if all(item.source_certainty != "recorded" for item in own) else ""
        return Said(Reply.YES, lambda: f"on record{reported}: {_told(own)}", tuple(item.source for item in own))
    unknown = [item for item in case.chart.counted if item.material == UNKNOWN_MATERIAL]
    if unknown:
        sources = tuple(item.source for item in unknown)
        return Said(Reply.NOT_KNOWN, lambda: f"a filler of unknown material: {_told(unknown)}", sources)
    if case.chart.timeline.withheld:
        return Said(Reply.NOT_KNOWN, "parts of the record were withheld")
    ignored = [item for item in case.chart.timeline.injections if item.material in case.cause.materials]
    if ignored:
        told = "; ".join(f"{injection_words(item)}: {item.ignored_because}" for item in ignored)
        return Said(Reply.NO, f"none that counts ({told})", tuple(item.source for item in ignored))
    return Said(Reply.NO, "none on record; absence of a record is not absence of an injection")


def _told(injections: Sequence[FillerInjection]) -> str:
    return "; ".join(injection_words(item) for item in injections)


def material_fits_appearance(case: Case) -> Said:
    """Can the material on record look like this finding (density, calcium, age)?"""
    if case.finding is None:
        return NO_FINDING
    joint = joint_fit(case.chart, case.finding, materials=case.cause.materials)
    if not joint.fits:
        return Said(Reply.NOT_KNOWN, "no such injection is on record that counts")
    evidence = tuple(item.source for item in joint.injections) + finding_sources(case)
    return Said(joint.appears, lambda: "; ".join(dict.fromkeys(fit.appears_because for fit in joint.fits)), evidence)


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
    if Reply.NO in (joint.before, joint.reach, joint.appears):
        reply, what = Reply.YES, "what is on record does not fit in time, place or material"
    elif "materials" not in case.parameters and (late := still_expected(case)).reply is Reply.NO:
        return Said(Reply.YES, late.because, evidence)  # what is on record is too long ago
    elif "materials" not in case.parameters and late.reply is Reply.NOT_KNOWN:
        reply, what = Reply.NOT_KNOWN, "one is on record that may fit"
    elif joint.certain:
        reply, what = Reply.NO, "a fitting one is on record"
    else:
        reply, what = Reply.NOT_KNOWN, "one is on record that may fit"
    return Said(reply, lambda: f"{what}: {_told(joint.injections)}", evidence)


def unknown_filler_recorded(case: Case) -> Said:
    """Was a filler of unknown material put there long enough before for a granuloma to form?"""
    if case.finding is None:
        return NO_FINDING
    fits = [fit for fit in fits_of(case.chart, case.finding) if fit.injection.material == UNKNOWN_MATERIAL]
    if not fits:
        return Said(Reply.NO, "no filler of unknown material is on record")
    least = case.chart.months("granuloma_months_least")
    there = [fit for fit in fits if fit.before is Reply.YES and fit.reach is Reply.YES]
    long_before = [fit.injection for fit in there if fit.months is not None and fit.months[0] >= least]
    evidence = tuple(fit.injection.source for fit in fits)
    if long_before:
        return Said(Reply.YES, f"a filler of unknown material: {_told(long_before)}", evidence)
    return Said(Reply.NOT_KNOWN, "whether the filler of unknown material was there before is not known", evidence)


def no_filler_recorded(case: Case) -> Said:
    """Is no filler at all on record that counts?"""
    if case.chart.counted:
        counted = case.chart.counted
        return Said(Reply.NO, lambda: f"on record: {_told(counted)}", tuple(item.source for item in counted))
    return Said(Reply.YES, "no filler that counts is on record")
