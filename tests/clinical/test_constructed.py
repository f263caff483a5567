"""The constructed situations: the same measure as the public cases; known misses are named with their reason."""

import tomllib
from pathlib import Path

import pytest

from tests.clinical.scoring import score
from tests.examples import CONSTRUCTED, CONSTRUCTED_IDS
from tests.examples.constructed.build import SITUATIONS, files_of

MISSES = {
    item["case"]: item["reason"]
    for item in tomllib.loads((Path(__file__).parent / "known_misses.toml").read_text(encoding="utf-8"))["miss"]
}
LEAST_SITUATIONS = 45


def _marked(case_id: str) -> object:
    marks = [pytest.mark.xfail(reason=MISSES[case_id], strict=True)] if case_id in MISSES else []
    return pytest.param(case_id, marks=marks)


@pytest.mark.parametrize("case_id", [_marked(case_id) for case_id in CONSTRUCTED_IDS])
def test_the_answer_is_the_one_decided_beforehand(case_id: str) -> None:
    found = score(case_id)
    assert found.is_right, found


@pytest.mark.parametrize("case_id", CONSTRUCTED_IDS)
def test_explained_is_never_said_where_the_truth_is_not_explained(case_id: str) -> None:
    assert not score(case_id).unsafe


def test_the_records_are_those_the_builder_writes() -> None:
    assert len(SITUATIONS) >= LEAST_SITUATIONS
    for situation in SITUATIONS:
        for name, text in files_of(situation).items():
            assert (CONSTRUCTED / name).read_text(encoding="utf-8") == text, f"run the builder again: {name}"


def test_every_known_miss_is_a_situation() -> None:
    assert set(MISSES) <= set(CONSTRUCTED_IDS)
