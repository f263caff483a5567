"""This file reads the laboratory: the nearest valid value to the imaging, and what is calculated from several values.

Values are in the analyte's own unit (`knowledge/labs.toml`). Three-valued throughout: `None` is "not known", and a
missing value is never normal. Formulas: albumin-corrected calcium (Payne 1973), calcium x phosphate, eGFR by the
CKD-EPI 2021 creatinine equation (adults only, sex known); clinical summary, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from correlation.catalogue import Measure
from correlation.dates import DateRange
from correlation.timeline import LabResult, PatientTimeline, ResourceRef
from correlation.words import Words

CALCIUM = "calcium"
CALCIUM_CORRECTED = "calcium_corrected"
CALCIUM_IONISED = "calcium_ionised"
PHOSPHATE = "phosphate"
PTH = "pth"
CREATININE = "creatinine"
EGFR = "egfr"
ALBUMIN = "albumin"
CALCIFEDIOL = "vitamin_d_25"
CALCITRIOL = "vitamin_d_125"

# Calculated, never measured under these names
CALCIUM_TO_JUDGE = "calcium_to_judge"
CALCIUM_PHOSPHATE_PRODUCT = "calcium_phosphate_product"

ADULT_YEARS = 18  # CKD-EPI 2021 is an equation for adults
UMOL_PER_MG_DL = Decimal("88.42")  # creatinine; clinical summary, section 4
MMOL2_PER_MG2_DL2 = Decimal("0.0806")  # calcium x phosphate; clinical summary, section 4

# A hypercalcaemia could be hidden behind a censored value, so a comparator is read, not ignored.
ABOVE = frozenset({">", ">="})
BELOW = frozenset({"<", "<="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A value that a rule asks about, measured or calculated, with its range, its date and what it rests on."""

    test: str
    value: Decimal
    unit: str
    low: Decimal | None
    high: Decimal | None
    says: Callable[[Words], str]
    collected: date | None
    evidence: tuple[ResourceRef, ...]
    comparator: str | None = None

    def is_high(self) -> bool | None:
        """Above its range; `None` where no upper limit is known or a censored value does not tell."""
        return None if self.high is None else self.above(self.high)

    def is_low(self) -> bool | None:
        """Below its range; `None` where no lower limit is known or a censored value does not tell."""
        return None if self.low is None else self.below(self.low)

    def above(self, limit: Decimal) -> bool | None:
        """Whether the value lies above a limit in the same unit."""
        if self.comparator in ABOVE:
            return True if self.value >= limit else None
        if self.comparator in BELOW:
            return False if self.value <= limit else None
        return self.value > limit

    def below(self, limit: Decimal) -> bool | None:
        """Whether the value lies below a limit in the same unit."""
        if self.comparator in BELOW:
            return True if self.value <= limit else None
        if self.comparator in ABOVE:
            return False if self.value >= limit else None
        return self.value < limit


