"""Records made up by chance: every word that a question compares with may occur in them, and so may its absence.

Made from one number each, so that hundreds take seconds; a record that fails is printed whole and can be made again.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from correlation.knowledge_base import load_knowledge
from correlation.timeline import (
    Certainty,
    ClinicalCondition,
    DataClass,
    FillerInjection,
    FindingKind,
    ImagingFinding,
    LabResult,
    PatientTimeline,
    Withheld,
    WithheldBecause,
)
from tests.builders import NOT_PERMITTED, condition, exam, finding, injection, lab, labs, medication, timeline

T = TypeVar("T")

KNOWLEDGE = load_knowledge()
ASKED = [question for cause in KNOWLEDGE.causes.values() for question in cause.questions]
CALCULATED = {"calcium_to_judge": "calcium", "calcium_phosphate_product": "phosphate"}
NEAR = "2019-10-20"  # to the most frequent day of imaging


def words_of(*parameters: str) -> list[str]:
    """All words that the questions compare with under these parameters."""
    return sorted({word for question in ASKED for name in parameters for word in question.parameters.get(name, ())})


FORMS = words_of("morphology", "not_morphology", "never_morphology")
TISSUES = words_of("tissues", "not_tissues")
SIGNS = words_of("signs", "not_signs")
CONDITIONS = sorted({*words_of("concepts"), "vascular_occlusion", "skin_infection", "hypercalcaemia_symptoms"})
TESTS = sorted({CALCULATED.get(test, test) for test in words_of("test")} | {"creatinine", "egfr", "albumin", "pth"})
MINERAL = ["calcium", "phosphate", "pth"]
DAYS = [None, "2010", "2015-06", "2018-05", "2018-10-15", "2019", *["2019-10-15"] * 2, "2020-02-01", "2022-03-01"]
REGIONS = sorted(KNOWLEDGE.regions)
MATERIALS = sorted(KNOWLEDGE.materials)
UNSEEN = [Withheld(data=data, because=because) for data in DataClass for because in WithheldBecause]


def records() -> st.SearchStrategy[PatientTimeline]:
    """Any record."""
    return st.integers(0, 2**32 - 1).map(record_of)


def fitting_records() -> st.SearchStrategy[PatientTimeline]:
    """Any record, with a filler beside its own and a finding that fits it."""
    return records().map(
        lambda facts: replace(
            facts, injections=(*facts.injections, injection()), findings=(*facts.findings[:1], finding())
        )
    )


def record_of(number: int) -> PatientTimeline:
    """The record of this number."""
    chance = Random(number)
    region = chance.choice(["malar", "zygomatic", "buccal", "face", "parotid", "hand_dorsum"])
    return timeline(
        injections=[filler(chance, region) for _ in range(chance.choice([0, 1, 1, 2, 3]))],
        findings=[mention(chance, region) for _ in range(chance.choice([0, 1, 1, 2, 3]))],
        exams=[exam(on=chance.choice(DAYS), reported=chance.random() < 0.7) for _ in range(chance.choice([0, 1, 2]))],
        labs=[
            *chance.choice([(), (), (), labs(), labs(calcium="2.9", pth="1"), labs(calcium="2.9", pth="9")]),
            *(result(chance, test) for test in MINERAL if chance.random() < 0.4),
            *(result(chance, chance.choice(TESTS)) for _ in range(chance.choice([0, 4, 12]))),
        ],
        conditions=[recorded(chance, region) for _ in range(chance.choice([0, 0, 1, 3]))],
        medications=[medication(chance.choice(CONDITIONS)) for _ in range(chance.choice([0, 0, 2]))],
        sex=chance.choice(["female", "male", None]),
        age=chance.choice([None, (12, 12), (17, 18), (48, 49), (70, 70)]),
        withheld=chance.choice([(), (), (), (NOT_PERMITTED,), hidden(chance)]),
    )


def hidden(chance: Random) -> tuple[Withheld, ...]:
    """One to four classes of data that could not be seen, or not wholly."""
    return tuple(sorted(chance.sample(UNSEEN, chance.randint(1, 4))))


def filler(chance: Random, region: str) -> FillerInjection:
    """A filler of any material, more often a calcium filler near the region."""
    return injection(
        on=chance.choice(DAYS),
        material=chance.choice(["caha", "caha", "unknown", *MATERIALS]),
        sites=[place(chance, region) for _ in range(chance.choice([0, 1, 1, 2]))],
        ignored=chance.choice([None, None, None, None, "not done"]),
        certainty=chance.choice(["recorded", "recorded", "patient-reported"]),
    )


def place(chance: Random, region: str) -> str:
    """The region or, now and then, any other; with or without a side."""
    where = chance.choice([region, region, chance.choice(REGIONS)])
    return f"{where} {chance.choice(['both', 'left', 'right', ''])}".strip()


def mention(chance: Random, region: str) -> ImagingFinding:
    """What a report says of one finding."""
    units = chance.choice([None, None, 20, 180, 450, 1500, 3500])
    described = finding(
        on=chance.choice(DAYS),
        kind=chance.choice(["calcification"] * 6 + sorted(FindingKind)),
        at=place(chance, region) if chance.random() < 0.9 else None,
        tissue=chance.choice([None, "subcutaneous_fat", chance.choice(TISSUES)]),
        morphology=few(chance, FORMS),
        density=chance.choice([None, "calcific", "high", "fat", "soft_tissue", "fluid", "faint", "metallic"]),
        modality=chance.choice(["CT", "CT", "MR", "US", "PT+CT", "DX"]),
        certainty=chance.choice([*[Certainty.STATED] * 5, *Certainty]),
        change=chance.choice([None, None, "decreased", "increased", "stable", "new", "residual"]),
        on_bone=chance.choice([None, None, True, False]),
        size_mm=chance.choice([None, "2", "40"]),
        count=chance.choice([None, "single", "multiple"]),
        signs=few(chance, SIGNS),
        suv=chance.choice([None, None, "4.1"]),
    )
    return replace(described, attenuation_hu=(Decimal(units), Decimal(units)) if units else None)


def few(chance: Random, words: list[str]) -> list[str]:
    return chance.sample(words, chance.choice([0, 1, 2]))


def result(chance: Random, test: str) -> LabResult:
    """A result below, within, above or far above its range; or a word."""
    intervals = KNOWLEDGE.labs[test].intervals
    low = (intervals[0].low if intervals else None) or Decimal(1)
    high = (intervals[0].high if intervals else None) or low * 2
    value = chance.choice([low / 3, (low + high) / 2, (low + high) / 2, high * Decimal("1.3"), high * 10])
    spoken = chance.choice([None, None, None, "positive", "negative"])
    return lab(
        test,
        None if spoken else f"{value:.3f}",
        qualitative=spoken,
        low=str(low),
        high=str(high),
        on=chance.choice([NEAR, NEAR, NEAR, "2017", None]),
        comparator=chance.choice([None] * 8 + ["<", ">"]),
    )


def recorded(chance: Random, region: str) -> ClinicalCondition:
    """A condition, with or without its site and onset."""
    return condition(
        chance.choice([*CONDITIONS, "malignancy"]),
        at=place(chance, region) if chance.random() < 0.5 else None,
        onset=chance.choice(DAYS),
        active=chance.random() < 0.8,
    )
