"""Records that leave a question open in an unusual way: no range, an unknown region, a filler unfit in two ways."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from correlation.appearance import can_appear
from correlation.assess import read_chart
from correlation.assessment import Category, Reply
from correlation.chart import Case
from correlation.knowledge_base import load_knowledge
from correlation.questions.timing import still_expected
from correlation.timeline import PatientTimeline
from correlation.verdict import Verdict, judge, reason_of
from tests.builders import AS_OF, assessed, cause, finding, injection, labs, timeline

KNOWLEDGE = load_knowledge()


def said(facts: PatientTimeline, asker: str, question: str) -> Reply:
    return next(item.reply for item in cause(assessed(facts), asker).answers if item.question == question)


def without_range(test: str, **values: str) -> PatientTimeline:
    results = [replace(item, low=None, high=None) if item.test == test else item for item in labs(**values)]
    return timeline(injections=[injection()], findings=[finding()], labs=results)


def test_a_result_without_a_range_is_not_normal() -> None:
    assert said(without_range("pth"), "filler_caha", "mineral_metabolism_normal") is Reply.NOT_KNOWN


def test_a_parathyroid_hormone_without_a_range_does_not_tell_suppression() -> None:
    assert said(without_range("pth", calcium="2.9"), "phpt", "pth_not_suppressed") is Reply.NOT_KNOWN


def test_a_region_that_is_not_known_is_not_far() -> None:
    facts = timeline(injections=[injection(sites=["somewhere both"])], findings=[finding()])
    assert said(facts, "filler_caha", "site_in_reach") is Reply.NOT_KNOWN


def test_fillers_are_unused_each_for_its_own_reason() -> None:
    """Too late for the one finding, too far from the other."""
    here, there = finding(at="malar both", on="2017-01-01"), finding(at="hand_dorsum both", on="2020-01-01")
    answer = assessed(timeline(injections=[injection(on="2018-10-15")], findings=[here, there]))
    assert answer.unused[0].why == KNOWLEDGE.words.say("unused.none_fits")


@pytest.mark.parametrize(("units", "density"), [(-95, "fat"), (30, "soft_tissue"), (500, None)])
def test_a_stated_attenuation_tells_the_density_where_no_word_does(units: int, density: str | None) -> None:
    seen = replace(finding(kind="mass", density=None), attenuation_hu=(Decimal(units), Decimal(units)))
    (look,) = read_chart(timeline(findings=[seen]), KNOWLEDGE, as_of=AS_OF).looks.values()
    assert look.densities == (frozenset({density}) if density else frozenset())


def test_a_permanent_material_stays() -> None:
    chart = read_chart(
        timeline(injections=[injection(on="2005", material="silicone")], findings=[finding()]), KNOWLEDGE, as_of=AS_OF
    )
    (seen,) = chart.findings
    case = Case(chart=chart, finding=seen, look=chart.looks[seen.key], evidence=())
    asked = next(asked for _, asked in chart.memory.questionnaire.of_finding if asked.question == "still_expected")
    assert still_expected(case, replace(asked, materials=("silicone",))).reply is Reply.YES


def test_a_material_of_which_late_calcification_is_not_known_leaves_it_open() -> None:
    material = replace(KNOWLEDGE.materials["ha"], late_calcification="unknown")
    (look,) = read_chart(timeline(findings=[finding()]), KNOWLEDGE, as_of=AS_OF).looks.values()
    assert can_appear(material, look, months=(12, 12))[0] is Reply.NOT_KNOWN


def test_weight_against_a_filler_that_fits_is_given_as_the_reason() -> None:
    fits = dict.fromkeys(
        ("filler_recorded", "injected_before_finding", "site_in_reach", "material_fits_appearance", "form_fits"),
        Reply.YES,
    )
    judged = judge(fits, category=Category.UNLIKELY, partly_covered=False, broad=False)
    assert judged.verdict is Verdict.UNSURE
    told = reason_of(judged, lambda question, words: question, KNOWLEDGE.words)
    assert told == KNOWLEDGE.words.say("verdict.weight_against")
