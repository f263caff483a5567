"""This file says, per finding and then per patient, whether recorded fillers explain it (contract, section 4).

Never `explained` where anything is contrary. Missing laboratory values do not prevent it; they are named elsewhere.
All of it is as far as was seen; what may be said of it while something is withheld: `as_allowed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from correlation.assessment import Attribution, Category, FindingAssessment, FindingCourse, Reply, WhenRead
from correlation.biochemistry import (
    CALCITRIOL,
    CALCIUM_PHOSPHATE_PRODUCT,
    CALCIUM_TO_JUDGE,
    PHOSPHATE,
    Laboratory,
    Level,
)
from correlation.catalogue import Cause, Knowledge
from correlation.category import LIKELY
from correlation.chart import Chart, Clause, written
from correlation.conflicts import conflict_of
from correlation.injections import UNKNOWN_MATERIAL, fits_of, joint_fit, mirrors
from correlation.timeline import FillerInjection, FindingKind
from correlation.verdict import Verdict, judge, reason_of
from correlation.weighing import Weighed, by_shown
from correlation.withheld import allowed_attribution, but_withheld
from correlation.words import Words

SUSPECTED = "unrecorded_caha_suspected"
GRANULOMA_HYPERCALCAEMIA = "filler_granuloma_hypercalcaemia"
WORRYING_SIGNS = frozenset(
    {"bone_destruction", "bone_erosion", "abscess", "adenopathy", "scar", "haematoma", "projectile"}
)
FILLER_FORMS = frozenset({"plaque", "linear", "clump", "stippled"})
CALCIUM_FILLER = "filler_caha"
SOLID_IMPLANT = "alloplastic_implant"


class FillerVerdict(NamedTuple):
    """What the filler of one cause is to a finding, why, and the injections it speaks of."""

    cause: str
    verdict: Verdict
    because: Clause
    injections: tuple[FillerInjection, ...]


def assess_finding(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> FindingAssessment:
    """One finding with its attribution, from its own differential, as far as was seen."""
    verdicts = filler_verdicts(chart, finding, differential)
    attribution, because = attribute_finding(chart, finding, differential, verdicts=verdicts)
    fitting = [item for item in verdicts if item.verdict in (Verdict.FITS, Verdict.PARTLY)]
    injections = tuple({id(injection): injection for item in fitting for injection in item.injections}.values())
    return FindingAssessment(
        finding=finding,
        attribution=attribution,
        because=written(because, chart.words),
        differential=WhenRead(
            lambda: tuple(item.assessment(chart.words) for item in sorted(differential, key=by_shown))
        ),
        injections=injections if attribution in (Attribution.EXPLAINED, Attribution.PARTLY) else (),
    )


def as_allowed(chart: Chart, item: FindingAssessment) -> FindingAssessment:
    """The finding as it may be said while something is withheld: the injections that would explain it stay named."""
    withheld = chart.timeline.withheld
    allowed = allowed_attribution(item.attribution, withheld)
    if allowed is not Attribution.INDETERMINATE:
        return item
    return replace(item, attribution=allowed, because=but_withheld(item.because, withheld, chart.words))


def filler_verdicts(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> tuple[FillerVerdict, ...]:
    """What every filler of the knowledge base, recorded or not, is to this finding; those of unknown material last."""
    found = [filler_verdict(chart, finding, item) for item in differential if item.cause.from_filler]
    return (*found, unknown_material(chart, finding, differential))


def filler_verdict(chart: Chart, finding: FindingCourse, item: Weighed) -> FillerVerdict:
    """What the filler of one cause is to this finding."""
    if item.reply("filler_recorded") is Reply.NO:
        return FillerVerdict(item.cause.id, Verdict.ABSENT, partial(item.because, "filler_recorded"), ())
    joint = joint_fit(chart, finding, materials=item.cause.materials)
    judged = judge(
        item.replies(),
        category=item.category,
        partly_covered=joint.partly_covered,
        broad=joint.broad,
        mirrored=mirrors(finding, joint.fits),
    )
    because = partial(reason_of, judged, item.because)
    return FillerVerdict(item.cause.id, judged.verdict, because, joint.injections)


def unknown_material(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> FillerVerdict:
    """A filler whose material is not known may explain what any filler may explain."""
    fits = [fit for fit in fits_of(chart, finding) if fit.injection.material == UNKNOWN_MATERIAL]
    if not fits:
        return FillerVerdict(UNKNOWN_MATERIAL, Verdict.ABSENT, "product.no_unknown", ())
    open_ones = [fit for fit in fits if fit.before is not Reply.NO and fit.reach is not Reply.NO]
    forms = [item.reply("form_fits") for item in differential if item.cause.from_filler]
    if not open_ones or (forms and all(form is Reply.NO for form in forms)):
        verdict, because = Verdict.CANNOT, "attribution.unknown_cannot"
    else:
        verdict, because = Verdict.UNSURE, "attribution.unknown_may"
    return FillerVerdict(UNKNOWN_MATERIAL, verdict, because, tuple(fit.injection for fit in open_ones))


def attribute_finding(
    chart: Chart,
    finding: FindingCourse,
    differential: Sequence[Weighed],
    *,
    verdicts: Sequence[FillerVerdict],
) -> tuple[Attribution, Clause]:
    """The attribution of one finding and the sentence that gives its reason."""
    fitting = _first(verdicts, Verdict.FITS)
    partly = _first(verdicts, Verdict.PARTLY)
    unsure = _first(verdicts, Verdict.UNSURE)
    best = fitting or partly
    if best is not None:
        doubt = _doubt(chart, finding, differential, best)
        if doubt:
            return Attribution.INDETERMINATE, doubt
        if fitting is not None:
            return Attribution.EXPLAINED, _reason("attribution.fits", fitting)
        return Attribution.PARTLY, _reason("attribution.fits_one_side", best)
    if unsure is not None:
        return Attribution.INDETERMINATE, _reason("attribution.may_fit", unsure)
    if chart.looks[finding.key].only_possible:
        return Attribution.INDETERMINATE, "attribution.report_unsure"
    cannot = _first(verdicts, Verdict.CANNOT)
    if cannot is not None:
        return Attribution.NOT_EXPLAINED, _reason("attribution.cannot", cannot)
    return _without_record(chart, differential)


def _reason(sentence: str, verdict: FillerVerdict) -> Clause:
    return lambda words: words.say(sentence, reason=written(verdict.because, words))


def _first(verdicts: Sequence[FillerVerdict], wanted: Verdict) -> FillerVerdict | None:
    return next((item for item in verdicts if item.verdict is wanted), None)


def _doubt(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed], best: FillerVerdict) -> Clause:
    """Why a filler that fits does not settle it; empty where nothing does."""
    conflict = next((told for item in best.injections if (told := conflict_of(chart, item))), "")
    if conflict:
        return lambda words: words.say("doubt.conflict", conflict=written(conflict, words))
    if any(item.reply("treated_tumour_at_site") is Reply.YES for item in differential):
        return "doubt.tumour"
    look = chart.looks[finding.key]
    worrying = look.signs & WORRYING_SIGNS
    if look.kind is FindingKind.IMPLANT or best.cause == SOLID_IMPLANT:
        worrying -= {"bone_erosion"}  # bone below an implant is resorbed as a rule (clinical summary, section 1)
    if all(_reaches_nodes(chart, item) for item in best.injections):
        worrying -= {"adenopathy"}
    if worrying:
        return lambda words: words.say("doubt.signs", signs=words.listed(worrying))
    mass = look.kind is FindingKind.MASS or "mass" in look.morphology
    if mass and "increased" in look.changes:
        return "doubt.enlarging_mass"
    if best.cause == CALCIUM_FILLER and "mass" in look.morphology and look.morphology.isdisjoint(FILLER_FORMS):
        return "doubt.mass"
    first = differential[0]
    cause = first.cause
    if first.category is Category.PROBABLE and not (cause.from_filler or cause.systemic or cause.id == SUSPECTED):
        return lambda words: words.say("doubt.better", cause=words.inside(cause.name))
    return ""


def _reaches_nodes(chart: Chart, injection: FillerInjection) -> bool:
    """Materials that migrate and form granulomas (silicone, paraffin) enlarge lymph nodes by themselves."""
    material = chart.knowledge.materials.get(injection.material)
    return material is not None and material.extra_step and material.late_calcification == "known"


def _without_record(chart: Chart, differential: Sequence[Weighed]) -> tuple[Attribution, Clause]:
    """No filler that counts is on record: typical of one, or not."""
    if any(item.ignored_because is not None for item in chart.timeline.injections):
        return Attribution.NOT_EXPLAINED, "attribution.only_ignored"
    other = next(
        (item for item in differential if item.category is Category.PROBABLE and item.cause.id != SUSPECTED), None
    )
    if other is not None:
        return Attribution.NOT_EXPLAINED, _named("attribution.other_probable", other.cause)
    typical = next((item for item in differential if item.cause.from_filler and item.category in LIKELY), None)
    if typical is not None:
        return Attribution.INDETERMINATE, _named("attribution.typical_none", typical.cause)
    suspected = next((item for item in differential if item.cause.id == SUSPECTED), None)
    if suspected is not None and suspected.category in LIKELY and _typical(suspected):
        return Attribution.INDETERMINATE, "attribution.typical_ask"
    return Attribution.NOT_EXPLAINED, "attribution.not_typical"


def _named(sentence: str, cause: Cause) -> Clause:
    return lambda words: words.say(sentence, cause=words.inside(cause.name))


def _typical(suspected: Weighed) -> bool:
    return all(suspected.reply(question) is Reply.YES for question in ("form_fits", "in_filler_territory"))


def attribute_patient(findings: Sequence[tuple[str, Attribution]], *, other_reason: str) -> tuple[Attribution, Clause]:
    """The patient's attribution from those of the findings (name, attribution), and why.

    `other_reason` names a disease or abnormal result that is itself a likely cause of such deposits; empty without.
    """
    given = {attribution for _, attribution in findings}
    fits = given & {Attribution.EXPLAINED, Attribution.PARTLY}
    if fits and (Attribution.NOT_EXPLAINED in given or Attribution.PARTLY in given):
        return Attribution.PARTLY, _story(findings)
    if Attribution.INDETERMINATE in given:
        return Attribution.INDETERMINATE, _story(findings)
    if Attribution.NOT_EXPLAINED in given:
        return Attribution.NOT_EXPLAINED, _story(findings)
    if other_reason:
        return Attribution.PARTLY, lambda words: words.say("attribution.every_but", reason=other_reason)
    return Attribution.EXPLAINED, "attribution.every"


STANDS: Mapping[Attribution, str] = {
    Attribution.EXPLAINED: "attribution.one_explained",
    Attribution.PARTLY: "attribution.one_partly",
    Attribution.NOT_EXPLAINED: "attribution.one_not_explained",
    Attribution.INDETERMINATE: "attribution.one_indeterminate",
    Attribution.NOT_APPLICABLE: "attribution.one_not_applicable",
}


def _story(findings: Sequence[tuple[str, Attribution]]) -> Clause:
    return lambda words: "; ".join(words.say(STANDS[attribution], finding=name) for name, attribution in findings)


def other_reason(chart: Chart, differential: Sequence[Weighed]) -> str:
    """A recorded disease or abnormal result that is itself a likely cause of deposits, in a clause; empty without."""
    for item in differential:
        cause = item.cause
        if cause.systemic and not cause.from_filler and item.category is Category.PROBABLE:
            return chart.words.say("other.disease", cause=chart.words.inside(cause.name))
    granuloma = next((item for item in differential if item.cause.id == GRANULOMA_HYPERCALCAEMIA), None)
    if granuloma is not None and granuloma.category is Category.PROBABLE:
        return ""  # the abnormal calcium is itself explained by the filler; it is raised as an alert
    found = abnormal_mineral(chart.laboratory, chart.knowledge)
    if not found and chart.laboratory.level(CALCIUM_TO_JUDGE) is None:
        return abnormal_mineral(chart.newest, chart.knowledge)
    return found


def abnormal_mineral(laboratory: Laboratory, knowledge: Knowledge) -> str:
    """The mineral result that asks for a cause of its own, in a clause; empty without."""
    words = knowledge.words
    calcium = laboratory.level(CALCIUM_TO_JUDGE)
    if calcium is not None and calcium.is_high() is True:
        return _abnormal("other.calcium", calcium, words)
    product = laboratory.level(CALCIUM_PHOSPHATE_PRODUCT)
    if product is not None and product.value > knowledge.measures["calcium_phosphate_raised"].value:
        return _abnormal("other.product", product, words)
    phosphate = laboratory.level(PHOSPHATE)
    if product is None and phosphate is not None and phosphate.is_high() is True:
        return _abnormal("other.phosphate", phosphate, words)
    calcitriol = laboratory.level(CALCITRIOL)
    if calcium is None and calcitriol is not None and calcitriol.is_high() is True:
        return _abnormal("other.calcitriol", calcitriol, words)
    vitamin = laboratory.level("vitamin_d_25")
    if vitamin is not None and vitamin.above(knowledge.measures["vitamin_d_toxic"].value) is True:
        return _abnormal("other.vitamin_d", vitamin, words)
    return ""


def _abnormal(sentence: str, level: Level, words: Words) -> str:
    return words.say(sentence, value=level.says(words))
