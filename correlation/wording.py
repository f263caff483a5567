"""This file writes the sentences every view shares: the conclusion, the limitations, the names of studies and products.

Checked words (contract, section 4): decision support and not a diagnosis, not for emergencies, no alert does not mean
no emergency, what was missing. Record text is not repeated in the conclusion, apart from product names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from correlation.assessment import (
    Alert,
    Attribution,
    Category,
    CauseAssessment,
    FindingAssessment,
    FindingCourse,
)
from correlation.catalogue import Knowledge
from correlation.chart import Chart
from correlation.look import X_RAY_MODALITIES
from correlation.timeline import FillerInjection, FindingKind

STATEMENT = (
    "This is decision support, not a diagnosis, for review by a licensed clinician, and not for emergencies; "
    "no alert does not mean no emergency."
)
SUSPECTED = "unrecorded_caha_suspected"
STUDY_NAMES = {
    "CT": "CT",
    "MR": "MRI",
    "US": "ultrasound",
    "PT": "PET",
    "DX": "radiograph",
    "CR": "radiograph",
    "RG": "radiograph",
    "PX": "panoramic radiograph",
    "IO": "dental radiograph",
    "MG": "mammogram",
}
ALERT_NAMES = {
    "vascular_occlusion_emergency": "possible vessel occlusion, an emergency",
    "hypercalcaemia": "high calcium",
    "hypercalcaemia_urgent": "dangerously high calcium",
    "calciphylaxis_urgent": "calciphylaxis must be considered",
    "malignancy_history_at_site": "a tumour on record at the site",
    "infection_suspected": "possible infection",
    "fop_avoid_biopsy": "avoid biopsy, FOP must be considered",
    "child_not_filler_first": "a child, look for another cause first",
    "laterality_conflict": "sides on record disagree",
    "date_conflict": "dates on record disagree",
    "product_conflict": "products on record disagree",
    "unknown_material": "a filler of unknown material",
}


def joined(words: Iterable[str]) -> str:
    """Words in a row: `a`, `a and b`, `a, b and c`; each once.

    >>> joined(["CT", "MRI", "CT", "US"])
    'CT, MRI and US'
    """
    listed = list(dict.fromkeys(words))
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else ""


def clean(text: str) -> str:
    """Text of the record on one line, without the sign that a reader could take for a measured chance."""
    return " ".join(text.replace("%", " percent").split())


def study_name(modalities: frozenset[str]) -> str:
    """The usual name of a study, such as `CT` or `PET-CT`."""
    if {"PT", "CT"} <= modalities:
        return "PET-CT"
    names = [STUDY_NAMES[item] for item in sorted(modalities) if item in STUDY_NAMES]
    return joined(names) or "imaging"


def studies_of(findings: Sequence[FindingCourse]) -> str:
    """The studies that show these findings: `CT of 2019-10-15 and MRI of 2019-11-14`."""
    mentions = sorted(
        (item for finding in findings for item in finding.seen),
        key=lambda item: (item.seen is None, item.seen.earliest.isoformat() if item.seen else ""),
    )
    return joined(f"{study_name(item.modalities)} of {item.seen or 'an unknown date'}" for item in mentions)


def injections_of(injections: Sequence[FillerInjection]) -> str:
    """Products and dates: `Radiesse injections of 2018-10-15 and 2019-01-13`."""
    products = joined(clean(item.product or item.material) for item in injections)
    dates = joined(str(item.performed or "an unknown date") for item in injections)
    reported = all(item.source_certainty != "recorded" for item in injections)
    many = "injections" if len(injections) > 1 else "injection"
    return f"{'patient-reported' if reported else 'recorded'} {products} {many} of {dates}"


def conclusion_words(
    attribution: Attribution | None,
    *,
    because: str,
    findings: Sequence[FindingAssessment],
    differential: Sequence[CauseAssessment],
    alerts: Sequence[Alert],
    missing: Sequence[str],
) -> str:
    """The conclusion for a busy clinician, in two to four sentences."""
    sentences = []
    if alerts:
        sentences.append(
            f"Act on the alerts first: {joined(ALERT_NAMES.get(item.code, item.code) for item in alerts)}."
        )
    sentences.append(_answer(attribution, because=because, findings=findings, differential=differential))
    sentences.append(_missing(missing))
    sentences.append(STATEMENT)
    return " ".join(sentences)


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return "No key fact that was looked for was missing."
    named = joined(clean(item) for item in missing[:6])
    more = f" (and {len(missing) - 6} more)" if len(missing) > 6 else ""
    return f"Missing, which is not the same as normal: {named}{more}."


def _answer(
    attribution: Attribution | None,
    *,
    because: str,
    findings: Sequence[FindingAssessment],
    differential: Sequence[CauseAssessment],
) -> str:
    if attribution is None:
        return "No imaging is in reach, so nothing can be correlated yet."
    if not findings:
        undecided = attribution is Attribution.INDETERMINATE
        return f"{'Nothing could be correlated' if undecided else 'No filler attribution applies'}: {because}."
    what = f"The {_things(findings)} described on {studies_of([item.finding for item in findings])}"
    by = injections_of(_used(findings))
    first = _first(differential)
    if attribution is Attribution.EXPLAINED:
        rest = f"this does not exclude {_alternative(differential)}{_weak_study(findings)}"
        return f"{what} are likely explained by the {by}; {rest}."
    if attribution is Attribution.PARTLY:
        return f"{what} are explained only in part by the {by}: {_rest(findings, differential)}."
    if attribution is Attribution.NOT_EXPLAINED:
        return f"{what} are not explained by a filler on record; first to consider: {first}."
    return (
        f"Whether a filler explains {what[0].lower()}{what[1:]} cannot be decided from the record; "
        f"first to consider: {first}{_ask(differential)}."
    )


def _things(findings: Sequence[FindingAssessment]) -> str:
    kinds = {item.finding.kind for item in findings}
    return "deposits" if kinds <= {FindingKind.CALCIFICATION.value, FindingKind.DEPOSIT.value} else "findings"


def _used(findings: Sequence[FindingAssessment]) -> list[FillerInjection]:
    used = {id(injection): injection for item in findings for injection in item.injections}
    return sorted(used.values(), key=lambda item: (item.performed is None, str(item.performed), item.source.reference))


def _alternative(differential: Sequence[CauseAssessment]) -> str:
    for item in differential:
        if not item.from_filler and item.category in (Category.PROBABLE, Category.POSSIBLE):
            return item.name.lower()
    return "another cause, such as calcification after inflammation or by disturbed mineral metabolism"


def _weak_study(findings: Sequence[FindingAssessment]) -> str:
    modalities = frozenset().union(*(seen.modalities for item in findings for seen in item.finding.seen))
    seen_with_x_rays = not modalities or not modalities.isdisjoint(X_RAY_MODALITIES)
    return "" if seen_with_x_rays else ", and these studies cannot prove calcium"


def _rest(findings: Sequence[FindingAssessment], differential: Sequence[CauseAssessment]) -> str:
    unexplained = [item for item in findings if item.attribution is not Attribution.EXPLAINED]
    other = next((item for item in differential if not item.from_filler and item.category is Category.PROBABLE), None)
    if unexplained:
        regions = (item.finding.site.region if item.finding.site else "an unstated site" for item in unexplained)
        places = joined(region.replace("_", " ") for region in regions)
        named = other.name.lower() if other else "another cause"
        return f"the finding at {places} is not, and {named} has to be considered"
    return f"{other.name.lower() if other else 'an abnormal result'} asks for an explanation of its own"


def _first(differential: Sequence[CauseAssessment]) -> str:
    likely = [item for item in differential if item.category in (Category.PROBABLE, Category.POSSIBLE)]
    if not likely:
        return "no cause stands out"
    return f"{likely[0].name.lower()} ({likely[0].category.value})"


def _ask(differential: Sequence[CauseAssessment]) -> str:
    likely = [item for item in differential if item.category in (Category.PROBABLE, Category.POSSIBLE)]
    return "; ask for filler history first or at the same time" if likely and likely[0].cause == SUSPECTED else ""


def limitation_words(knowledge: Knowledge, chart: Chart) -> tuple[str, ...]:
    """What this answer cannot do."""
    told = [
        "Radiologists' words and coded findings were read, never pictures.",
        "An injection that is not on record cannot be counted; absence of a record is not absence of an injection.",
        "Categories borrow WHO-UMC's words; the counts and the times of visibility are expert-set and uncalibrated.",
        f"Knowledge edition {knowledge.edition}: {knowledge.status}.",
    ]
    if any(not look.on_x_ray for look in chart.looks.values()):
        told.append("MRI and ultrasound cannot prove calcium, and MRI signal was given no weight.")
    if any(item.source_certainty != "recorded" for item in chart.counted):
        told.append("A product named by the patient is less certain than one on a procedure record.")
    if any(item.range_is_default for item in chart.timeline.labs):
        told.append("Where the laboratory gave no range, adult default ranges were used.")
    if chart.timeline.withheld:
        told.append(f"Withheld from this reader: {joined(chart.timeline.withheld)}.")
    return tuple(told)
