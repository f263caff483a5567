"""What would move the answer: the smallest set of missing facts, singles before pairs."""

from __future__ import annotations

from correlation.assessment import Attribution, Reply
from correlation.timeline import FindingKind
from tests.builders import assessed, cause, finding, injection, labs, timeline


def test_a_known_date_would_decide() -> None:
    answer = assessed(timeline(injections=[injection(on=None)], findings=[finding()], labs=labs()))
    moved = {(change.questions, change.replies[0]): change.becomes for change in answer.would_change}
    assert moved[("injected_before_finding",), Reply.NO] == "not-explained"


def test_two_facts_are_needed_where_two_are_missing() -> None:
    seen = finding(at="temporal both")
    answer = assessed(
        timeline(injections=[injection(on=None, sites=("chin", "malar both"))], findings=[seen], labs=labs())
    )
    assert {len(change.questions) for change in answer.would_change} == {1}
    assert all(
        change.becomes == "not-explained" or "filler_recorded" in change.questions for change in answer.would_change
    )


def test_the_product_of_an_unknown_filler_would_decide() -> None:
    answer = assessed(timeline(injections=[injection(material="unknown")], findings=[finding()], labs=labs()))
    assert "explained" in {change.becomes for change in answer.would_change}


def test_a_cause_names_the_answers_that_would_move_it() -> None:
    answer = assessed(timeline(findings=[finding()], labs=labs(calcium="2.9")[:1]))
    change = cause(answer, "phpt").would_change[0]
    assert change.becomes == "probable" or change.questions
    assert "Primary hyperparathyroidism would be" in change.says


def test_a_decided_cause_has_nothing_to_add() -> None:
    answer = assessed(timeline(injections=[injection(on="2020")], findings=[finding()]))
    assert cause(answer, "filler_caha").would_change == ()


def test_nothing_moves_a_report_without_findings() -> None:
    assert assessed(timeline()).would_change == ()


def test_an_attenuation_that_no_report_states_is_no_missing_fact() -> None:
    answer = assessed(timeline(injections=[injection()], findings=[finding()], labs=labs()))
    changes = (*answer.would_change, *(change for item in answer.differential for change in item.would_change))
    assert not [change for change in changes if "attenuation_fits" in change.questions]


def test_a_record_of_a_calcium_filler_never_turns_metal_into_not_explained() -> None:
    metal = finding(kind=FindingKind.METAL, density="metallic", morphology=("linear",))
    answer = assessed(timeline(findings=[metal]))
    assert answer.attribution is Attribution.INDETERMINATE
    assert "not-explained" not in {change.becomes for change in answer.would_change}
