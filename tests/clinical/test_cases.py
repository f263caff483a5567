"""The public cases: what must come out, and above all what must never be said."""

import pytest

from tests.clinical.scoring import answer_to, score
from tests.examples import CASE_IDS


@pytest.mark.parametrize("case_id", CASE_IDS)
def test_the_answer_is_the_one_a_careful_specialist_would_accept(case_id: str) -> None:
    found = score(case_id)
    assert not found.unsafe, "explained, where the truth is not-explained"
    assert found.is_right, found


@pytest.mark.parametrize("case_id", ["V01", "V01-text", "V02"])
def test_the_published_case_is_explained_and_caha_comes_first(case_id: str) -> None:
    found = score(case_id)
    assert (found.attribution, found.ranked[0]) == ("explained", "filler_caha")


@pytest.mark.parametrize("case_id", CASE_IDS)
def test_the_conclusion_keeps_to_its_words(case_id: str) -> None:
    report = answer_to(case_id)["entry"][0]["resource"]
    conclusion = report["conclusion"].lower()
    for word in ("benign", "excluded", "no follow-up needed", "%", "probability"):
        assert word not in conclusion
    for words in ("decision support", "not a diagnosis", "emergenc"):
        assert words in conclusion
    assert report["status"] == "preliminary"
