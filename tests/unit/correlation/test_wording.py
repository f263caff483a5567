"""The words a clinician reads: what they must say, and what they must never say."""

from __future__ import annotations

import re

import pytest

from correlation.assessment import Attribution, Category
from correlation.knowledge_base import load_knowledge
from correlation.timeline import PatientTimeline
from correlation.worksheet_text import worksheet_text
from tests.builders import NOT_PERMITTED, assessed, cause, condition, exam, finding, injection, lab, labs, timeline

FORBIDDEN = ("benign", "excluded", "no follow-up needed", "no disease", "probability", "%")
RECORDS = [
    timeline(injections=[injection()], findings=[finding()], labs=labs()),
    timeline(injections=[injection()], findings=[finding()]),
    timeline(injections=[injection()], findings=[finding(kind="deposit", modality="MR", density=None)]),
    timeline(injections=[injection()], findings=[finding(), finding(at="finger_pulp left")], labs=labs()),
    timeline(injections=[injection(certainty="patient-reported")], findings=[finding()], labs=labs(calcium="3.1")),
    timeline(
        injections=[injection(on=None, sites=(), material="unknown", product="100% filler")], findings=[finding()]
    ),
    timeline(injections=[injection(ignored="not done")], findings=[finding(quote="")], withheld=(NOT_PERMITTED,)),
    timeline(findings=[finding()], labs=[lab("calcium", None, unusable="unknown unit")]),
    timeline(findings=[finding(at=None, on=None)], conditions=[condition("esrd")]),
    timeline(),
    timeline(exams=[exam(reported=False, on=None)]),
    timeline(exams=()),
]


@pytest.mark.parametrize("facts", RECORDS)
def test_the_conclusion_says_what_it_must(facts: PatientTimeline) -> None:
    text = assessed(facts).conclusion
    for words in ("decision support, not a diagnosis", "not for emergencies", "no alert does not mean no emergency"):
        assert words in text
    assert "issing" in text
    assert 2 <= len(re.findall(r"[.](?: [A-Z]|$)", text)) <= 4
    assert not [word for word in FORBIDDEN if word in text.lower()]


@pytest.mark.parametrize("facts", RECORDS)
def test_the_worksheet_holds_everything_and_fits_the_terminal(facts: PatientTimeline) -> None:
    answer = assessed(facts)
    text = worksheet_text(answer, load_knowledge())
    for title in ("Alerts", "Findings", "Filler events", "Laboratory", "MISSING", "Causes, best first", "Limitations"):
        assert title in text
    assert answer.digest in text
    sources = [item.source for item in facts.injections] + [item.source for item in facts.findings]
    sources += [item.source for item in facts.labs]
    assert all(source.reference in text for source in sources)
    assert max(len(line) for line in text.splitlines()) <= 110
    assert not [word for word in FORBIDDEN if word in text.lower()]


def test_the_sentence_of_an_explained_finding() -> None:
    text = assessed(RECORDS[0]).conclusion
    assert text.startswith(
        "The deposits described on CT of 2019-10-15 are likely explained by the recorded Radiesse injection of "
        "2018-10-15; this does not exclude "
    )


def test_alerts_are_said_first() -> None:
    assert assessed(RECORDS[4]).conclusion.startswith("Act on the alerts first: ")


def test_a_filler_of_another_material_is_not_said_to_be_none() -> None:
    answer = assessed(timeline(injections=[injection(material="ha")], findings=[finding()], labs=labs()))
    told = {item.question: item.because for item in cause(answer, "filler_caha").answers}["filler_recorded"]
    assert told.startswith("none of such a material on record")


def test_days_after_an_injection_are_less_than_a_month() -> None:
    answer = assessed(timeline(injections=[injection(on="2019-10-13")], findings=[finding(on="2019-10-15")]))
    assert "less than 1 month before the newest study" in answer.findings[0].because


def test_a_filler_that_is_too_late_is_not_called_undecided() -> None:
    answer = assessed(timeline(injections=[injection(on="2008-01-01")], findings=[finding()], labs=labs()))
    assert answer.findings[0].attribution is Attribution.NOT_EXPLAINED
    assert answer.unused[0].why == "not contributing: it explains none of the findings, see the answers"


def test_no_next_step_is_said_of_an_unlikely_cause_nor_none_of_a_likely_one() -> None:
    knowledge = load_knowledge()
    answer = assessed(timeline(findings=[finding()], labs=labs()))
    sheet = worksheet_text(answer, knowledge)
    assert cause(answer, "filler_caha").category is Category.UNLIKELY
    assert knowledge.causes["filler_caha"].next_step not in " ".join(sheet.split())
    steps = {item.id: item.next_step for item in knowledge.causes.values() if item.id != "no_target_finding"}
    assert not [name for name, step in steps.items() if step.lower().startswith("none")]
