"""What holds for every record: order never matters, more evidence for never lowers, and what is never explained."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from correlation.assessment import Assessment, Attribution, Category, Reply, Strength
from correlation.category import ORDER, RANK, category_of
from correlation.knowledge_base import load_knowledge
from correlation.timeline import Certainty, FillerInjection, ImagingFinding, LabResult, PatientTimeline
from tests.builders import assessed, condition, finding, injection, lab, medication, timeline

KNOWLEDGE = load_knowledge()
DATES = st.sampled_from(["2017", "2018-05", "2018-10-15", "2019", "2019-10-15", "2020-02-01", None])
SITES = st.sampled_from(
    ["malar both", "malar left", "buccal right", "face", "temporal both", "hand_dorsum both", "chin", "parotid left"]
)
MATERIALS = st.sampled_from(["caha", "ha", "silicone", "fat", "unknown", "pmma"])


@st.composite
def fillers(draw: st.DrawFn) -> FillerInjection:
    sites = draw(st.lists(SITES, max_size=2, unique=True))
    ignored = draw(st.sampled_from([None, None, None, "not done"]))
    return injection(on=draw(DATES), material=draw(MATERIALS), sites=sites, ignored=ignored)


@st.composite
def mentions(draw: st.DrawFn) -> ImagingFinding:
    return finding(
        on=draw(DATES),
        kind=draw(st.sampled_from(["calcification", "deposit", "mass", "cyst", "uptake", "calculus"])),
        at=draw(st.one_of(st.none(), SITES)),
        tissue=draw(st.sampled_from([None, "subcutaneous_fat", "dermis", "vessel"])),
        morphology=draw(
            st.lists(st.sampled_from(["plaque", "punctate", "rim", "nodular", "tram_track"]), max_size=2, unique=True)
        ),
        density=draw(st.sampled_from([None, "calcific", "high", "fat", "soft_tissue"])),
        modality=draw(st.sampled_from(["CT", "MR", "US"])),
        certainty=draw(st.sampled_from([Certainty.STATED, Certainty.STATED, Certainty.HISTORY, Certainty.NEGATED])),
        change=draw(st.sampled_from([None, None, "decreased", "increased"])),
    )


@st.composite
def results(draw: st.DrawFn) -> LabResult:
    test = draw(st.sampled_from(["calcium", "phosphate", "pth", "creatinine", "vitamin_d_25"]))
    return lab(
        test,
        draw(st.sampled_from(["0.3", "2.3", "2.9", "400"])),
        on=draw(st.sampled_from(["2019-10-01", "2018", None])),
    )


@st.composite
def records(draw: st.DrawFn) -> PatientTimeline:
    return timeline(
        injections=draw(st.lists(fillers(), max_size=3)),
        findings=draw(st.lists(mentions(), max_size=4)),
        labs=draw(st.lists(results(), max_size=4)),
        conditions=[
            condition(name) for name in draw(st.lists(st.sampled_from(["esrd", "acne", "raynaud"]), max_size=2))
        ],
        medications=[medication("warfarin")] if draw(st.booleans()) else [],
        age=draw(st.sampled_from([None, (12, 12), (48, 49)])),
    )


def outcome(answer: Assessment) -> tuple[object, ...]:
    return (
        answer.attribution,
        [(item.cause, item.category, item.answers) for item in answer.differential],
        [(item.finding.key, item.attribution, item.because) for item in answer.findings],
        answer.alerts,
        answer.conclusion,
        answer.would_change,
    )


def shuffled(facts: PatientTimeline, seed: int) -> PatientTimeline:
    chance = random.Random(seed)
    return replace(
        facts,
        injections=tuple(chance.sample(facts.injections, len(facts.injections))),
        labs=tuple(chance.sample(facts.labs, len(facts.labs))),
        findings=tuple(chance.sample(facts.findings, len(facts.findings))),
        conditions=tuple(chance.sample(facts.conditions, len(facts.conditions))),
    )


@settings(max_examples=60, deadline=None)
@given(facts=records(), seed=st.integers(0, 9))
def test_the_order_of_facts_never_matters(facts: PatientTimeline, seed: int) -> None:
    assert outcome(assessed(shuffled(facts, seed))) == outcome(assessed(facts))


@settings(max_examples=60, deadline=None)
@given(facts=records())
def test_an_explained_finding_has_a_filler_before_it_that_counts(facts: PatientTimeline) -> None:
    for item in assessed(facts).findings:
        if item.attribution is Attribution.EXPLAINED:
            assert item.injections
            assert all(filler.ignored_because is None and filler.material != "unknown" for filler in item.injections)
            assert item.finding.first_seen is not None
            assert all(
                filler.performed is not None and filler.performed.before(item.finding.first_seen)
                for filler in item.injections
            )
            if item.finding.kind == "calcification":
                assert all(filler.material != "ha" for filler in item.injections)


@settings(max_examples=200, deadline=None)
@given(counts=st.tuples(*(st.integers(0, 4) for _ in ORDER)), which=st.integers(0, 2))
def test_one_more_answer_for_never_lowers_a_category(counts: tuple[int, ...], which: int) -> None:
    more = tuple(count + (place == which) for place, count in enumerate(counts))
    before, after = (category_of(item, rules=KNOWLEDGE.categories) for item in (counts, more))
    if before is not Category.UNASSESSABLE:
        assert RANK[after] <= RANK[before]


def test_not_known_never_weighs() -> None:
    for item in assessed(timeline(findings=[finding()])).differential:
        for answer in item.answers:
            assert (answer.reply is not Reply.NOT_KNOWN) or answer.strength is Strength.NONE
