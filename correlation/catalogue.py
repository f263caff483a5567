"""This file names what the knowledge base holds once read: materials, regions, analytes, causes, sources.

`knowledge_base.py` fills these from the TOML files; the engine and the mappings only read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from correlation.assessment import Category, Strength
from correlation.words import BASE_LANGUAGE, NO_WORDS, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from. `kind`: case report, series, review, label, guideline, standard, textbook, design."""

    id: str
    title: str
    kind: str
    reference: str  # DOI, PMC id or other address; empty for own design
    checked: str  # how much of it was read: full text, abstract, not re-read


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number with its UCUM unit and its source; the loader refuses a bare number."""

    value: Decimal
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who wrote an entry and who checked it. An empty `checked_by` is shown as "not reviewed by a clinician"."""

    authored_by: str
    checked_by: str
    reviewed_on: date | None
    next_review: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One class of filler material.

    `on_ct`: calcific, metallic, fat, soft_tissue, fluid or unknown. `late_calcification`: known, rare, none or unknown.
    `visible_months_ct`: how long deposits are expected on CT after the last injection (`None`: for life or never).
    `extra_step`: one more region of reach than CaHA, for materials known to migrate. `product_names` and
    `generic_names` are matched without regard to case; a trap such as "Neauvia Stimulate" stands here with the
    material it really is.
    """

    id: str
    name: str
    product_names: tuple[str, ...]
    generic_names: tuple[str, ...]
    on_ct: str
    late_calcification: str
    permanent: bool
    extra_step: bool
    attenuation_hu: tuple[Measure, Measure] | None
    visible_months_ct: Measure | None
    calcifies_after_months: Measure | None
    sources: tuple[str, ...]
    certainty: str
    note: str
    review: Review


@dataclass(frozen=True, slots=True, kw_only=True)
class SnomedCode:
    """One SNOMED CT code of a region, what it means in our own words, and where it was read."""

    code: str
    means: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region of the body. `group`: face, neck, hand, arm, trunk, leg, larynx or deep (joint, node, gland …).

    `filler_site` is false where a filler is not put (gland, duct, node, joint). `snomed` codes are certain ones only.
    `broader` lists regions this one lies in ("face" for "malar").
    """

    id: str
    name: str
    group: str
    synonyms_en: tuple[str, ...]
    synonyms_es: tuple[str, ...]
    adjacent: tuple[str, ...]
    snomed: tuple[str, ...]
    broader: tuple[str, ...]
    filler_site: bool
    sources: tuple[str, ...]
    snomed_codes: tuple[SnomedCode, ...] = ()  # the same codes with their meaning
    certainty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An adult default reference interval; `None` is an open end. `sex` is female, male or `None` for both."""

    low: Decimal | None
    high: Decimal | None
    sex: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyte:
    """One laboratory test. `unit` is canonical (UCUM); `factors` turn other units into it (value x factor)."""

    id: str
    name: str
    aliases: tuple[str, ...]
    loinc: tuple[str, ...]
    unit: str
    factors: Mapping[str, Decimal]
    intervals: tuple[Interval, ...]
    impossible_below: Decimal | None
    impossible_above: Decimal | None
    sources: tuple[str, ...]
    certainty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a cause: the function that answers it, its words, the weight of each reply, its sources."""

    id: str
    ask: str
    yes: Strength
    no: Strength
    sources: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]]  # words the function compares with, such as morphology = ["plaque"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One candidate explanation with its questions.

    `from_filler` marks a recorded filler or its known late effect; `systemic` a disease that stands beside the
    filler, not averaged with it; `materials` the filler materials it speaks of.
    """

    id: str
    name: str
    summary: str
    next_step: str
    from_filler: bool
    systemic: bool
    materials: tuple[str, ...]
    questions: tuple[Question, ...]
    sources: tuple[str, ...]
    review: Review


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRule:
    """One row of the combination table, read from the top: the first whose conditions all hold gives the category.

    `at_least` and `at_most` count answers by `Strength` value, or by `for`, `against`, `answered`.
    """

    category: Category
    at_least: Mapping[str, int]
    at_most: Mapping[str, int]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert: its code, its words, its numbers and its sources. The condition is a function of the same name."""

    code: str
    name: str
    says: str
    measures: Mapping[str, Measure]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """The whole knowledge base of one edition. `digest` is the SHA-256, in hex, over all its files."""

    edition: str
    digest: str
    status: str  # such as "not reviewed by a clinician"
    materials: Mapping[str, Material]
    regions: Mapping[str, Region]
    labs: Mapping[str, Analyte]
    causes: Mapping[str, Cause]
    categories: tuple[CategoryRule, ...]
    alerts: Mapping[str, AlertRule]
    measures: Mapping[str, Measure]  # numbers used by more than one rule, by name
    sources: Mapping[str, Source]
    file_reviews: Mapping[str, Review] = field(default_factory=dict)  # who checked a file of many entries, by its path
    issued: date | None = None
    next_review: date | None = None
    words: Words = field(default=NO_WORDS, compare=False, repr=False)  # of the language that names and questions are in
    in_languages: Mapping[str, Knowledge] = field(default_factory=dict, compare=False, repr=False)  # by BCP 47 tag

    def in_language(self, language: str) -> Knowledge:
        """The same knowledge in another language; in its own where that one is not there."""
        return self.in_languages.get(language, self)

    def names_of_lab(self, test: str) -> tuple[str, ...]:
        """A laboratory test's name in every language, the knowledge's own first."""
        spoken = (knowledge.labs[test].name for knowledge in self.in_languages.values())
        return tuple(dict.fromkeys((self.labs[test].name, *spoken)))

    @property
    def base(self) -> Knowledge:
        """The same knowledge in the language its files are written in: codes are displayed in it."""
        return self.in_language(BASE_LANGUAGE)
