"""What could not be seen: which replies it leaves open, how far it lowers a conclusion, and how that is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from correlation.assessment import Assessment, Attribution, Category, Reply, Strength
from correlation.knowledge_base import load_knowledge
from correlation.timeline import DataClass, PatientTimeline, Withheld, WithheldBecause
from correlation.worksheet_text import worksheet_text
from tests.builders import (
    assessed,
    cause,
    condition,
    exam,
    finding,
    injection,
    lab,
    labs,
    medication,
    timeline,
    unseen,
)
from tests.unit.correlation.test_questions import NO, PLAIN, TABLE, UNKNOWN, YES, filled, late, level

KNOWLEDGE = load_knowledge()
FILLERS = {"filler-history", "medicines", "conditions", "observations"}
CONDITIONS = {"conditions", "filler-history"}
FINDINGS = {"imaging", "observations"}
EXPLAINED = timeline(injections=[injection(), injection(on="2019-01-13")], findings=[finding()], labs=labs())
NEGATIVE = {test: lab(test, None, qualitative="negative") for test in ("anticentromere", "pm_scl", "scl70", "ana")}
ELSEWHERE = timeline(findings=[finding()], conditions=[condition("malignancy", at="breast left")])

# A reply as far as was seen, and the classes that may hold what would turn it. None: it does not rest on absence.
REPLIES: list[tuple[str, str, PatientTimeline, Reply, set[str]]] = [
    ("filler_recorded", "filler_caha", PLAIN, NO, FILLERS),
    ("filler_recorded", "filler_caha", filled(ignored="not done"), NO, FILLERS),
    ("filler_recorded", "filler_caha", filled(), YES, set()),
    ("no_filler_recorded", "idiopathic_calcinosis", PLAIN, YES, FILLERS),
    ("no_filler_recorded", "idiopathic_calcinosis", filled(), NO, set()),
    ("no_fitting_record", "unrecorded_caha_suspected", PLAIN, YES, FILLERS),
    ("no_fitting_record", "unrecorded_caha_suspected", filled(on="2020"), YES, FILLERS),
    ("no_fitting_record", "unrecorded_caha_suspected", filled(on="2005"), YES, FILLERS),
    ("no_fitting_record", "unrecorded_caha_suspected", filled(), NO, set()),
    ("no_other_fitting_record", "unrecorded_caha_suspected", PLAIN, YES, FILLERS),
    ("unknown_filler_recorded", "filler_granuloma_calcified", filled(), NO, FILLERS),
    ("injected_before_finding", "filler_caha", filled(on="2020"), NO, FILLERS),
    ("injected_before_finding", "filler_caha", filled(), YES, set()),
    ("site_in_reach", "filler_caha", filled(sites=("hand_dorsum both",)), NO, FILLERS),
    ("side_matches", "filler_caha", filled(sites=("malar left",)), NO, FILLERS),
    ("still_expected", "filler_caha", filled(on="2005"), NO, FILLERS),
    ("bulky_when_late", "filler_caha", late(size_mm="14"), YES, FILLERS),
    ("bulky_when_late", "filler_caha", filled(), NO, set()),
    ("material_fits_appearance", "filler_nonradiopaque", filled(material="ha"), NO, FILLERS),  # silicone may calcify
    (
        "material_fits_appearance",
        "filler_caha",
        timeline(injections=[injection()], findings=[finding(kind="metal", density="metallic")]),
        NO,
        set(),  # no calcium filler is metal, whenever it was put in
    ),
    ("treated_tumour_at_site", "malignancy", ELSEWHERE, NO, CONDITIONS),
    ("kidney_failure", "metastatic_ckd", level("creatinine", "66"), NO, CONDITIONS),
    ("kidney_failure", "metastatic_ckd", level("egfr", "12"), YES, set()),
    (
        "antibody_positive",
        "ssc_crest",
        timeline(findings=[finding()], labs=[NEGATIVE["scl70"]]),
        NO,
        {"observations"},
    ),
    (
        "antibody_positive",
        "ssc_crest",
        timeline(findings=[finding()], labs=[NEGATIVE["scl70"], NEGATIVE["pm_scl"], NEGATIVE["anticentromere"]]),
        NO,
        set(),
    ),
    ("further_antibody_positive", "lupus_overlap", timeline(findings=[finding()], labs=[NEGATIVE["ana"]]), NO, set()),
    ("no_target_described", "no_target_finding", timeline(), YES, FINDINGS),
    ("no_target_described", "no_target_finding", PLAIN, NO, set()),
    ("calcium_high", "phpt", level("calcium", "2.3"), NO, set()),
]


def hiding(facts: PatientTimeline, *withheld: Withheld) -> PatientTimeline:
    return replace(facts, withheld=tuple(sorted(withheld)))


@pytest.mark.parametrize("data", sorted(DataClass))
@pytest.mark.parametrize(
    ("question", "asker", "facts", "reply", "turned_by"),
    REPLIES,
    ids=[f"{row[0]}-{n}" for n, row in enumerate(REPLIES)],
)
def test_a_reply_from_absence_is_open_only_where_its_class_is_withheld(
    question: str, asker: str, facts: PatientTimeline, reply: Reply, turned_by: set[str], data: str
) -> None:
    def answer(record: PatientTimeline) -> tuple[Reply, Strength, str]:
        (found,) = (one for one in cause(assessed(record), asker).answers if one.question == question)
        return found.reply, found.strength, found.because

    seen, hidden = answer(facts), answer(hiding(facts, unseen(data, "not-fetched")))
    assert seen[0] is reply
    if data not in turned_by:
        assert hidden == seen
    else:
        assert hidden[:2] == (UNKNOWN, Strength.NONE)
        assert hidden[2] == f"{seen[2]}; but not all could be seen: {said_of(data)} (could not be fetched)"


def said_of(data: str) -> str:
    return KNOWLEDGE.words.term(f"data_{data}")


def test_no_other_reply_rests_on_absence() -> None:
    """Every row of the table of replies, with everything withheld: only the replies listed above are left open."""
    everything = tuple(unseen(data) for data in DataClass)
    listed = {(row[0], row[3]) for row in REPLIES if row[4]}
    for question, asker, facts, reply in TABLE:
        (hidden,) = (
            one for one in cause(assessed(hiding(facts, *everything)), asker).answers if one.question == question
        )
        assert hidden.reply is reply or (hidden.reply is UNKNOWN and (question, reply) in listed), question


@pytest.mark.parametrize("data", sorted(DataClass))
@pytest.mark.parametrize("because", sorted(WithheldBecause))
def test_no_cause_is_more_than_possible_while_anything_is_withheld(data: str, because: str) -> None:
    assert cause(assessed(EXPLAINED), "filler_caha").category is Category.PROBABLE
    answer = assessed(hiding(EXPLAINED, unseen(data, because)))
    assert cause(answer, "filler_caha").category is Category.POSSIBLE
    (found,) = answer.findings
    assert found.differential[0].category is Category.POSSIBLE
    assert "probable" not in {
        change.becomes for one in (*answer.differential, *found.differential) for change in one.would_change
    }


def category(facts: PatientTimeline, name: str) -> Category:
    return cause(assessed(facts), name).category


def test_what_only_absence_spoke_against_cannot_be_assessed() -> None:
    assert category(PLAIN, "filler_caha") is Category.UNLIKELY
    assert category(hiding(PLAIN, unseen("filler-history")), "filler_caha") is Category.UNASSESSABLE
    assert category(hiding(PLAIN, unseen("imaging")), "filler_caha") is Category.UNLIKELY


def test_what_more_than_absence_speaks_against_stays_unlikely() -> None:
    on_bone = timeline(findings=[finding(tissue="muscle", on_bone=True)], withheld=(unseen("filler-history"),))
    assert category(on_bone, "filler_caha") is Category.UNLIKELY


def test_a_cause_on_record_stays_possible_though_a_weak_reply_against_it_is_open() -> None:
    """One negative antibody of several is no longer an answer; the disease that is on record is."""
    scleroderma = timeline(
        findings=[finding(at="finger_pulp both", tissue=None, morphology=("nodular",))],
        conditions=[condition("systemic_sclerosis")],
        labs=[NEGATIVE["scl70"]],
    )
    assert category(scleroderma, "ssc_crest") in (Category.PROBABLE, Category.POSSIBLE)
    assert category(hiding(scleroderma, unseen("observations", "limited")), "ssc_crest") is Category.POSSIBLE


ATTRIBUTIONS: list[tuple[PatientTimeline, Attribution, set[str]]] = [
    (EXPLAINED, Attribution.EXPLAINED, set(DataClass)),
    (filled(sites=("malar left",)), Attribution.PARTLY, set(DataClass)),
    (filled(on="2020"), Attribution.NOT_EXPLAINED, FILLERS),
    (timeline(findings=[finding(at="finger_pulp both")]), Attribution.NOT_EXPLAINED, FILLERS),
    (timeline(exams=[exam()]), Attribution.NOT_APPLICABLE, FINDINGS),
    (filled(on=None), Attribution.INDETERMINATE, set()),
    (timeline(exams=[exam(reported=False)]), Attribution.INDETERMINATE, set()),
]


@pytest.mark.parametrize("data", sorted(DataClass))
@pytest.mark.parametrize(("facts", "as_seen", "turned_by"), ATTRIBUTIONS)
def test_an_attribution_stays_only_where_nothing_withheld_may_turn_it(
    facts: PatientTimeline, as_seen: Attribution, turned_by: set[str], data: str
) -> None:
    assert assessed(facts).attribution is as_seen
    answer = assessed(hiding(facts, unseen(data, "limited")))
    assert answer.attribution is (Attribution.INDETERMINATE if data in turned_by else as_seen)
    named = f"but not all could be seen: {said_of(data)} (only a part may be seen with this access)"
    assert answer.because.endswith(named)
    for found in answer.findings:
        assert found.attribution is answer.attribution
        assert found.because.endswith(named) == (found.attribution is Attribution.INDETERMINATE)


def test_a_reader_still_sees_what_would_be_explained() -> None:
    answer = assessed(hiding(EXPLAINED, unseen("conditions", "confidential")))
    assert answer.conclusion.startswith(
        "The recorded Radiesse injections of 2018-10-15 and 2019-01-13 would fit the deposits described on CT of "
        "2019-10-15, but not all of the record could be seen, so it cannot be decided; "
    )
    (found,) = answer.findings
    assert [item.product for item in found.injections] == ["Radiesse", "Radiesse"]
    assert found.because.startswith("a recorded filler fits: injected Radiesse on 2018-10-15")


def test_one_finding_that_would_fit_is_told_apart_from_one_that_does_not() -> None:
    two = replace(EXPLAINED, findings=(finding(), finding(at="finger_pulp both", on="2021-02-03")))
    answer = assessed(hiding(two, unseen("person")))
    assert {found.finding.site.region: found.attribution for found in answer.findings if found.finding.site} == {
        "malar": Attribution.INDETERMINATE,
        "finger_pulp": Attribution.NOT_EXPLAINED,
    }
    assert "would fit the deposits described on CT of 2019-10-15, but" in answer.conclusion


def test_without_any_imaging_there_is_no_report_and_withheld_imaging_is_named() -> None:
    answer = assessed(timeline(injections=[injection()], exams=(), withheld=(unseen("imaging"),)))
    assert answer.attribution is None
    named = "imaging studies and reports (this access does not permit it)"
    assert named in answer.because
    assert named in answer.conclusion
    assert answer.missing[:2] == (named, "imaging with its report")


def test_what_was_withheld_is_named_first_each_class_once_and_each_reason_once() -> None:
    withheld = (
        *(unseen("medicines", "masked"), unseen("medicines", "not-fetched")),
        *(unseen("imaging", "limited"), unseen("person", "limited")),
    )
    answer = assessed(hiding(PLAIN, *withheld))
    assert answer.missing[:3] == (
        "imaging studies and reports, sex and age (only a part may be seen with this access)",
        "medicines (sent with parts taken out; could not be fetched)",
        "calcium (total or ionised)",
    )


def test_the_conclusion_names_all_classes_however_much_else_is_missing() -> None:
    reasons = (*WithheldBecause, "masked")  # as many different ones as there are
    withheld = [unseen(data, because) for data, because in zip(DataClass, reasons, strict=True)]
    answer = assessed(hiding(PLAIN, *withheld))
    assert all(said_of(data) in answer.conclusion for data in DataClass)
    assert all(KNOWLEDGE.words.term(f"unseen_{because}") in answer.conclusion for because in WithheldBecause)


def test_alerts_stand_as_they_are() -> None:
    ill = timeline(findings=[finding()], labs=labs(calcium="3.6"), conditions=[condition("calciphylaxis")])
    alerts = assessed(ill).alerts
    assert {alert.code for alert in alerts} >= {"hypercalcaemia_urgent", "calciphylaxis_urgent"}
    assert assessed(hiding(ill, *(unseen(data) for data in DataClass))).alerts == alerts


def changes(answer: Assessment) -> list[tuple[tuple[str, ...], str, str]]:
    return [(change.questions, change.becomes, change.says) for change in answer.would_change]


def test_seeing_what_is_withheld_is_what_would_change_the_answer() -> None:
    says = "With nothing contrary in what could not be seen, the attribution would be {} (now indeterminate)."
    hidden = unseen("imaging")
    assert changes(assessed(hiding(EXPLAINED, hidden)))[0] == ((), "explained", says.format("explained"))
    nothing_found = assessed(hiding(timeline(exams=[exam()]), hidden))
    assert changes(nothing_found) == [((), "not-applicable", says.format("not-applicable"))]


def test_what_would_change_counts_a_disease_that_is_probable_by_itself_as_it_was_seen() -> None:
    ill = replace(EXPLAINED, labs=labs(calcium="2.9", pth="12"))
    assert assessed(ill).attribution is Attribution.PARTLY
    assert assessed(hiding(ill, unseen("medicines"))).would_change[0].becomes == "partly"


def test_nothing_else_would_change_an_answer_that_hangs_on_what_is_withheld() -> None:
    answer = assessed(hiding(PLAIN, unseen("filler-history")))
    assert answer.would_change == ()
    assert "only what could not be seen: no single missing fact beside it" in worksheet_text(answer, KNOWLEDGE)


def test_the_worksheet_says_near_its_top_what_could_not_be_seen() -> None:
    answer = assessed(hiding(PLAIN, unseen("filler-history", "masked")))
    head, _, rest = worksheet_text(answer, KNOWLEDGE).partition("\nAlerts\n")
    assert "\nNOT SEEN: procedures and filler products (sent with parts taken out).\n" in head
    assert "no cause is called more than" in rest.partition("\nLimitations\n")[2]
    assert "NOT SEEN" not in worksheet_text(assessed(PLAIN), KNOWLEDGE)


def test_what_is_said_of_the_withheld_holds_nothing_of_the_record() -> None:
    """Whatever the record holds, the words for what is withheld are those of class and reason."""
    told = hiding(EXPLAINED, *(unseen(data) for data in DataClass))
    other = replace(told, medications=(medication("warfarin"),), conditions=(condition("malignancy"),))
    first, second = assessed(told), assessed(other)
    assert first.missing[0] == second.missing[0]
    assert first.limitations[-1] == second.limitations[-1]
