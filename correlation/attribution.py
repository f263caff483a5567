"""This file says, per finding and then per patient, whether recorded fillers explain it (contract, section 4).

Never `explained` where anything is contrary. Missing laboratory values do not prevent it; they are named elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from correlation.assessment import Attribution, Category, CauseAssessment, FindingAssessment, FindingCourse, Reply
from correlation.biochemistry import CALCITRIOL, CALCIUM_PHOSPHATE_PRODUCT, CALCIUM_TO_JUDGE, PHOSPHATE, Laboratory
from correlation.catalogue import Knowledge
from correlation.chart import Chart
from correlation.conflicts import conflict_of
from correlation.injections import UNKNOWN_MATERIAL, fits_of, joint_fit
from correlation.timeline import FillerInjection
from correlation.verdict import Judged, Verdict, judge

SUSPECTED = "unrecorded_caha_suspected"
GRANULOMA_HYPERCALCAEMIA = "filler_granuloma_hypercalcaemia"
WORRYING_SIGNS = frozenset({"bone_destruction", "bone_erosion", "abscess", "adenopathy"})
LIKELY = (Category.PROBABLE, Category.POSSIBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillerVerdict:
    """What the filler of one cause is to a finding, with the injections it speaks of."""

    cause: str
    judged: Judged
    injections: tuple[FillerInjection, ...]


def assess_finding(
    chart: Chart, finding: FindingCourse, differential: tuple[CauseAssessment, ...]
) -> FindingAssessment:
    """One finding with its attribution, from its own differential."""
    verdicts = filler_verdicts(chart, finding, differential)
    attribution, because = attribute_finding(chart, finding, differential, verdicts=verdicts)
    fitting = [item for item in verdicts if item.judged.verdict in (Verdict.FITS, Verdict.PARTLY)]
    injections = tuple({id(injection): injection for item in fitting for injection in item.injections}.values())
    return FindingAssessment(
        finding=finding,
        attribution=attribution,
        because=because,
        differential=differential,
        injections=injections if attribution in (Attribution.EXPLAINED, Attribution.PARTLY) else (),
    )


def filler_verdicts(
    chart: Chart, finding: FindingCourse, differential: Sequence[CauseAssessment]
) -> tuple[FillerVerdict, ...]:
    """What every filler of the knowledge base, recorded or not, is to this finding; those of unknown material last."""
    found = []
    for item in differential:
        if item.from_filler:
            joint = joint_fit(chart, finding, materials=chart.knowledge.causes[item.cause].materials)
            judged = judge(item.answers, category=item.category, partly_covered=joint.partly_covered, broad=joint.broad)
            found.append(FillerVerdict(cause=item.cause, judged=judged, injections=joint.injections))
    found.append(_unknown_material(chart, finding, differential))
    return tuple(found)


def _unknown_material(chart: Chart, finding: FindingCourse, differential: Sequence[CauseAssessment]) -> FillerVerdict:
    """A filler whose material is not known may explain what any filler may explain."""
    fits = [fit for fit in fits_of(chart, finding) if fit.injection.material == UNKNOWN_MATERIAL]
    open_ones = [fit for fit in fits if fit.before is not Reply.NO and fit.reach is not Reply.NO]
    forms = [_reply(item, "form_fits") for item in differential if item.from_filler]
    if not fits:
        judged = Judged(verdict=Verdict.ABSENT, because="none of unknown material is on record")
    elif not open_ones or (forms and all(form is Reply.NO for form in forms)):
        judged = Judged(
            verdict=Verdict.CANNOT, because="the filler of unknown material is too late, too far or unlike it"
        )
    else:
        judged = Judged(verdict=Verdict.UNSURE, because="a filler of unknown material is on record that may explain it")
    injections = tuple(fit.injection for fit in open_ones)
    return FillerVerdict(cause=UNKNOWN_MATERIAL, judged=judged, injections=injections)


def _reply(item: CauseAssessment, question: str) -> Reply:
    return next((answer.reply for answer in item.answers if answer.question == question), Reply.NOT_KNOWN)


def attribute_finding(
    chart: Chart,
    finding: FindingCourse,
    differential: Sequence[CauseAssessment],
    *,
    verdicts: Sequence[FillerVerdict],
) -> tuple[Attribution, str]:
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
            return Attribution.EXPLAINED, f"a recorded filler fits: {fitting.judged.because}"
        return Attribution.PARTLY, f"a recorded filler fits on one side: {best.judged.because}"
    if unsure is not None:
        return Attribution.INDETERMINATE, f"a recorded filler may fit: {unsure.judged.because}"
    if chart.looks[finding.key].only_possible:
        return Attribution.INDETERMINATE, "the report itself is not sure of this finding"
    cannot = _first(verdicts, Verdict.CANNOT)
    if cannot is not None:
        return Attribution.NOT_EXPLAINED, f"what is on record cannot explain it: {cannot.judged.because}"
    return _without_record(chart, differential)


def _first(verdicts: Sequence[FillerVerdict], wanted: Verdict) -> FillerVerdict | None:
    return next((item for item in verdicts if item.judged.verdict is wanted), None)


def _doubt(chart: Chart, finding: FindingCourse, differential: Sequence[CauseAssessment], best: FillerVerdict) -> str:
    """Why a filler that fits does not settle it; empty where nothing does."""
    conflict = next((text for item in best.injections if (text := conflict_of(chart, item))), "")
    if conflict:
        return f"a recorded filler may fit, but {conflict}"
    if any(_reply(item, "treated_tumour_at_site") is Reply.YES for item in differential):
        return "a recorded filler fits, but a tumour is on record at this site"
    worrying = chart.looks[finding.key].signs & WORRYING_SIGNS
    if all(_reaches_nodes(chart, item) for item in best.injections):
        worrying -= {"adenopathy"}
    if worrying:
        return f"a recorded filler fits, but the report describes {', '.join(sorted(worrying)).replace('_', ' ')}"
    first = differential[0]
    cause = chart.knowledge.causes[first.cause]
    if first.category is Category.PROBABLE and not (first.from_filler or cause.systemic or first.cause == SUSPECTED):
        return f"a recorded filler fits, but {cause.name.lower()} fits better"
    return ""


def _reaches_nodes(chart: Chart, injection: FillerInjection) -> bool:
    """Materials that migrate and form granulomas (silicone, paraffin) enlarge lymph nodes by themselves."""
    material = chart.knowledge.materials.get(injection.material)
    return material is not None and material.extra_step and material.late_calcification == "known"


def _without_record(chart: Chart, differential: Sequence[CauseAssessment]) -> tuple[Attribution, str]:
    """No filler that counts is on record: typical of one, or not."""
    if any(item.ignored_because is not None for item in chart.timeline.injections):
        return Attribution.NOT_EXPLAINED, "the only fillers on record cannot count (not done, or entered in error)"
    if chart.timeline.withheld:
        return Attribution.INDETERMINATE, "parts of the record were withheld"
    other = next(
        (item for item in differential if item.category is Category.PROBABLE and item.cause != SUSPECTED), None
    )
    if other is not None:
        return Attribution.NOT_EXPLAINED, f"no filler is on record, and {other.name.lower()} is probable"
    suspected = next((item for item in differential if item.cause == SUSPECTED), None)
    if suspected is not None and suspected.category in LIKELY and _typical(suspected):
        return Attribution.INDETERMINATE, "the pattern is typical of a calcium filler, and none is on record: ask"
    return Attribution.NOT_EXPLAINED, "no filler is on record, and the pattern is not typical of one"


def _typical(suspected: CauseAssessment) -> bool:
    return all(_reply(suspected, question) is Reply.YES for question in ("form_fits", "in_filler_territory"))


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


def other_reason(chart: Chart, differential: Sequence[CauseAssessment]) -> str:
    """A recorded disease or abnormal result that is itself a likely cause of deposits, in a clause; empty without."""
    for item in differential:
        if chart.knowledge.causes[item.cause].systemic and not item.from_filler and item.category is Category.PROBABLE:
            return f"{item.name.lower()} is probable by itself"
    granuloma = next((item for item in differential if item.cause == GRANULOMA_HYPERCALCAEMIA), None)
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