def usable(result: LabResult) -> bool:
    """Whether a result may be counted: a number in the analyte's unit, or a qualitative answer."""
    return result.unusable_because is None and (result.value is not None or result.qualitative is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """The chosen result of each test of one patient; `levels` remembers what was already asked."""

    timeline: PatientTimeline
    measures: Mapping[str, Measure]
    results: Mapping[str, LabResult] = field(default_factory=dict)
    anchors: Sequence[date] = ()  # the days of imaging that results are near to; none where the newest is asked for
    levels: dict[str, Level | None] = field(default_factory=dict)

    def level(self, test: str) -> Level | None:
        """The value of one test to reason with, calculated where it is a calculated test."""
        if test not in self.levels:
            calculate = _CALCULATED.get(test)
            self.levels[test] = calculate(self) if calculate else self.measured(test)
        return self.levels[test]

    def measured(self, test: str) -> Level | None:
        """The measured value of one test."""
        result = self.results.get(test)
        return None if result is None or result.value is None else level_of(result, value=result.value)


def level_of(result: LabResult, *, value: Decimal) -> Level:
    """One measured result as a level."""
    return Level(
        test=result.test,
        value=value,
        unit=result.unit,
        low=result.low,
        high=result.high,
        says=partial(_level_words, result=result, value=value),
        collected=result.collected.latest if result.collected else None,
        evidence=(result.source,),
        comparator=result.comparator,
    )


def _level_words(words: Words, *, result: LabResult, value: Decimal) -> str:
    written, limits = _written(result, value), range_words(result, words)
    return words.say("labs.level", value=written, range=limits, day=words.day(result.collected))


def _written(result: LabResult, value: Decimal) -> str:
    ours = f"{result.comparator or ''}{plain(value)} {result.unit}"
    written = " ".join(result.as_written.split())
    return ours if not written or written.endswith(result.unit) else f"{written} (= {ours})"


def plain(value: Decimal) -> str:
    """A number for a reader: at most three decimals, no trailing noughts, no exponent.

    >>> plain(Decimal("2.345300"))
    '2.345'
    """
    return format(value, ".3f").rstrip("0").rstrip(".")


def range_words(result: LabResult, words: Words) -> str:
    """The range a result was judged by, in the unit the value was written in, and whether the record gave it."""
    limits = result.range_as_written or _limits(result, words)
    if not limits:
        return words.say("range.none")
    return words.say("range.default" if result.range_is_default else "range.given", range=limits)


def _limits(result: LabResult, words: Words) -> str:
    low, high = (None if limit is None else plain(limit) for limit in (result.low, result.high))
    if low is not None and high is not None:
        return words.say("range.between", low=low, high=high)
    if high is not None:
        return words.say("range.up_to", high=high)
    return words.say("range.from", low=low) if low is not None else ""


def laboratory_near(
    timeline: PatientTimeline, *, measures: Mapping[str, Measure], anchors: Sequence[date]
) -> Laboratory:
    """The nearest valid result of every test within the window (90 days) of any of the given days."""
    window = int(measures["lab_window"].value)
    chosen: dict[str, tuple[tuple[bool, int, int, str, str], LabResult]] = {}
    if anchors:
        first, last = min(anchors) - timedelta(days=window), max(anchors) + timedelta(days=window)
        for result in timeline.labs:
            when = result.collected
            if when is None or when.latest < first or when.earliest > last or not usable(result):
                continue
            away = _days_away(when, anchors)
            if away > window:
                continue
            later_first = -when.latest.toordinal()
            rank = (result.preliminary, away, later_first, str(result.value), result.source.reference)
            if result.test not in chosen or rank < chosen[result.test][0]:
                chosen[result.test] = (rank, result)
    results = {test: one for test, (_, one) in chosen.items()}
    return Laboratory(timeline=timeline, measures=measures, results=results, anchors=anchors)


def _days_away(when: DateRange, anchors: Sequence[date]) -> int:
    return min(max((when.earliest - day).days, (day - when.latest).days, 0) for day in anchors)


def newest_laboratory(timeline: PatientTimeline, *, measures: Mapping[str, Measure]) -> Laboratory:
    """The newest valid result of every test, whatever the imaging date: what alerts look at."""
    newest: dict[str, tuple[date, LabResult]] = {}
    for result in timeline.labs:
        if result.collected is None or not usable(result):
            continue
        latest = result.collected.latest
        held = newest.get(result.test)
        if (
            held is None
            or latest > held[0]
            or (latest == held[0] and _same_day_order(result) > _same_day_order(held[1]))
        ):
            newest[result.test] = (latest, result)
    return Laboratory(timeline=timeline, measures=measures, results={test: one for test, (_, one) in newest.items()})


def _same_day_order(result: LabResult) -> tuple[bool, str, str]:
    return not result.preliminary, str(result.value), result.source.reference


def corrected_calcium(*, calcium: Decimal, albumin: Decimal, slope: Decimal, reference: Decimal) -> Decimal:
    """Albumin-corrected calcium in mmol/L from calcium in mmol/L and albumin in g/L (Payne 1973).

    Not reliable in kidney failure or critical illness; ionised calcium goes first.

    >>> payne = {"slope": Decimal("0.02"), "reference": Decimal("40")}
    >>> corrected_calcium(calcium=Decimal("2.00"), albumin=Decimal("20"), **payne)
    Decimal('2.40')
    """
    return calcium + slope * (reference - albumin)


def egfr_ckd_epi_2021(*, creatinine_mg_dl: Decimal, age_years: int, sex: str | None) -> Decimal | None:
    """Estimated GFR in mL/min/1.73 m2, CKD-EPI 2021 creatinine equation; `None` under 18 or without a known sex.

    >>> egfr_ckd_epi_2021(creatinine_mg_dl=Decimal("0.8"), age_years=70, sex="male")
    Decimal('95.2')
    >>> egfr_ckd_epi_2021(creatinine_mg_dl=Decimal("0.8"), age_years=70, sex="female")
    Decimal('79.2')
    """
    if age_years < ADULT_YEARS or sex not in ("female", "male") or creatinine_mg_dl <= 0:
        return None
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = float(creatinine_mg_dl) / kappa
    estimate = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938**age_years * factor
    return Decimal(f"{estimate:.1f}")


def _calcium(laboratory: Laboratory) -> Level | None:
    """The calcium to judge by: the nearest to the imaging, else the newest.

    Of one day goes ionised before corrected (given or calculated) before total.
    """
    candidates = (
        laboratory.level(CALCIUM_IONISED),
        laboratory.level(CALCIUM_CORRECTED),
        _total_or_corrected(laboratory),
    )
    found = [level for level in candidates if level is not None]
    return max(found, key=partial(_nearness, anchors=laboratory.anchors), default=None)  # the first of equals


def _nearness(level: Level, *, anchors: Sequence[date]) -> tuple[int, date]:
    """How near to the imaging, then how new; of equal worth for the newest laboratory, which has no imaging."""
    collected = level.collected or date.min
    return -min((abs((collected - day).days) for day in anchors), default=0), collected


def _total_or_corrected(laboratory: Laboratory) -> Level | None:
    """Total calcium, corrected by an albumin of about the same time where there is one."""
    total = laboratory.level(CALCIUM)
    albumin = laboratory.level(ALBUMIN)
    if total is None or albumin is None or total.comparator or albumin.comparator:
        return total
    apart = abs((total.collected or date.min) - (albumin.collected or date.min))
    if apart > timedelta(days=int(laboratory.measures["lab_window"].value)):
        return total
    value = corrected_calcium(
        calcium=total.value,
        albumin=albumin.value,
        slope=laboratory.measures["corrected_calcium_slope"].value,
        reference=laboratory.measures["corrected_calcium_albumin"].value,
    )
    return replace(
        total,
        test=CALCIUM_CORRECTED,
        value=value,
        says=lambda words: words.say(
            "labs.corrected", value=plain(value), unit=total.unit, albumin=albumin.says(words), total=total.says(words)
        ),
        evidence=(*total.evidence, *albumin.evidence),
    )


def _product(laboratory: Laboratory) -> Level | None:
    """Calcium x phosphate in mmol2/L2, from total or else corrected calcium."""
    calcium = laboratory.level(CALCIUM) or laboratory.level(CALCIUM_CORRECTED)
    phosphate = laboratory.level(PHOSPHATE)
    if calcium is None or phosphate is None or calcium.comparator or phosphate.comparator:
        return None
    value = calcium.value * phosphate.value
    older = format(value / MMOL2_PER_MG2_DL2, ".0f")
    return Level(
        test=CALCIUM_PHOSPHATE_PRODUCT,
        value=value,
        unit="mmol2/L2",
        low=None,
        high=None,
        says=lambda words: words.say(
            "labs.product",
            value=plain(value),
            older=older,
            calcium=calcium.says(words),
            phosphate=phosphate.says(words),
        ),
        collected=calcium.collected,
        evidence=(*calcium.evidence, *phosphate.evidence),
    )


def _kidney(laboratory: Laboratory) -> Level | None:
    """Reported eGFR, else calculated from creatinine for adults of known sex and age."""
    reported = laboratory.measured(EGFR)
    creatinine = laboratory.level(CREATININE)
    ages = laboratory.timeline.age_years
    if reported is not None or creatinine is None or ages is None or creatinine.comparator or ages[0] < ADULT_YEARS:
        return reported
    value = egfr_ckd_epi_2021(
        creatinine_mg_dl=creatinine.value / UMOL_PER_MG_DL, age_years=ages[1], sex=laboratory.timeline.sex
    )
    if value is None:
        return None
    return replace(
        creatinine,
        test=EGFR,
        value=value,
        unit="mL/min/{1.73_m2}",
        low=None,
        high=None,
        says=lambda words: words.say("labs.egfr", value=value, creatinine=creatinine.says(words)),
    )


_CALCULATED = {CALCIUM_TO_JUDGE: _calcium, CALCIUM_PHOSPHATE_PRODUCT: _product, EGFR: _kidney}
