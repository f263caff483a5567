"""Calculated values against published examples; nearest and newest values; censored values are read, not guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from correlation.biochemistry import (
    CALCIUM_PHOSPHATE_PRODUCT,
    CALCIUM_TO_JUDGE,
    EGFR,
    Level,
    egfr_ckd_epi_2021,
    laboratory_near,
    newest_laboratory,
    plain,
)
from correlation.knowledge_base import load_knowledge
from correlation.timeline import LabResult
from tests.builders import lab, timeline

MEASURES = load_knowledge().measures
DAY = date(2019, 10, 15)


def near(
    *results: LabResult, sex: str | None = "female", age: tuple[int, int] | None = (70, 70), test: str
) -> Level | None:
    facts = timeline(labs=results, sex=sex, age=age)
    return laboratory_near(facts, measures=MEASURES, anchors=[DAY]).level(test)


@pytest.mark.parametrize(("sex", "expected"), [("male", "95.2"), ("female", "79.2")])
def test_egfr_by_ckd_epi_2021(sex: str, expected: str) -> None:
    assert egfr_ckd_epi_2021(creatinine_mg_dl=Decimal("0.8"), age_years=70, sex=sex) == Decimal(expected)


def test_egfr_is_for_adults_of_known_sex_only() -> None:
    creatinine = lab("creatinine", "70.736")
    found = near(creatinine, test=EGFR)
    assert found is not None
    assert found.value == Decimal("79.2")
    assert near(creatinine, sex=None, test=EGFR) is None
    assert near(creatinine, age=(17, 17), test=EGFR) is None
    assert near(creatinine, age=None, test=EGFR) is None
    assert egfr_ckd_epi_2021(creatinine_mg_dl=Decimal(0), age_years=70, sex="male") is None


def test_calcium_is_corrected_for_albumin_and_ionised_goes_first() -> None:
    total, albumin = lab("calcium", "2.10"), lab("albumin", "20")
    corrected = near(total, albumin, test=CALCIUM_TO_JUDGE)
    assert corrected is not None
    assert corrected.value == Decimal("2.50")
    ionised = near(total, albumin, lab("calcium_ionised", "1.22"), test=CALCIUM_TO_JUDGE)
    assert ionised is not None
    assert ionised.test == "calcium_ionised"


def test_calcium_times_phosphate() -> None:
    found = near(lab("calcium", "2.64"), lab("phosphate", "2.55"), test=CALCIUM_PHOSPHATE_PRODUCT)
    assert found is not None
    assert "= 84 mg2/dL2" in found.says(load_knowledge().words)
    assert near(lab("calcium", "2.64"), test=CALCIUM_PHOSPHATE_PRODUCT) is None


def test_the_nearest_value_within_ninety_days_counts() -> None:
    results = (
        lab("calcium", "2.2", on="2019-08-01"),
        lab("calcium", "2.5", on="2019-10-20"),
        lab("calcium", "3.3", on="2021"),
    )
    found = near(*results, test="calcium")
    assert found is not None
    assert found.value == Decimal("2.5")
    assert near(lab("calcium", "2.2", on="2019-01-01"), test="calcium") is None
    assert near(lab("calcium", "2.2", on=None), test="calcium") is None
    assert near(lab("calcium", "2.2", unusable="unknown unit"), test="calcium") is None
    newest = newest_laboratory(timeline(labs=results), measures=MEASURES).level("calcium")
    assert newest is not None
    assert newest.value == Decimal("3.3")


@pytest.mark.parametrize(
    ("value", "comparator", "high", "low"),
    [
        ("3", None, True, False),
        ("2", None, False, True),
        ("3", ">", True, False),
        ("2.3", ">", None, False),
        ("2", "<", False, True),
        ("2.3", "<", False, None),
    ],
)
def test_censored_values(value: str, comparator: str | None, high: bool | None, low: bool | None) -> None:
    found = near(lab("calcium", value, comparator=comparator), test="calcium")
    assert found is not None
    assert (found.is_high(), found.is_low()) == (high, low)


def test_numbers_for_readers() -> None:
    assert [plain(Decimal(text)) for text in ("2.3450", "1E+3", "100")] == ["2.345", "1000", "100"]


def test_the_calcium_nearest_to_the_imaging_is_judged_there_and_the_newest_by_alerts() -> None:
    results = (lab("calcium_ionised", "1.45", on="2019-10-15"), lab("calcium", "2.40", on="2019-12-20"))
    at_imaging = near(*results, test=CALCIUM_TO_JUDGE)
    newest = newest_laboratory(timeline(labs=results), measures=MEASURES).level(CALCIUM_TO_JUDGE)
    assert at_imaging is not None
    assert newest is not None
    assert (at_imaging.test, newest.test) == ("calcium_ionised", "calcium")
