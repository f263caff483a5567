"""Small builders of facts, with defaults, for tests of the engine: `injection(on="2018-05", sites=["malar both"])`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import count

from correlation.assess import assess
from correlation.assessment import Assessment, CauseAssessment
from correlation.dates import DateRange
from correlation.knowledge_base import load_knowledge
from correlation.timeline import (
    BodySite,
    Certainty,
    ClinicalCondition,
    DataClass,
    FillerInjection,
    FindingKind,
    ImagingExam,
    ImagingFinding,
    LabResult,
    Medication,
    PatientTimeline,
    ResourceRef,
    Side,
    Withheld,
    WithheldBecause,
)

AS_OF = date(2026, 11, 1)
_numbers = count(1)

SIDES = {
    "both": frozenset({Side.LEFT, Side.RIGHT}),
    "left": frozenset({Side.LEFT}),
    "right": frozenset({Side.RIGHT}),
    "midline": frozenset({Side.MIDLINE}),
    "": frozenset[Side](),
}
NORMAL_LABS = {"calcium": "2.35", "phosphate": "1.13", "pth": "4.3", "vitamin_d_25": "80", "creatinine": "66"}


def ref(type_: str) -> ResourceRef:
    """A reference that no other fact has."""
    return ResourceRef(type=type_, reference=f"{type_}/{next(_numbers):05d}")


def when(text: str | None) -> DateRange | None:
    """A date as FHIR writes it: a year, a month or a day."""
    if text is None:
        return None
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return DateRange.year(parts[0])
    return DateRange.month(parts[0], parts[1]) if len(parts) == 2 else DateRange.day(date(*parts))


def site(text: str) -> BodySite:
    """`malar both`, `buccal left`, `chin`."""
    region, _, side = text.partition(" ")
    return BodySite(region=region, sides=SIDES[side], stated_as=text)


def injection(
    *,
    on: str | None = "2018-10-15",
    material: str = "caha",
    sites: Iterable[str] = ("malar both",),
    product: str = "Radiesse",
    ignored: str | None = None,
    certainty: str = "recorded",
    dilution: str | None = None,
    source: ResourceRef | None = None,
) -> FillerInjection:
    return FillerInjection(
        source=source or ref("Procedure"),
        performed=when(on),
        material=material,
        product=product,
        recognised_by="test",
        sites=tuple(site(item) for item in sites),
        source_certainty=certainty,
        dilution=Decimal(dilution) if dilution else None,
        ignored_because=ignored,
    )


def finding(
    *,
    on: str | None = "2019-10-15",
    kind: str = "calcification",
    at: str | None = "malar both",
    certainty: Certainty = Certainty.STATED,
    tissue: str | None = "subcutaneous_fat",
    morphology: Iterable[str] = ("plaque",),
    density: str | None = "calcific",
    modality: str = "CT",
    change: str | None = None,
    on_bone: bool | None = None,
    size_mm: str | None = None,
    signs: Iterable[str] = (),
    count: str | None = None,
    suv: str | None = None,
    hu: str | None = None,
    quote: str = "words of the report",
) -> ImagingFinding:
    return ImagingFinding(
        source=ref("DiagnosticReport"),
        exam=None,
        seen=when(on),
        kind=FindingKind(kind),
        site=site(at) if at else None,
        certainty=certainty,
        tissue=tissue,
        morphology=frozenset(morphology),
        density=density,
        on_bone=on_bone,
        size_mm=Decimal(size_mm) if size_mm else None,
        change=change,
        count=count,
        suv_max=Decimal(suv) if suv else None,
        attenuation_hu=(Decimal(hu), Decimal(hu)) if hu else None,
        signs=frozenset(signs),
        modalities=frozenset(modality.split("+")),
        quote=quote,
    )


def exam(*, on: str | None = "2019-10-15", modality: str = "CT", reported: bool = True) -> ImagingExam:
    return ImagingExam(
        source=ref("ImagingStudy"), started=when(on), modalities=frozenset({modality}), reported=reported
    )


def lab(
    test: str,
    value: str | None,
    *,
    on: str | None = "2019-10-29",
    comparator: str | None = None,
    qualitative: str | None = None,
    unusable: str | None = None,
    low: str | None = None,
    high: str | None = None,
) -> LabResult:
    known = load_knowledge().labs[test]
    interval = known.intervals[0] if known.intervals else None
    return LabResult(
        source=ref("Observation"),
        test=test,
        collected=when(on),
        value=Decimal(value) if value is not None else None,
        unit=known.unit,
        as_written=f"{comparator or ''}{value} {known.unit}" if value is not None else qualitative or "",
        low=Decimal(low) if low else interval.low if interval else None,
        high=Decimal(high) if high else interval.high if interval else None,
        comparator=comparator,
        qualitative=qualitative,
        unusable_because=unusable,
    )


def labs(on: str = "2019-10-29", **changed: str) -> tuple[LabResult, ...]:
    """A normal mineral panel; values in the analytes' own units."""
    return tuple(lab(test, value, on=on) for test, value in {**NORMAL_LABS, **changed}.items())


def condition(
    concept: str, *, at: str | None = None, onset: str | None = None, active: bool = True
) -> ClinicalCondition:
    return ClinicalCondition(
        source=ref("Condition"),
        concept=concept,
        text=concept.replace("_", " "),
        onset=when(onset),
        active=active,
        site=site(at) if at else None,
    )


def medication(concept: str) -> Medication:
    return Medication(source=ref("MedicationStatement"), concept=concept, text=concept)


def unseen(data: str, because: str = "not-permitted") -> Withheld:
    """A class of data that could not be seen: `unseen("medicines", "not-fetched")`."""
    return Withheld(data=DataClass(data), because=WithheldBecause(because))


NOT_PERMITTED = unseen("filler-history")


def timeline(
    *,
    injections: Sequence[FillerInjection] = (),
    findings: Sequence[ImagingFinding] = (),
    exams: Sequence[ImagingExam] | None = None,
    labs: Sequence[LabResult] = (),
    conditions: Sequence[ClinicalCondition] = (),
    medications: Sequence[Medication] = (),
    sex: str | None = "female",
    age: tuple[int, int] | None = (48, 48),
    withheld: tuple[Withheld, ...] = (),
) -> PatientTimeline:
    return PatientTimeline(
        injections=tuple(injections),
        findings=tuple(findings),
        exams=(exam(),) if exams is None else tuple(exams),
        labs=tuple(labs),
        conditions=tuple(conditions),
        medications=tuple(medications),
        sex=sex,
        age_years=age,
        withheld=withheld,
    )


def assessed(facts: PatientTimeline, *, as_of: date = AS_OF) -> Assessment:
    """The assessment by the shipped knowledge."""
    return assess(facts, load_knowledge(), as_of=as_of)


def cause(answer: Assessment, name: str) -> CauseAssessment:
    """One cause of an assessment."""
    return next(item for item in answer.differential if item.cause == name)


def top(answer: Assessment) -> str:
    """The best ranked cause, or an empty word where none is probable or possible."""
    first = answer.differential[0]
    return first.cause if first.category.value in ("probable", "possible") else ""
