"""The evidence card names every cause and every source, and shows the figures that the cases really come to."""

from datetime import date

import pytest

from correlation.knowledge_base import load_knowledge
from fhir_mappings.evidence.card import evidence_card
from fhir_mappings.evidence.pages import evidence_html, evidence_markdown
from tests.clinical.figures import reading, recorded, scored

KNOWLEDGE = load_knowledge()
CARD = evidence_card(KNOWLEDGE, software_version="0.1.0")


def test_every_cause_is_on_the_card_with_inputs_sources_figures_and_review() -> None:
    assert [cause["id"] for cause in CARD["causes"]] == list(KNOWLEDGE.causes)
    for cause in CARD["causes"]:
        known = KNOWLEDGE.causes[cause["id"]]
        cited = {source for question in known.questions for source in question.sources} | set(known.sources)
        assert {source["id"] for source in cause["sources"]} == cited
        assert cause["inputs"]
        assert len(cause["questions"]) == len(known.questions)
        assert set(cause["benchmark"]) == {"public", "constructed"}
        assert known.review.checked_by or cause["review"] == "Not reviewed by a clinician"


@pytest.mark.parametrize("page", [evidence_html(CARD), evidence_markdown(CARD)], ids=["html", "markdown"])
def test_each_form_names_every_cause_and_says_what_it_is(page: str) -> None:
    for cause in KNOWLEDGE.causes.values():
        assert cause.id in page
    for words in ("Intended use", "Not used", "pixels", "Limits", "Known misses", KNOWLEDGE.digest, "tuned"):
        assert words in page
    assert "Not reviewed by a clinician" in page
    assert "%" not in page.partition("</style>")[2 if "</style>" in page else 0]
    assert "<script" not in page


def test_the_figures_are_those_of_a_fresh_run() -> None:
    kept = recorded()
    assert kept == scored(date.fromisoformat(kept["scored_on"])), "run: make score-cases"
    assert kept["reading"] == reading()


def test_the_thirteen_source_attributes_are_named_and_the_thirty_one_explained() -> None:
    attributes = CARD["source_attributes"]
    assert len({one["name"] for one in attributes["evidence_based"]}) == 13
    assert all(one["value"] for one in attributes["evidence_based"])
    assert sum(one["attributes"] for one in attributes["predictive"]["groups"]) == 31
    assert attributes["predictive"]["why_not_applicable"]


def test_what_the_card_says_is_not_used_is_not_in_the_questions() -> None:
    asked = " ".join(question for cause in CARD["causes"] for question in cause["questions"]).lower()
    for word in ("race", "ethnic", "gender identity", "orientation", "religion"):
        assert word not in asked.split()
