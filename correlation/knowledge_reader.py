"""This file says which keys each file of the knowledge base has, and turns them into the nouns of `catalogue.py`.

Missing and unknown keys are refused here; what concerns several files at once is checked in `knowledge_checks.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from correlation.assessment import Category, Strength
from correlation.catalogue import (
    AlertRule,
    Analyte,
    CategoryRule,
    Cause,
    Interval,
    Material,
    Measure,
    Question,
    Region,
    Review,
    SnomedCode,
    Source,
)
from correlation.knowledge_table import Table

ON_CT = frozenset({"calcific", "metallic", "fat", "soft_tissue", "fluid", "unknown"})
LATE_CALCIFICATION = frozenset({"known", "rare", "none", "unknown"})
GROUPS = frozenset({"face", "neck", "hand", "arm", "trunk", "leg", "larynx", "deep"})
CERTAINTIES = frozenset({"verified", "textbook", "expert-set, uncalibrated", "uncertain"})
STRENGTHS: Mapping[str, Strength] = {
    "strong for": Strength.STRONG_FOR,
    "moderate for": Strength.MODERATE_FOR,
    "supporting for": Strength.SUPPORTING_FOR,
    "nothing": Strength.NONE,
    "supporting against": Strength.SUPPORTING_AGAINST,
    "moderate against": Strength.MODERATE_AGAINST,
    "strong against": Strength.STRONG_AGAINST,
}
COUNTED = frozenset(strength.value for strength in Strength) - {"none"} | {"for", "against", "answered"}


def read_source(table: Table) -> Source:
    """One `[[source]]` of references.toml."""
    return Source(
        id=table.text("id"),
        title=table.text("title"),
        kind=table.text("kind"),
        reference=table.text_or_blank("reference"),
        checked=table.text("checked"),
    )


def read_review(table: Table) -> Review:
    """Who wrote a file and who checked it; `checked_by = ""` means nobody has."""
    review = Review(
        authored_by=table.text("authored_by"),
        checked_by=table.text_or_blank("checked_by"),
        reviewed_on=table.day("reviewed_on"),
        next_review=table.day("next_review"),
    )
    if review.checked_by and review.checked_by == review.authored_by:
        raise table.wrong("checked_by", "is the author; another person has to check")
    if bool(review.checked_by) != bool(review.reviewed_on):
        raise table.wrong("reviewed_on", "and checked_by belong together")
    return review


def read_material(table: Table) -> Material:
    """One file of materials/."""
    return Material(
        id=table.text("id"),
        name=table.text("name"),
        product_names=table.texts("product_names"),
        generic_names=table.texts("generic_names"),
        on_ct=table.word("on_ct", ON_CT),
        late_calcification=table.word("late_calcification", LATE_CALCIFICATION),
        permanent=table.flag("permanent"),
        extra_step=table.flag("extra_step"),
        attenuation_hu=_attenuation(table),
        visible_months_ct=table.optional_measure("visible_months_ct"),
        calcifies_after_months=table.optional_measure("calcifies_after_months"),
        sources=table.texts("sources"),
        certainty=table.word("certainty", CERTAINTIES),
        note=table.text("note"),
        review=read_review(table),
    )


def _attenuation(table: Table) -> tuple[Measure, Measure] | None:
    if not table.has("attenuation_hu"):
        return None
    inner = table.table("attenuation_hu")
    low, high = inner.measure("low"), inner.measure("high")
    inner.done()
    if low.value > high.value:
        raise table.wrong("attenuation_hu", "ends below its beginning")
    return low, high


def read_region(table: Table) -> Region:
    """One `[[region]]` of regions.toml."""
    codes = table.each("snomed", _snomed_code) if table.has("snomed") else ()
    return Region(
        id=table.text("id"),
        name=table.text("name"),
        group=table.word("group", GROUPS),
        synonyms_en=table.texts("synonyms_en"),
        synonyms_es=table.texts("synonyms_es"),
        adjacent=table.texts("adjacent"),
        snomed=tuple(item.code for item in codes),
        snomed_codes=codes,
        broader=table.optional_texts("broader"),
        filler_site=table.flag("filler_site"),
        sources=table.texts("sources"),
        certainty=table.word("certainty", CERTAINTIES),
        note=table.optional_text("note"),
    )


def _snomed_code(table: Table) -> SnomedCode:
    code = SnomedCode(code=table.text("code"), means=table.text("means"), source=table.text("source"))
    if not code.code.isascii() or not code.code.isdigit():
        raise table.wrong("code", "is not a SNOMED CT identifier")
    return code


def read_analyte(table: Table) -> Analyte:
    """One `[[analyte]]` of labs.toml. Factors and limits are in the analyte's own unit."""
    unit = table.text("unit")
    return Analyte(
        id=table.text("id"),
        name=table.text("name"),
        aliases=table.texts("aliases"),
        loinc=table.texts("loinc"),
        unit=unit,
        factors=_factors(table, unit=unit),
        intervals=table.each("interval", lambda row: _interval(row, unit=unit)) if table.has("interval") else (),
        impossible_below=_limit(table, "impossible_below", unit=unit),
        impossible_above=_limit(table, "impossible_above", unit=unit),
        sources=table.texts("sources"),
        certainty=table.word("certainty", CERTAINTIES),
        note=table.optional_text("note"),
    )


