"""This file writes the conclusion and the limitations, which every view shares, in the language of the knowledge.

Checked words (contract, section 4): decision support and not a diagnosis, not for emergencies, no alert does not mean
no emergency, what was missing. Record text is not repeated in the conclusion, apart from product names.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from correlation.words import Words

SUSPECTED = "unrecorded_caha_suspected"
STATEMENT = "sheet.statement"  # the sentence that says what this is and what it is not
MOST_MISSING = 6  # a conclusion names so many and counts the rest


def studies_of(findings: Sequence[FindingCourse], words: Words) -> str:
    """The studies that show these findings: `CT of 2019-10-15 and MRI of 2019-11-14`."""
    mentions = sorted(
        (item for finding in findings for item in finding.seen),
        key=lambda item: (item.seen is None, item.seen.earliest.isoformat() if item.seen else ""),
    )
    return words.joined(
        words.say("imaging.study_of", study=words.modalities(item.modalities), day=words.day(item.seen))
        for item in mentions
    )


def injections_of(injections: Sequence[FillerInjection], words: Words) -> str:
    """Products and dates: `recorded Radiesse injections of 2018-10-15 and 2019-01-13`."""
    products = words.joined(words.clean(item.product or words.material(item.material)) for item in injections)
    days = words.joined(words.day(item.performed) for item in injections)
    source = "reported" if all(item.source_certainty != "recorded" for item in injections) else "recorded"
    number = "many" if len(injections) > 1 else "one"
    return words.say(f"injections.{source}_{number}", products=products, days=days)


def conclusion_words(
    attribution: Attribution | None,
    *,
    because: str,
    findings: Sequence[FindingAssessment],
    differential: Sequence[CauseAssessment],
    alerts: Sequence[Alert],
    missing: Sequence[str],
    knowledge: Knowledge,
) -> str:
    """The conclusion for a busy clinician, in two to four sentences."""
    words = knowledge.words
    sentences = []
    if alerts:
        named = words.joined(words.term(f"alert_{item.code}") for item in alerts)
        sentences.append(words.say("conclusion.alerts", alerts=named))
    answer = _answer(attribution, because=because, findings=findings, differential=differential, words=words)
    sentences.append(answer[:1].upper() + answer[1:])
    sentences.append(_missing(missing, words))
    sentences.append(words.say(STATEMENT))
    return " ".join(sentences)


def _missing(missing: Sequence[str], words: Words) -> str:
    if not missing:
        return words.say("conclusion.nothing_missing")
    named = words.joined(words.clean(item) for item in missing[:MOST_MISSING])
    more = len(missing) - MOST_MISSING
    if more > 0:
        return words.say("conclusion.missing_more", missing=named, more=more)
    return words.say("conclusion.missing", missing=named)


def _answer(
    attribution: Attribution | None,
    *,
    because: str,
    findings: Sequence[FindingAssessment],
    differential: Sequence[CauseAssessment],
    words: Words,
) -> str:
    if attribution is None:
        return words.say("conclusion.no_imaging")
    if not findings:
        undecided = attribution is Attribution.INDETERMINATE
        return words.say("conclusion.nothing_correlated" if undecided else "conclusion.not_applicable", because=because)
    what = _things(findings, words)
    by = injections_of(_used(findings), words)
    if attribution is Attribution.EXPLAINED:
        sentence = "conclusion.explained" if _shows_calcium(findings) else "conclusion.explained_without_calcium"
        return words.say(sentence, what=what, injections=by, alternative=_alternative(differential, words))
    if attribution is Attribution.PARTLY:
        return words.say("conclusion.partly", what=what, injections=by, rest=_rest(findings, differential, words))
    first = _first(differential, words)
    if attribution is Attribution.NOT_EXPLAINED:
        return words.say("conclusion.not_explained", what=what, first=first)
    fitting = [item for item in findings if item.injections and item.attribution is Attribution.INDETERMINATE]
    if fitting:
        what = _things(fitting, words)
        return words.say("conclusion.would_fit", what=what, injections=by, first=first)
    asks = "conclusion.indeterminate_ask" if _suspects_filler(differential) else "conclusion.indeterminate"
    return words.say(asks, what=what, first=first)


def _things(findings: Sequence[FindingAssessment], words: Words) -> str:
    kinds = {item.finding.kind for item in findings}
    deposits = kinds <= {FindingKind.CALCIFICATION.value, FindingKind.DEPOSIT.value}
    studies = studies_of([item.finding for item in findings], words)
    return words.say("conclusion.deposits" if deposits else "conclusion.findings", studies=studies)


def _used(findings: Sequence[FindingAssessment]) -> list[FillerInjection]:
    used = {id(injection): injection for item in findings for injection in item.injections}
    return sorted(used.values(), key=lambda item: (item.performed is None, str(item.performed), item.source.reference))


def _likely(differential: Sequence[CauseAssessment]) -> list[CauseAssessment]:
    return [item for item in differential if item.category in (Category.PROBABLE, Category.POSSIBLE)]


def _alternative(differential: Sequence[CauseAssessment], words: Words) -> str:
    other = next((item for item in _likely(differential) if not item.from_filler), None)
    return words.inside(other.name) if other else words.say("conclusion.another_cause_such_as")


def _shows_calcium(findings: Sequence[FindingAssessment]) -> bool:
    modalities = frozenset().union(*(seen.modalities for item in findings for seen in item.finding.seen))
    return not modalities or not modalities.isdisjoint(X_RAY_MODALITIES)


def _rest(findings: Sequence[FindingAssessment], differential: Sequence[CauseAssessment], words: Words) -> str:
    unexplained = [item for item in findings if item.attribution is not Attribution.EXPLAINED]
    other = next((item for item in differential if not item.from_filler and item.category is Category.PROBABLE), None)
    if not unexplained:
        named = words.inside(other.name) if other else words.say("conclusion.abnormal_result")
        return words.say("conclusion.rest_patient", cause=named)
    sites = (item.finding.site for item in unexplained)
    places = words.joined(words.region(site.region) if site else words.site(None) for site in sites)
    named = words.inside(other.name) if other else words.say("conclusion.another_cause")
    return words.say("conclusion.rest_finding", places=places, cause=named)


def _first(differential: Sequence[CauseAssessment], words: Words) -> str:
    likely = _likely(differential)
    if not likely:
        return words.say("conclusion.no_cause")
    first = likely[0]
    return words.say("conclusion.first", cause=words.inside(first.name), category=words.term(first.category.value))


def _suspects_filler(differential: Sequence[CauseAssessment]) -> bool:
    likely = _likely(differential)
    return bool(likely) and likely[0].cause == SUSPECTED


def limitation_words(knowledge: Knowledge, chart: Chart) -> tuple[str, ...]:
    """What this answer cannot do."""
    words = knowledge.words
    told = [
        words.say("limit.words_only"),
        words.say("limit.record_only"),
        words.say("limit.uncalibrated"),
        words.say("limit.edition", edition=knowledge.edition, status=knowledge.status),
    ]
    if words.unchecked:
        told.append(words.unchecked)
    if any(not look.on_x_ray for look in chart.looks.values()):
        told.append(words.say("limit.no_x_ray"))
    if any(item.source_certainty != "recorded" for item in chart.counted):
        told.append(words.say("limit.patient_reported"))
    if any(item.range_is_default for item in chart.timeline.labs):
        told.append(words.say("limit.default_ranges"))
    if chart.timeline.withheld:
        told.append(words.say("limit.withheld", withheld="; ".join(words.withheld(chart.timeline.withheld))))
    return tuple(told)
