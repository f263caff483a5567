"""This file answers questions of product: is such a filler on record, and can it look like this."""

from __future__ import annotations

from collections.abc import Sequence

from correlation.appearance import can_appear
from correlation.assessment import Reply
from correlation.chart import NO_SUCH_FILLER, Asked, Case, Chart, Clause, JointFit, Said, written
from correlation.injections import UNKNOWN_MATERIAL, fits_of, joint_fit
from correlation.questions.timing import still_expected
from correlation.timeline import FillerInjection
from correlation.withheld import OF_FILLERS, concluded
from correlation.words import Words


def filler_recorded(chart: Chart, asked: Asked) -> Said:
    """Is an injection of such a material on record that counts?

    Not known where only a filler of unknown material is on record: it may be this one.
    """
    return concluded(chart, _recorded(chart, asked), from_absence=Reply.NO, held_in=OF_FILLERS)


def _recorded(chart: Chart, asked: Asked) -> Said:
    own = [item for item in chart.counted if item.material in asked.materials]
    if own:
        reported = all(item.source_certainty != "recorded" for item in own)
        sentence = "product.reported" if reported else "product.recorded"
        return Said(Reply.YES, _told(sentence, own), tuple(item.source for item in own))
    unknown = [item for item in chart.counted if item.material == UNKNOWN_MATERIAL]
    if unknown:
        sources = tuple(item.source for item in unknown)
        return Said(Reply.NOT_KNOWN, _told("product.unknown", unknown), sources)
    ignored = [item for item in chart.timeline.injections if item.material in asked.materials]
    if ignored:
        return Said(Reply.NO, lambda words: _ignored(words, ignored), tuple(item.source for item in ignored))
    return Said(Reply.NO, "product.none_of_kind" if chart.counted else "product.none")


def _told(sentence: str, injections: Sequence[FillerInjection]) -> Clause:
    return lambda words: words.say(sentence, injections="; ".join(words.injection(item) for item in injections))


def _ignored(words: Words, injections: Sequence[FillerInjection]) -> str:
    told = (f"{words.injection(item)}: {item.ignored_because}" for item in injections)
    return words.say("product.none_counts", injections="; ".join(told))


def material_fits_appearance(case: Case, asked: Asked) -> Said:
    """Can the material on record look like this finding (density, calcium, age)?

    A no concludes from absence only where another filler of the cause, or another age of it, could look like this.
    """
    joint = joint_fit(case.chart, case.finding, materials=asked.materials)
    if not joint.fits:
        return NO_SUCH_FILLER
    evidence = joint.sources + case.evidence
    said = Said(
        joint.appears,
        lambda words: "; ".join(dict.fromkeys(written(fit.appears_because, words) for fit in joint.fits)),
        evidence,
    )
    if said.reply is not Reply.NO or not _another_may_appear(case, asked):
        return said
    return concluded(case.chart, said, from_absence=Reply.NO, held_in=OF_FILLERS)


def _another_may_appear(case: Case, asked: Asked) -> bool:
    """Whether some material of the cause, of whatever age, may look like this finding."""
    materials = (case.chart.knowledge.materials[material] for material in asked.materials)
    return any(can_appear(material, case.look, months=None)[0] is not Reply.NO for material in materials)


def no_fitting_record(case: Case, asked: Asked) -> Said:
    """Is there no filler of these materials (the cause's, or the parameter's) on record that could have made this?

    Yes when none is on record, or those on record are certainly too late, too far or cannot look like this.
    """
    return concluded(case.chart, _unfit(case, asked), from_absence=Reply.YES, held_in=OF_FILLERS)


def _unfit(case: Case, asked: Asked) -> Said:
    materials = asked.parameters.get("materials", asked.materials)
    joint = joint_fit(case.chart, case.finding, materials=materials)
    if not joint.fits:
        recorded = _recorded(case.chart, asked)
        if recorded.reply is Reply.NOT_KNOWN:
            return recorded
        return Said(Reply.YES, recorded.because, recorded.evidence)
    evidence = joint.sources
    if Reply.NO in (joint.before, joint.reach, joint.appears):
        reply, what = Reply.YES, "product.unfit"
    elif "materials" not in asked.parameters and _undated_there(joint):
        reply, what = Reply.NO, "product.may_fit"
    elif "materials" not in asked.parameters and (late := still_expected(case, asked)).reply is Reply.NO:
        return Said(Reply.YES, late.because, evidence)  # what is on record is too long ago
    elif "materials" not in asked.parameters and late.reply is Reply.NOT_KNOWN:
        reply, what = Reply.NOT_KNOWN, "product.may_fit"
    elif joint.certain:
        reply, what = Reply.NO, "product.fits"
    else:
        reply, what = Reply.NOT_KNOWN, "product.may_fit"
    return Said(reply, _told(what, joint.injections), evidence)


def _undated_there(joint: JointFit) -> bool:
    """Whether all that keeps a recorded filler from fitting is that its date is not known: it is on record anyway."""
    undated = bool(joint.fits) and all(fit.injection.performed is None for fit in joint.fits)
    return undated and joint.reach is Reply.YES and joint.appears is Reply.YES


def unknown_filler_recorded(case: Case, asked: Asked) -> Said:
    """Was a filler of unknown material put there long enough before for a granuloma to form?"""
    fits = [fit for fit in fits_of(case.chart, case.finding) if fit.injection.material == UNKNOWN_MATERIAL]
    if not fits:
        none = Said(Reply.NO, "product.no_unknown")
        return concluded(case.chart, none, from_absence=Reply.NO, held_in=OF_FILLERS)
    least = case.chart.months("granuloma_months_least")
    there = [fit for fit in fits if fit.before is Reply.YES and fit.reach is Reply.YES]
    long_before = [fit.injection for fit in there if fit.months is not None and fit.months[0] >= least]
    evidence = tuple(fit.injection.source for fit in fits)
    if long_before:
        return Said(Reply.YES, _told("product.unknown", long_before), evidence)
    return Said(Reply.NOT_KNOWN, "product.unknown_before", evidence)


def no_filler_recorded(chart: Chart, asked: Asked) -> Said:
    """Is no filler at all on record that counts?"""
    if chart.counted:
        counted = chart.counted
        return Said(Reply.NO, _told("product.recorded", counted), tuple(item.source for item in counted))
    none = Said(Reply.YES, "product.none_that_counts")
    return concluded(chart, none, from_absence=Reply.YES, held_in=OF_FILLERS)