def _factors(table: Table, *, unit: str) -> Mapping[str, Decimal]:
    inner = table.table("factors")
    factors = {spelling: inner.decimal(spelling) for spelling in inner.data}
    for spelling, factor in factors.items():
        if factor <= 0:
            raise inner.wrong(spelling, "is not above nought")
    if factors.get(unit) != 1:
        raise inner.wrong(unit, "is the analyte's own unit and has the factor 1")
    return factors


def _interval(table: Table, *, unit: str) -> Interval:
    interval = Interval(
        low=table.optional_decimal("low"),
        high=table.optional_decimal("high"),
        sex=table.word("sex", frozenset({"female", "male"})) if table.has("sex") else None,
        source=table.text("source"),
    )
    if table.text("unit") != unit:
        raise table.wrong("unit", f"is not the analyte's own unit {unit}")
    if interval.low is None and interval.high is None:
        raise table.wrong("low", "an interval needs at least one end")
    if interval.low is not None and interval.high is not None and interval.low >= interval.high:
        raise table.wrong("high", "is not above low")
    return interval


def _limit(table: Table, name: str, *, unit: str) -> Decimal | None:
    measure = table.optional_measure(name)
    if measure is None:
        return None
    if measure.unit != unit:
        raise table.wrong(name, f"is not in the analyte's own unit {unit}")
    return measure.value


def read_cause(table: Table) -> Cause:
    """One file of causes/."""
    return Cause(
        id=table.text("id"),
        name=table.text("name"),
        summary=table.text("summary"),
        next_step=table.text("next_step"),
        from_filler=table.flag("from_filler"),
        systemic=table.flag("systemic"),
        materials=table.texts("materials"),
        questions=table.each("question", _question),
        sources=table.texts("sources"),
        review=read_review(table),
    )


def _question(table: Table) -> Question:
    sources = table.texts("sources")
    if not sources:
        raise table.wrong("sources", "a question needs at least one source")
    return Question(
        id=table.text("id"),
        ask=table.text("ask"),
        yes=_strength(table, "yes"),
        no=_strength(table, "no"),
        sources=sources,
        parameters=_parameters(table),
    )


def _strength(table: Table, name: str) -> Strength:
    words = table.text(name)
    if words not in STRENGTHS:
        raise table.wrong(name, f"is not one of {', '.join(STRENGTHS)}")
    return STRENGTHS[words]


def _parameters(table: Table) -> Mapping[str, tuple[str, ...]]:
    if not table.has("parameters"):
        return {}
    inner = table.table("parameters")
    return {name: inner.texts(name) for name in inner.data}


def read_category(table: Table) -> CategoryRule:
    """One `[[category]]` of categories.toml; without `when` it always fits."""
    terms = frozenset(category.value for category in Category)
    rule = CategoryRule(
        category=Category(table.word("term", terms)),
        at_least=_counts(table, "at_least"),
        at_most=_counts(table, "at_most"),
        says=table.text("says"),
    )
    if table.has("when"):
        _refuse_other_conditions(table.table("when"))
    return rule


def _counts(table: Table, name: str) -> Mapping[str, int]:
    if not table.has("when"):
        return {}
    when = table.table("when")
    counts = when.counts(name)
    for counted in counts:
        if counted not in COUNTED:
            raise when.wrong(counted, "is not something that is counted")
    return counts


def _refuse_other_conditions(when: Table) -> None:
    when.has("at_least")
    when.has("at_most")
    when.done()


def read_alert(table: Table) -> AlertRule:
    """One `[[alert]]` of alerts.toml."""
    return AlertRule(
        code=table.text("code"),
        name=table.text("name"),
        says=table.text("says"),
        measures=table.measures("measures"),
        sources=table.texts("sources"),
    )
