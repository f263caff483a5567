"""The shipped knowledge base: what must hold of its entries."""

from __future__ import annotations

import unicodedata
from collections import Counter
from decimal import Decimal

import pytest

from correlation.anatomy import between, distance
from correlation.catalogue import Knowledge
from correlation.knowledge_base import load_knowledge
from correlation.knowledge_page import render
from correlation.units import convert


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def folded(word: str) -> str:
    """Without letter case and accents, as the mappings compare."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def owner(knowledge: Knowledge, word: str) -> str:
    found = [
        m.id for m in knowledge.materials.values() if folded(word) in map(folded, m.product_names + m.generic_names)
    ]
    assert len(found) == 1, word
    return found[0]


def test_adjacency_is_symmetric(knowledge: Knowledge) -> None:
    for region in knowledge.regions.values():
        for other in region.adjacent:
            assert region.id in knowledge.regions[other].adjacent


def test_no_word_belongs_to_two_entries_even_without_accents(knowledge: Knowledge) -> None:
    groups = (
        [(m.id, m.product_names + m.generic_names) for m in knowledge.materials.values()],
        [(r.id, r.synonyms_en + r.synonyms_es) for r in knowledge.regions.values()],
        [(a.id, a.aliases) for a in knowledge.labs.values()],
    )
    for group in groups:
        owners = Counter(word for _, words in group for word in {folded(word) for word in words})
        assert [word for word, times in owners.items() if times > 1] == []


@pytest.mark.parametrize(
    ("word", "material"),
    [
        ("RADIESSE", "caha"),
        ("hidroxiapatita calcica", "caha"),
        ("Neauvia Stimulate", "caha"),
        ("Coaptite", "caha"),
        ("Neauvia", "ha"),
        ("Restylane", "ha"),
        ("Deflux", "ha"),
        ("HArmonyCa", "ha_caha"),
        ("Bellafill", "pmma"),
        ("biopolímeros", "silicone"),
        ("silicone implant", "solid_implant"),
        ("lipofilling", "fat"),
        ("hilos de oro", "metal_threads"),
        ("PDO threads", "absorbable_threads"),
        ("hilos tensores", "unknown"),
        ("dermal filler", "unknown"),
    ],
)
def test_product_names_and_traps(knowledge: Knowledge, word: str, material: str) -> None:
    assert owner(knowledge, word) == material


@pytest.mark.parametrize(
    ("first", "second", "steps", "broad"),
    [
        ("malar", "malar", 0, False),
        ("malar", "zygomatic", 1, False),
        ("malar", "infraorbital", 1, False),
        ("labial_commissure", "buccal", 1, False),
        ("temporal", "preauricular", 1, False),
        ("chin", "buccal", 2, False),
        ("face", "malar", 0, True),
        ("face", "face", 0, True),
        ("cheek", "malar", 0, True),
        ("cheek", "nasolabial", 1, True),
        ("hand_dorsum", "finger_base", 1, False),
    ],
)
def test_distance(knowledge: Knowledge, first: str, second: str, steps: int, broad: bool) -> None:
    for found in (between(knowledge, first, second), between(knowledge, second, first)):
        assert found is not None
        assert (found.steps, found.broad) == (steps, broad)
    assert distance(knowledge, first, second) == steps


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("malar", "buttock"),
        ("malar", "chin"),
        ("face", "parotid"),
        ("preauricular", "parotid"),
        ("parotid", "parotid"),
        ("buccal", "stensen_duct"),
        ("jawline", "lymph_node"),
        ("hand_dorsum", "finger_pulp"),
        ("hand", "finger"),
        ("malar", "nowhere"),
    ],
)
def test_too_far_or_never_a_place_for_a_filler(knowledge: Knowledge, first: str, second: str) -> None:
    assert distance(knowledge, first, second) is None
    assert distance(knowledge, second, first) is None


@pytest.mark.parametrize(
    ("test", "value", "unit", "expected", "places"),
    [
        ("calcium", "9.4", "mg/dL", "2.35", "0.01"),
        ("calcium", "9.4", "mg/dl", "2.35", "0.01"),
        ("calcium", "2.35", "mmol/L", "2.35", "0.01"),
        ("phosphate", "3.5", "MG/DL", "1.13", "0.01"),
        ("pth", "42", "pg/mL", "4.45", "0.01"),
        ("pth", "42", "ng/L", "4.45", "0.01"),
        ("vitamin_d_25", "30", "ng/ml", "74.9", "0.1"),
        ("creatinine", "1.0", "mg/dL", "88.4", "0.1"),
        ("creatinine", "88.4", "µmol/L", "88.4", "0.1"),
        ("egfr", "83", "mL/min/1.73 m²", "83", "1"),
        ("alp", "1.2", "ukat/L", "72", "1"),
        ("alp", "72", "IU/L", "72", "1"),
        ("esr", "12", "mm/hr", "12", "1"),
        ("albumin", "4.1", "g/dL", "41", "1"),
        ("crp", "0.3", "mg/dL", "3.0", "0.1"),
        ("ana", "160", "", "160", "1"),
    ],
)
def test_unit_conversion(knowledge: Knowledge, test: str, value: str, unit: str, expected: str, places: str) -> None:
    converted = convert(Decimal(value), unit=unit, analyte=knowledge.labs[test])
    assert converted is not None
    assert converted.quantize(Decimal(places)) == Decimal(expected)


@pytest.mark.parametrize(
    ("test", "unit"), [("calcium", ""), ("calcium", "U/L"), ("egfr", "mL/min"), ("pthrp", "pg/mL")]
)
def test_a_unit_that_is_not_listed_is_not_converted(knowledge: Knowledge, test: str, unit: str) -> None:
    assert convert(Decimal(1), unit=unit, analyte=knowledge.labs[test]) is None


def test_default_intervals_lie_within_the_possible(knowledge: Knowledge) -> None:
    for analyte in knowledge.labs.values():
        for interval in analyte.intervals:
            if analyte.impossible_below is not None and interval.low is not None:
                assert analyte.impossible_below < interval.low
            if analyte.impossible_above is not None and interval.high is not None:
                assert interval.high < analyte.impossible_above


def test_codes_that_were_not_verified_are_left_out(knowledge: Knowledge) -> None:
    loinc = {code for analyte in knowledge.labs.values() for code in analyte.loinc}
    assert not loinc & {"18281-6", "1649-3", "62291-0", "49054-0", "68438-1"}
    snomed = {code for region in knowledge.regions.values() for code in region.snomed}
    assert "137561005" not in snomed


def test_the_page_shows_every_entry_and_says_what_nobody_signed(knowledge: Knowledge) -> None:
    page = render(knowledge)
    entries = (*knowledge.materials, *knowledge.regions, *knowledge.labs, *knowledge.causes, *knowledge.measures)
    assert [entry for entry in entries if f"`{entry}`" not in page] == []
    assert [source for source in knowledge.sources if f"| [{source}] |" not in page] == []
    assert page.count("not reviewed by a clinician") >= len(knowledge.materials)
    assert "Expert-set, uncalibrated" in page
    assert page == render(knowledge)
