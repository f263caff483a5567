"""The gold set is whole, the held-out files are as committed, and reading does not fall behind its record."""

import hashlib
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from correlation.knowledge_base import load_knowledge
from tests.gold.gold_set import FOLDER, LANGUAGES, PARTS, file_of, sentences_of
from tests.gold.scoring import MEASURES, score

RECORDED = tomllib.loads((FOLDER / "recorded.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_ids_are_unique_and_regions_exist(part: str, language: str) -> None:
    sentences = sentences_of(part, language)
    assert len({sentence.id for sentence in sentences}) == len(sentences) >= 100
    regions = {finding.region for sentence in sentences for finding in sentence.findings}
    assert regions - {""} <= load_knowledge().regions.keys()


def test_the_held_out_files_are_the_committed_ones() -> None:
    lines = (FOLDER / "held_out.sha256").read_text(encoding="utf-8").splitlines()
    committed = {name: digest for digest, name in (line.split() for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in map(_held_out, LANGUAGES)}
    assert found == committed


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tuning_part_is_read_no_worse_than_recorded(language: str) -> None:
    result = score("tuning", language, load_knowledge())
    recorded = RECORDED["tuning"][language]
    found = {name: round(result.tallies[name].f1, 3) for name in MEASURES}
    assert {name: value for name, value in found.items() if value < recorded["measures"][name]["f1"]} == {}
    assert result.fully_right >= recorded["fully_right"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_of_the_tuning_part_stands_in_the_held_out_part(language: str) -> None:
    held_out = {sentence.text.casefold() for sentence in sentences_of("held-out", language)}
    shared = [one.id for one in sentences_of("tuning", language) if one.text.casefold() in held_out]
    assert shared == []  # ids only: a failure must not show the held-out text


def test_numbers_are_read_exactly() -> None:
    sizes = [item.size_mm for row in sentences_of("tuning", "en") for item in row.findings if item.size_mm is not None]
    assert all(isinstance(size, Decimal) for size in sizes)


def _held_out(language: str) -> Path:
    return file_of("held-out", language)
