"""This file says, per finding and then per patient, whether recorded fillers explain it (contract, section 4).

Never `explained` where anything is contrary. Missing laboratory values do not prevent it; they are named elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from correlation.assessment import Attribution, Category, FindingAssessment, FindingCourse, Reply
from correlation.biochemistry import CALCITRIOL, CALCIUM_PHOSPHATE_PRODUCT, CALCIUM_TO_JUDGE, PHOSPHATE, Laboratory
from correlation.catalogue import Knowledge
from correlation.chart import Chart, Words, written
from correlation.conflicts import conflict_of
from correlation.injections import UNKNOWN_MATERIAL, fits_of, joint_fit
from correlation.timeline import FillerInjection, FindingKind
from correlation.verdict import Verdict, judge, reason_of
from correlation.weighing import Weighed

SUSPECTED = "unrecorded_caha_suspected"
GRANULOMA_HYPERCALCAEMIA = "filler_granuloma_hypercalcaemia"
WORRYING_SIGNS = frozenset(
    {"bone_destruction", "bone_erosion", "abscess", "adenopathy", "scar", "haematoma", "projectile"}
)
FILLER_FORMS = frozenset({"plaque", "linear", "clump", "stippled"})
CALCIUM_FILLER = "filler_caha"
LIKELY = (Category.PROBABLE, Category.POSSIBLE)


class FillerVerdict(NamedTuple):
    """What the filler of one cause is to a finding, why, and the injections it speaks of."""

    cause: str
    verdict: Verdict
    because: Words
    injections: tuple[FillerInjection, ...]


def assess_finding(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> FindingAssessment:
    """One finding with its attribution, from its own differential."""
    verdicts = filler_verdicts(chart, finding, differential)
    attribution, because = attribute_finding(chart, finding, differential, verdicts=verdicts)
    fitting = [item for item in verdicts if item.verdict in (Verdict.FITS, Verdict.PARTLY)]
    injections = tuple({id(injection): injection for item in fitting for injection in item.injections}.values())
    return FindingAssessment(
        finding=finding,
        attribution=attribution,
        because=written(because),
        differential=tuple(item.assessment() for item in differential),
        injections=injections if attribution in (Attribution.EXPLAINED, Attribution.PARTLY) else (),
    )


def filler_verdicts(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> tuple[FillerVerdict, ...]:
    """What every filler of the knowledge base, recorded or not, is to this finding; those of unknown material last."""
    found = [filler_verdict(chart, finding, item) for item in differential if item.cause.from_filler]
    return (*found, unknown_material(chart, finding, differential))


def filler_verdict(chart: Chart, finding: FindingCourse, item: Weighed) -> FillerVerdict:
    """What the filler of one cause is to this finding."""
    joint = joint_fit(chart, finding, materials=item.cause.materials)
    judged = judge(item.replies(), category=item.category, partly_covered=joint.partly_covered, broad=joint.broad)
    return FillerVerdict(item.cause.id, judged.verdict, lambda: reason_of(judged, item.because), joint.injections)


def unknown_material(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed]) -> FillerVerdict:
    """A filler whose material is not known may explain what any filler may explain."""
    fits = [fit for fit in fits_of(chart, finding) if fit.injection.material == UNKNOWN_MATERIAL]
    if not fits:
        return FillerVerdict(UNKNOWN_MATERIAL, Verdict.ABSENT, "none of unknown material is on record", ())
    open_ones = [fit for fit in fits if fit.before is not Reply.NO and fit.reach is not Reply.NO]
    forms = [item.reply("form_fits") for item in differential if item.cause.from_filler]
    if not open_ones or (forms and all(form is Reply.NO for form in forms)):
        verdict, because = Verdict.CANNOT, "the filler of unknown material is too late, too far or unlike it"
    else:
        verdict, because = Verdict.UNSURE, "a filler of unknown material is on record that may explain it"
    return FillerVerdict(UNKNOWN_MATERIAL, verdict, because, tuple(fit.injection for fit in open_ones))


def attribute_finding(
    chart: Chart,
    finding: FindingCourse,
    differential: Sequence[Weighed],
    *,
    verdicts: Sequence[FillerVerdict],
) -> tuple[Attribution, Words]:
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
            return Attribution.EXPLAINED, _reason("a recorded filler fits", fitting)
        return Attribution.PARTLY, _reason("a recorded filler fits on one side", best)
    if unsure is not None:
        return Attribution.INDETERMINATE, _reason("a recorded filler may fit", unsure)
    if chart.looks[finding.key].only_possible:
        return Attribution.INDETERMINATE, "the report itself is not sure of this finding"
    cannot = _first(verdicts, Verdict.CANNOT)
    if cannot is not None:
        return Attribution.NOT_EXPLAINED, _reason("what is on record cannot explain it", cannot)
    return _without_record(chart, differential)


def _reason(what: str, verdict: FillerVerdict) -> Words:
    return lambda: f"{what}: {written(verdict.because)}"


def _first(verdicts: Sequence[FillerVerdict], wanted: Verdict) -> FillerVerdict | None:
    return next((item for item in verdicts if item.verdict is wanted), None)


def _doubt(chart: Chart, finding: FindingCourse, differential: Sequence[Weighed], best: FillerVerdict) -> str:
    """Why a filler that fits does not settle it; empty where nothing does."""
    conflict = next((text for item in best.injections if (text := conflict_of(chart, item))), "")
    if conflict:
        return f"a recorded filler may fit, but {conflict}"
    if any(item.reply("treated_tumour_at_site") is Reply.YES for item in differential):
        return "a recorded filler fits, but a tumour is on record at this site"
    look = chart.looks[finding.key]
    worrying = look.signs & WORRYING_SIGNS
    if look.kind is FindingKind.IMPLANT:
        worrying -= {"bone_erosion"}  # bone below an implant is resorbed as a rule (clinical summary, section 1)
    if all(_reaches_nodes(chart, item) for item in best.injections):
        worrying -= {"adenopathy"}
    if worrying:
        return f"a recorded filler fits, but the report describes {', '.join(sorted(worrying)).replace('_', ' ')}"
    mass = look.kind is FindingKind.MASS or "mass" in look.morphology
    if mass and "increased" in look.changes:
        return "a recorded filler may fit, but an enlarging mass is described"
    if best.cause == CALCIUM_FILLER and "mass" in look.morphology and look.morphology.isdisjoint(FILLER_FORMS):
        return "a recorded filler may fit, but a mass is described"
    first = differential[0]
    cause = first.cause
    if first.category is Category.PROBABLE and not (cause.from_filler or cause.systemic or cause.id == SUSPECTED):
        return f"a recorded filler fits, but {cause.name.lower()} fits better"
    return ""


def _reaches_nodes(chart: Chart, injection: FillerInjection) -> bool:
    """Materials that migrate and form granulomas (silicone, paraffin) enlarge lymph nodes by themselves."""
    material = chart.knowledge.materials.get(injection.material)
    return material is not None and material.extra_step and material.late_calcification == "known"


def _without_record(chart: Chart, differential: Sequence[Weighed]) -> tuple[Attribution, Words]:
    """No filler that counts is on record: typical of one, or not."""
    if any(item.ignored_because is not None for item in chart.timeline.injections):
        return Attribution.NOT_EXPLAINED, "the only fillers on record cannot count (not done, or entered in error)"
    if chart.timeline.withheld:
        return Attribution.INDETERMINATE, "parts of the record were withheld"
    other = next(
        (item for item in differential if item.category is Category.PROBABLE and item.cause.id != SUSPECTED), None
    )
    if other is not None:
        return Attribution.NOT_EXPLAINED, f"no filler is on record, and {other.cause.name.lower()} is probable"
    typical = next((item for item in differential if item.cause.from_filler and item.category in LIKELY), None)
    if typical is not None:
        return Attribution.INDETERMINATE, f"the pattern is typical of {typical.cause.name.lower()}, none is on record"
    suspected = next((item for item in differential if item.cause.id == SUSPECTED), None)
    if suspected is not None and suspected.category in LIKELY and _typical(suspected):
        return Attribution.INDETERMINATE, "the pattern is typical of a calcium filler, and none is on record: ask"
    return Attribution.NOT_EXPLAINED, "no filler is on record, and the pattern is not typical of one"


def _typical(suspected: Weighed) -> bool:
    return all(suspected.reply(question) is Reply.YES for question in ("form_fits", "in_filler_territory"))


def attribute_patient(findings: Sequence[tuple[str, Attribution]], *, other_reason: str) -> tuple[Attribution, str]:
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
        return Attribution.PARTLY, f"every finding fits a recorded filler, but {other_reason}"
    return Attribution.EXPLAINED, "every finding fits a recorded filler in place, time, material and form"


WORDS: Mapping[Attribution, str] = {
    Attribution.EXPLAINED: "fits a recorded filler",
    Attribution.PARTLY: "fits a recorded filler in part",
    Attribution.NOT_EXPLAINED: "does not fit a recorded filler",
    Attribution.INDETERMINATE: "cannot be decided",
    Attribution.NOT_APPLICABLE: "asks for no explanation",
}


def _story(findings: Sequence[tuple[str, Attribution]]) -> str:
    return "; ".join(f"{name}: {WORDS[attribution]}" for name, attribution in findings)


def other_reason(chart: Chart, differential: Sequence[Weighed]) -> str:
    """A recorded disease or abnormal result that is itself a likely cause of deposits, in a clause; empty without."""
    for item in differential:
        cause = item.cause
        if cause.systemic and not cause.from_filler and item.category is Category.PROBABLE:
            return f"{cause.name.lower()} is probable by itself"
    granuloma = next((item for item in differential if item.cause.id == GRANULOMA_HYPERCALCAEMIA), None)
    if granuloma is not None and granuloma.category is Category.PROBABLE:
        return ""  # the abnormal calcium is itself explained by the filler; it is raised as an alert
    found = abnormal_mineral(chart.laboratory, chart.knowledge)
    if not found and chart.laboratory.level(CALCIUM_TO_JUDGE) is None:
        return abnormal_mineral(chart.newest, chart.knowledge)
    return found


def abnormal_mineral(laboratory: Laboratory, knowledge: Knowledge) -> str:
    """The mineral result that asks for a cause of its own, in a clause; empty without."""
    calcium = laboratory.level(CALCIUM_TO_JUDGE)
    if calcium is not None and calcium.is_high() is True:
        return f"calcium is high ({calcium.says})"
    product = laboratory.level(CALCIUM_PHOSPHATE_PRODUCT)
    if product is not None and product.value > knowledge.measures["calcium_phosphate_raised"].value:
        return f"calcium x phosphate is raised ({product.says})"
    phosphate = laboratory.level(PHOSPHATE)
    if product is None and phosphate is not None and phosphate.is_high() is True:
        return f"phosphate is high ({phosphate.says})"
    calcitriol = laboratory.level(CALCITRIOL)
    if calcium is None and calcitriol is not None and calcitriol.is_high() is True:
        return f"1,25-dihydroxyvitamin D is high ({calcitriol.says})"
    vitamin = laboratory.level("vitamin_d_25")
    if vitamin is not None and vitamin.above(knowledge.measures["vitamin_d_toxic"].value) is True:
        return f"25-hydroxyvitamin D is toxic ({vitamin.says})"
    return ""
