"""The next thing to find out: the unknown question that separates the two best causes most."""

from __future__ import annotations

from dataclasses import replace

from correlation.assess import assess
from correlation.assessment import Category, Reply, SeparatingQuestion
from correlation.category import PLACE, WEIGHTS
from correlation.knowledge_base import load_knowledge
from correlation.timeline import PatientTimeline
from tests.builders import AS_OF, assessed, cause, condition, finding, injection, lab, labs, timeline

# A calcium filler that fits, and kidney failure with a raised product: two hypotheses side by side.
TWO_CAUSES = timeline(
    injections=[injection()], findings=[finding()], labs=labs(phosphate="2.4"), conditions=[condition("dialysis")]
)


def separating(facts: PatientTimeline) -> SeparatingQuestion:
    found = assessed(facts).separating_question
    assert found is not None
    return found


def test_it_names_the_two_best_causes_and_a_question_one_of_them_has_no_answer_to() -> None:
    answer, found = assessed(TWO_CAUSES), separating(TWO_CAUSES)
    likely = [item.cause for item in answer.differential if item.category in (Category.PROBABLE, Category.POSSIBLE)]
    assert [found.first_cause, found.second_cause] == likely[:2]
    asked = {item.question: item for item in cause(answer, found.cause).answers}
    assert asked[found.question].reply is Reply.NOT_KNOWN
    assert found.ask == asked[found.question].ask
    assert {found.favours_first, found.favours_second} == {Reply.YES, Reply.NO}


def test_no_other_unknown_question_of_the_two_moves_them_farther_apart() -> None:
    answer, found = assessed(TWO_CAUSES), separating(TWO_CAUSES)
    swings = {}
    for name in (found.first_cause, found.second_cause):
        questions = {item.id: item for item in load_knowledge().causes[name].questions}
        for item in cause(answer, name).answers:
            if item.reply is Reply.NOT_KNOWN:
                question = questions[item.question]
                swings[name, item.question] = WEIGHTS[PLACE[question.yes]] - WEIGHTS[PLACE[question.no]]
    assert abs(swings[found.cause, found.question]) == max(map(abs, swings.values()))


def test_it_says_what_each_reply_speaks_for_and_that_nothing_urgent_waits() -> None:
    found = separating(TWO_CAUSES)
    assert found.ask in found.says
    for word in ("calcium", "phosphate", "creatinine", "parathyroid hormone", "alert", "never wait"):
        assert word in found.says.lower()


def test_a_reply_that_is_found_out_is_not_asked_again() -> None:
    smaller = timeline(
        injections=TWO_CAUSES.injections,
        findings=[finding(), finding(on="2020-03-01", change="decreased")],
        labs=TWO_CAUSES.labs,
        conditions=TWO_CAUSES.conditions,
    )
    assert separating(TWO_CAUSES).question == "shrinks_on_follow_up"
    found = assessed(smaller).separating_question
    assert found is None or found.question != "shrinks_on_follow_up"


def test_one_likely_cause_needs_no_separating() -> None:
    assert assessed(timeline(injections=[injection()], findings=[finding()], labs=labs())).separating_question is None
    assert assessed(timeline()).separating_question is None


def test_it_belongs_to_would_change() -> None:
    assert assess(TWO_CAUSES, load_knowledge(), as_of=AS_OF, would_change=False).separating_question is None


def test_the_two_compete_for_one_finding() -> None:
    vessel = finding(at="facial_artery both", tissue="vessel", morphology=("tram_track",))
    answer = assessed(replace(TWO_CAUSES, findings=(*TWO_CAUSES.findings, vessel)))
    found = answer.separating_question
    assert found is not None
    assert {found.first_cause, found.second_cause} != {"filler_caha", "vascular_calcification"}


def test_a_reply_that_only_speaks_against_is_not_said_to_speak_for_the_other() -> None:
    silicone = injection(material="silicone", on="2010", sites=("buttock both",))
    seen = finding(at="buttock both", morphology=("nodular",))
    measured = (*labs(calcium="3.2", pth="0.5"), lab("vitamin_d_125", "268", high="190"))
    answer = assessed(timeline(injections=[silicone], findings=[seen], labs=measured))
    found = answer.separating_question
    assert found is not None
    assert found.question == "pthrp_high"
    assert "a yes speaks against filler granulomas that raise calcium" in found.says
