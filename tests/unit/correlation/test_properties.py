"""What holds for every record: order never matters, knowing less never raises, and what never explains a finding."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from correlation.anatomy import distance
from correlation.assess import read_chart
from correlation.assessment import Answer, Assessment, Attribution, Category, CauseAssessment, Reply, Strength
from correlation.category import LIKELY, ORDER, PLACE, RANK, WEIGHTS, category_of
from correlation.questions import QUESTIONS
from correlation.timeline import FillerInjection, FindingKind, PatientTimeline, Withheld, WithheldBecause
from correlation.weighing import Weighing
from fhir_mappings.bundle import parse_bundle
from fhir_mappings.timeline import kept_from_bundle, timeline_from
from fhir_mappings.withheld import withheld_types
from tests.builders import AS_OF, assessed, site, when
from tests.examples import CASE_IDS, CONSTRUCTED_IDS, SYNTHEA, case_bytes
from tests.unit.correlation.generated import KNOWLEDGE, UNSEEN, fitting_records, record_of, records
from tests.unit.correlation.test_questions import NEVER_NO, NEVER_NOT_KNOWN

EXPLAINING = {Attribution.EXPLAINED, Attribution.PARTLY}
# Clinical summary, section 1: what is calcific by itself, and what is known to calcify late (a rim in the last two).
CALCIFIC = {"caha", "ha_caha"}
CALCIFIES_LATE = {"silicone", "pmma", "paraffin", "fat", "paag", "polyalkylimide", "solid_implant"}
# Questions that ask whether something is missing from the record: with less on record they may become a yes.
ASK_FOR_ABSENCE = {"no_fitting_record", "no_other_fitting_record", "no_filler_recorded", "no_target_described"}

# Tests that stand in for each other.
FAMILIES = {"calcium_ionised": "calcium", "calcium_corrected": "calcium", "albumin": "calcium", "egfr": "creatinine"}

tried = settings(deadline=None)


def outcome(answer: Assessment) -> tuple[object, ...]:
    return (
        answer.attribution,
        [(item.cause, item.category, item.answers) for item in answer.differential],
        [(item.finding.key, item.attribution, item.because) for item in answer.findings],
        answer.alerts,
        answer.conclusion,
        answer.would_change,
        answer.separating_question,
    )


def shuffled(facts: PatientTimeline, chance: random.Random) -> PatientTimeline:
    return replace(
        facts,
        injections=tuple(chance.sample(facts.injections, len(facts.injections))),
        labs=tuple(chance.sample(facts.labs, len(facts.labs))),
        exams=tuple(chance.sample(facts.exams, len(facts.exams))),
        findings=tuple(chance.sample(facts.findings, len(facts.findings))),
        conditions=tuple(chance.sample(facts.conditions, len(facts.conditions))),
        medications=tuple(chance.sample(facts.medications, len(facts.medications))),
    )


@settings(tried, max_examples=60)
@given(facts=records(), seed=st.integers(0, 9))
def test_the_order_of_facts_never_matters(facts: PatientTimeline, seed: int) -> None:
    assert outcome(assessed(shuffled(facts, random.Random(seed)))) == outcome(assessed(facts))


@settings(tried, max_examples=100)
@given(facts=records())
def test_an_explained_finding_has_a_filler_before_it_that_counts(facts: PatientTimeline) -> None:
    for item in assessed(facts).findings:
        if item.attribution in EXPLAINING:
            assert item.injections
            assert item.finding.first_seen is not None
            for filler in item.injections:
                assert filler.ignored_because is None
                assert filler.material != "unknown"
                assert filler.performed is not None
                assert filler.performed.before(item.finding.first_seen)


@settings(tried, max_examples=60)
@given(facts=records())
def test_an_injection_after_the_finding_never_explains_it(facts: PatientTimeline) -> None:
    after = replace(facts, injections=tuple(replace(item, performed=when("2024-05")) for item in facts.injections))
    assert not EXPLAINING & {item.attribution for item in assessed(after).findings}


@settings(tried, max_examples=60)
@given(facts=records(), away=st.sampled_from(["calf both", "hand_dorsum left", "submental"]))
def test_an_injection_far_from_the_finding_never_explains_it(facts: PatientTimeline, away: str) -> None:
    there = site(away)
    moved = replace(facts, injections=tuple(replace(item, sites=(there,)) for item in facts.injections))
    for item in assessed(moved).findings:
        region = item.finding.site.region if item.finding.site else there.region
        if distance(KNOWLEDGE, there.region, region) is None:  # more than two steps, or no place for a filler
            assert item.attribution not in EXPLAINING


def only_of(facts: PatientTimeline, material: str) -> PatientTimeline:
    fillers = (replace(item, material=material, product=material) for item in facts.injections)
    return replace(facts, injections=tuple(fillers))


@settings(tried, max_examples=150)
@given(facts=records(), material=st.sampled_from(sorted(KNOWLEDGE.materials)))
def test_only_what_can_be_calcified_explains_a_calcified_finding(facts: PatientTimeline, material: str) -> None:
    for item in assessed(only_of(facts, material)).findings:
        if item.finding.kind == FindingKind.CALCIFICATION and item.attribution in EXPLAINING:
            assert material in CALCIFIC | CALCIFIES_LATE
            if material in CALCIFIES_LATE:
                assert all(has_had_the_time(filler, item.finding.seen[-1].seen) for filler in item.injections)


def has_had_the_time(filler: FillerInjection, newest: object) -> bool:
    after = KNOWLEDGE.materials[filler.material].calcifies_after_months
    assert filler.performed is not None
    assert newest is not None
    return after is None or filler.performed.months_until(newest)[1] >= after.value  # type: ignore[arg-type]


@settings(tried, max_examples=200)
@given(counts=st.tuples(*(st.integers(0, 4) for _ in ORDER)), which=st.integers(0, 2))
def test_one_more_answer_for_never_lowers_a_category(counts: tuple[int, ...], which: int) -> None:
    more = tuple(count + (place == which) for place, count in enumerate(counts))
    before, after = (category_of(item, rules=KNOWLEDGE.categories) for item in (counts, more))
    if before is not Category.UNASSESSABLE:
        assert RANK[after] <= RANK[before]


@settings(tried, max_examples=40)
@given(facts=records())
def test_an_unknown_answered_for_a_cause_never_lowers_it(facts: PatientTimeline) -> None:
    chart = read_chart(facts, KNOWLEDGE, as_of=AS_OF)
    weighing = Weighing(chart)
    for finding in chart.findings:
        for item in weighing.differential(finding):
            for question in item.cause.questions:
                for reply, strength in ((Reply.YES, question.yes), (Reply.NO, question.no)):
                    if item.reply(question.id) is Reply.NOT_KNOWN and WEIGHTS[PLACE[strength]] > 0:
                        raised = weighing.supposed(item, {question.id: reply})
                        assert item.category is Category.UNASSESSABLE or RANK[raised.category] <= RANK[item.category]


def told_less(facts: PatientTimeline) -> Iterator[PatientTimeline]:
    """The record without one fact, or with one word less in a fact."""
    for family in {FAMILIES.get(item.test, item.test) for item in facts.labs}:
        # the nearest value speaks for its test: without it an older one would, so all of them go together
        yield replace(facts, labs=tuple(item for item in facts.labs if FAMILIES.get(item.test, item.test) != family))
    for name in ("conditions", "medications", "injections"):
        for place in range(len(getattr(facts, name))):
            kept = getattr(facts, name)
            yield replace(facts, **{name: kept[:place] + kept[place + 1 :]})
    silent: dict[str, object] = {"morphology": frozenset(), "signs": frozenset(), "density": None, "change": None}
    silent |= {"on_bone": None, "size_mm": None, "count": None, "suv_max": None, "attenuation_hu": None}
    for place, mention in enumerate(facts.findings):
        for name, nothing in silent.items():
            if getattr(mention, name):
                changed = replace(mention, **{name: nothing})  # type: ignore[arg-type]
                yield replace(facts, findings=(*facts.findings[:place], changed, *facts.findings[place + 1 :]))
    for place, injection in enumerate(facts.injections):
        for undated in (replace(injection, performed=None), replace(injection, sites=())):
            yield replace(facts, injections=(*facts.injections[:place], undated, *facts.injections[place + 1 :]))
    yield replace(facts, age_years=None)


def contrary_removed(before: Answer, after: Answer) -> bool:
    """Whether a reply that was known weighs more for the cause than it did."""
    weights = (WEIGHTS[PLACE[before.strength]], WEIGHTS[PLACE[after.strength]])
    return before.reply is not Reply.NOT_KNOWN and weights[1] > weights[0]


@settings(tried, max_examples=25)
@given(facts=records())
def test_knowing_less_never_raises_unless_contrary_evidence_goes(facts: PatientTimeline) -> None:
    before = by_finding(assessed(facts))
    for less in told_less(facts):
        for key, item in by_finding(assessed(less)).items():
            known = before.get(key, item)
            assessable = Category.UNASSESSABLE not in (known.category, item.category)
            if assessable and RANK[item.category] < RANK[known.category]:
                pairs = zip(known.answers, item.answers, strict=True)
                assert any(contrary_removed(*pair) or asks_for_absence(pair[1]) for pair in pairs), (key, less)


def by_finding(answer: Assessment) -> dict[tuple[str, str], CauseAssessment]:
    return {(item.finding.key, one.cause): one for item in answer.findings for one in item.differential}


def asks_for_absence(answer: Answer) -> bool:
    return answer.question in ASK_FOR_ABSENCE and answer.reply is Reply.YES


@settings(tried, max_examples=60)
@given(facts=records())
def test_what_is_not_known_never_weighs(facts: PatientTimeline) -> None:
    for item in assessed(facts).differential:
        for answer in item.answers:
            assert answer.reply is not Reply.NOT_KNOWN or answer.strength is Strength.NONE


@settings(tried, max_examples=60)
@given(facts=records())
def test_a_dangerous_calcium_alerts_whatever_else_is_on_record(facts: PatientTimeline) -> None:
    def raised(record: PatientTimeline) -> set[str]:
        return {item.code for item in assessed(record).alerts if item.code.startswith("hypercalcaemia")}

    assert raised(facts) == raised(replace(facts, injections=(), findings=(), exams=()))


def withholdings() -> st.SearchStrategy[tuple[Withheld, ...]]:
    """Some classes of data that could not be seen, or not wholly."""
    return st.sets(st.sampled_from(UNSEEN), max_size=4).map(lambda items: tuple(sorted(items)))


def categories(answer: Assessment) -> dict[tuple[str, str], Category]:
    over_all = {("", one.cause): one.category for one in answer.differential}
    return over_all | {key: item.category for key, item in by_finding(answer).items()}


@settings(tried, max_examples=100)
@given(facts=records(), some=withholdings(), more=withholdings())
def test_withholding_more_never_raises_a_category(
    facts: PatientTimeline, some: tuple[Withheld, ...], more: tuple[Withheld, ...]
) -> None:
    less_seen = tuple(sorted({*some, *more}))
    before = categories(assessed(replace(facts, withheld=some)))
    for key, category in categories(assessed(replace(facts, withheld=less_seen))).items():
        if category in LIKELY:
            assert RANK[category] >= RANK[before[key]], key
            assert not less_seen or category is Category.POSSIBLE, key


@settings(tried, max_examples=100)
@given(facts=st.one_of(records(), fitting_records()), some=withholdings())
def test_withholding_turns_an_attribution_into_no_other_than_indeterminate(
    facts: PatientTimeline, some: tuple[Withheld, ...]
) -> None:
    seen, hidden = (assessed(replace(facts, withheld=withheld)) for withheld in ((), some))
    pairs = [(seen.attribution, hidden.attribution)]
    pairs += [(a.attribution, b.attribution) for a, b in zip(seen.findings, hidden.findings, strict=True)]
    for before, after in pairs:
        assert after is before or (after is Attribution.INDETERMINATE and before is not None and some)
        assert not some or after not in EXPLAINING
    assert hidden.alerts == seen.alerts
    became = {change.becomes for change in hidden.would_change if not change.questions}
    assert became == ({seen.attribution} if seen.attribution is not hidden.attribution else set())


@settings(tried, max_examples=100)
@given(
    facts=fitting_records(),
    told_in=st.sampled_from(["Procedure", "MedicationStatement", "Condition", "Observation"]),
)
def test_hiding_the_filler_that_explains_is_never_answered_with_not_explained(
    facts: PatientTimeline, told_in: str
) -> None:
    """Wherever the record tells of the filler: as a procedure, as a medicine, in the problem list, in a history."""
    seen = assessed(replace(facts, withheld=()))
    withheld = withheld_types([told_in], because=WithheldBecause.NOT_PERMITTED)
    hidden = assessed(replace(facts, injections=(), withheld=withheld))
    for before, after in zip(seen.findings, hidden.findings, strict=True):
        if before.attribution in EXPLAINING:
            assert after.attribution is Attribution.INDETERMINATE
    recorded = [one for item in hidden.differential for one in item.answers if one.question == "filler_recorded"]
    assert {one.reply for one in recorded} == {Reply.NOT_KNOWN}


def test_the_generator_shows_every_question_with_every_reply() -> None:
    seen = replies_in(assessed(record_of(number)) for number in range(450))
    assert missing_from(seen) == {}


def test_the_cases_show_every_question_with_every_reply() -> None:
    bundles = [case_bytes(case) for case in (*CASE_IDS, *CONSTRUCTED_IDS)]
    bundles += [file.read_bytes() for file in SYNTHEA.glob("*.json")]  # imaging without reports
    seen = replies_in(assessed(facts_of(bundle)) for bundle in bundles)
    assert missing_from(seen) == {}


def replies_in(answers: Iterable[Assessment]) -> dict[str, set[Reply]]:
    seen: dict[str, set[Reply]] = defaultdict(set)
    for answer in answers:
        for differential in (answer.differential, *(item.differential for item in answer.findings)):
            for cause in differential:
                for said in cause.answers:
                    seen[said.question].add(said.reply)
    return seen


def missing_from(seen: dict[str, set[Reply]]) -> dict[str, set[Reply]]:
    """The replies that a question can have and that were not seen."""
    missing = {}
    for question in QUESTIONS:
        never = {Reply.NO} if question in NEVER_NO else {Reply.NOT_KNOWN} if question in NEVER_NOT_KNOWN else set()
        missing[question] = set(Reply) - never - seen[question]
    return {question: replies for question, replies in missing.items() if replies}


def facts_of(bundle: bytes) -> PatientTimeline:
    kept = kept_from_bundle(parse_bundle(bundle))
    return timeline_from(kept, as_of=AS_OF, knowledge=KNOWLEDGE).timeline
