"""The words a clinician reads: what they must say, and what they must never say."""

from __future__ import annotations

import re

import pytest

from correlation.knowledge_base import load_knowledge
from correlation.timeline import PatientTimeline
from correlation.worksheet_text import worksheet_text
from tests.builders import assessed, condition, exam, finding, injection, lab, labs, timeline

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
    timeline(injections=[injection(ignored="not done")], findings=[finding(quote="")], withheld=("sensitive",)),
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
