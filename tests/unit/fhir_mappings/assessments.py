"""Assessments built by hand, so that the output is tested apart from the engine."""

from datetime import UTC, date, datetime
from decimal import Decimal

from correlation.assessment import (
    Alert,
    Answer,
    Assessment,
    Attribution,
    Category,
    CauseAssessment,
    Change,
    FindingAssessment,
    FindingCourse,
    Reply,
    Strength,
    UnusedFact,
)
from correlation.catalogue import Knowledge, Region, SnomedCode, Source
from correlation.dates import DateRange
from correlation.knowledge_base import load_knowledge
from correlation.timeline import (
    BodySite,
    FillerInjection,
    FindingKind,
    ImagingExam,
    ImagingFinding,
    LabResult,
    PatientTimeline,
    ResourceRef,
    Side,
)
from fhir_mappings.report_frame import ReportIdentity

REPORT_ID = "6f1d2c3b-4a59-4e68-8f70-1a2b3c4d5e6f"
ISSUED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
AS_OF = date(2020, 1, 15)
BOTH = frozenset({Side.LEFT, Side.RIGHT})
DIGEST = "0123456789abcdef" * 4

CT = ResourceRef(type="ImagingStudy", reference="ImagingStudy/ct", version="2", sha256="c" * 64)
CT_REPORT = ResourceRef(type="DiagnosticReport", reference="DiagnosticReport/ct", sha256="d" * 64)
MRI_REPORT = ResourceRef(type="DiagnosticReport", reference="DiagnosticReport/mri")
CALCIUM = ResourceRef(type="Observation", reference="Observation/calcium", version="1")
FIRST = ResourceRef(
    type="Procedure", reference="urn:uuid:11111111-1111-4111-8111-111111111111", version="4", sha256="a" * 64
)
SECOND = ResourceRef(type="Procedure", reference="Procedure/second", version="1")
DEVICE = ResourceRef(type="Device", reference="Procedure/second#device")


def knowledge() -> Knowledge:
    """A knowledge base with two regions and two sources, and nothing else."""
    return Knowledge(
        edition="2026.1",
        digest=DIGEST,
        status="not reviewed by a clinician",
        materials={},
        regions={"cheek": _region("cheek", "Cheek", "60819002"), "temple": _region("temple", "Temple", None)},
        labs={},
        causes={},
        categories=(),
        alerts={},
        measures={},
        words=load_knowledge().words,
        sources={
            "seed": Source(
                id="seed",
                title="Haro Herrera M, Marin Diez E, Olmos Martinez JM. Calcinosis cutis. 2023;15(4)",
                kind="case report",
                reference="doi:10.20960/revosteoporosmetabminer.00025",
                checked="full text",
            ),
            "label": Source(
                id="label", title="Radiesse, instructions for use", kind="product label", reference="", checked=""
            ),
        },
    )


def _region(id_: str, name: str, code: str | None) -> Region:
    codes = (
        (SnomedCode(code="0", means=f"skin of {id_}", source="x"), SnomedCode(code=code, means=id_, source="x"))
        if code
        else ()
    )
    return Region(
        id=id_,
        name=name,
        group="face",
        synonyms_en=(id_,),
        synonyms_es=(),
        adjacent=(),
        snomed=tuple(item.code for item in codes),
        broader=(),
        filler_site=True,
        sources=(),
        snomed_codes=codes,
    )


def identity(*, version: int = 1, status: str = "preliminary") -> ReportIdentity:
    return ReportIdentity(report_id=REPORT_ID, version=version, status=status, issued=ISSUED)


CHEEK = BodySite(region="cheek", sides=BOTH, stated_as="Malar region, bilateral")
TEMPLE = BodySite(region="temple", sides=frozenset())

INJECTIONS = (
    FillerInjection(
        source=FIRST,
        performed=DateRange.month(2018, 10),
        material="caha",
        product="Radiesse",
        recognised_by='usedCode text "Radiesse"',
        sites=(CHEEK,),
        volume_ml=Decimal("1.5"),
        dilution=Decimal(2),
        quote="Radiesse 1.5 mL",
    ),
    FillerInjection(
        source=SECOND,
        performed=DateRange.day(date(2019, 1, 13)),
        material="caha",
        product="Radiesse",
        recognised_by="Device name",
        sites=(CHEEK, TEMPLE),
        also_from=(DEVICE,),
    ),
    FillerInjection(
        source=ResourceRef(type="Procedure", reference="Procedure/not-done"),
        performed=DateRange.year(2017),
        material="unknown",
        product="",
        recognised_by="CPT 11951",
        ignored_because="status not-done",
    ),
)

FINDING = ImagingFinding(
    source=CT_REPORT,
    exam=CT,
    seen=DateRange.day(date(2019, 10, 15)),
    kind=FindingKind.CALCIFICATION,
    site=CHEEK,
    tissue="subcutaneous_fat",
    morphology=frozenset({"plaque"}),
    quote="calcific plaques within the subcutaneous fat of both sides of the face",
    recognised_by="conclusion",
)
LATER = ImagingFinding(
    source=MRI_REPORT,
    exam=None,
    seen=DateRange.month(2019, 11),
    kind=FindingKind.DEPOSIT,
    site=CHEEK,
    quote="the deposits are overtly hyperintense",
    recognised_by="conclusion",
)

LABS = (
    LabResult(
        source=CALCIUM,
        test="calcium",
        collected=DateRange.day(date(2019, 10, 29)),
        value=Decimal("9.40"),
        unit="mg/dL",
        as_written="9.40 mg/dL",
        low=Decimal("8.6"),
        high=Decimal("10.2"),
    ),
    LabResult(
        source=ResourceRef(type="Observation", reference="Observation/phosphate"),
        test="phosphate",
        collected=DateRange.day(date(2019, 10, 29)),
        value=Decimal("5.0"),
        unit="mg/dL",
        as_written="1.61 mmol/L",
        low=Decimal("2.5"),
        high=Decimal("4.5"),
        range_is_default=True,
    ),
)

TIMELINE = PatientTimeline(
    injections=INJECTIONS,
    labs=LABS,
    exams=(
        ImagingExam(
            source=CT,
            started=DateRange.day(date(2019, 10, 15)),
            modalities=frozenset({"CT"}),
            description="CT of face",
            reported=True,
            reports=(CT_REPORT,),
        ),
        ImagingExam(source=MRI_REPORT, started=DateRange.month(2019, 11), modalities=frozenset({"MR"}), reported=True),
    ),
    findings=(FINDING, LATER),
    sex="female",
    age_years=(48, 48),
)

ANSWERS = (
    Answer(
        question="injected_before_finding",
        ask="Was a radiopaque filler injected before the finding was first seen?",
        reply=Reply.YES,
        strength=Strength.STRONG_FOR,
        because="Radiesse 2018-10 and 2019-01-13, 9 to 12 months before the CT of 2019-10-15.",
        evidence=(FIRST, SECOND, CT),
        sources=("seed",),
    ),
    Answer(
        question="mineral_metabolism_normal",
        ask="Are calcium, phosphate and parathyroid hormone within range?",
        reply=Reply.NO,
        strength=Strength.SUPPORTING_AGAINST,
        because="Phosphate 5.0 mg/dL is above its range.",
        evidence=(CALCIUM,),
        sources=("seed", "label"),
    ),
    Answer(
        question="shrinks_on_follow_up",
        ask="Did the finding shrink on later imaging without treatment?",
        reply=Reply.NOT_KNOWN,
        strength=Strength.NONE,
        because="No later CT.",
    ),
)

CAHA = CauseAssessment(
    cause="filler_caha",
    name="Calcium hydroxylapatite filler",
    category=Category.PROBABLE,
    answers=ANSWERS,
    would_change=(
        Change(
            questions=("x",), replies=(Reply.NO,), becomes="possible", says="If the product were another: possible."
        ),
    ),
    next_step="None to confirm the filler; record product and date.",
    from_filler=True,
)
PHPT = CauseAssessment(
    cause="phpt",
    name="Primary hyperparathyroidism",
    category=Category.UNLIKELY,
    answers=(
        Answer(
            question="calcium_high",
            ask="Is calcium high?",
            reply=Reply.NO,
            strength=Strength.STRONG_AGAINST,
            because="Calcium 9.4 mg/dL, in range.",
            evidence=(CALCIUM,),
            sources=("seed",),
        ),
    ),
)
NO_TARGET = CauseAssessment(
    cause="no_target_finding", name="No finding to explain", category=Category.UNASSESSABLE, answers=()
)

COURSE = FindingCourse(
    key="deposit:cheek",
    kind="calcification",
    site=CHEEK,
    seen=(FINDING, LATER),
    first_seen=DateRange.day(date(2019, 10, 15)),
    course="seen on 2 studies",
)


def published() -> Assessment:
    """The published case, near enough, with an alert."""
    return Assessment(
        attribution=Attribution.EXPLAINED,
        because="Every finding fits a recorded filler in place, side, time and form.",
        findings=(
            FindingAssessment(
                finding=COURSE,
                attribution=Attribution.EXPLAINED,
                because="Radiesse was injected into both cheeks 9 to 12 months before.",
                differential=(CAHA, PHPT),
                injections=INJECTIONS[:2],
            ),
        ),
        differential=(CAHA, PHPT, NO_TARGET),
        alerts=(
            Alert(
                code="date_conflict", says="Two dates for one injection.", evidence=(FIRST, CALCIUM), sources=("label",)
            ),
        ),
        missing=("25-hydroxyvitamin D", "parathyroid hormone"),
        unused=(UnusedFact(source=DEVICE, what="Device without a procedure", why="no date"),),
        would_change=(
            Change(questions=("a",), replies=(Reply.YES,), becomes="partly", says="A raised calcium: partly."),
        ),
        conclusion="The deposits described on CT of 2019-10-15 are likely explained by the recorded Radiesse. "
        "Decision support, not a diagnosis; not for emergencies.",
        limitations=("No images were read.",),
        timeline=TIMELINE,
        as_of=AS_OF,
        edition="2026.1",
        digest=DIGEST,
    )


def without_target_finding() -> Assessment:
    """Imaging was reported and has nothing to explain; nothing has a date."""
    return Assessment(
        attribution=Attribution.NOT_APPLICABLE,
        because="The reported imaging describes no deposit.",
        findings=(),
        differential=(NO_TARGET, PHPT),
        alerts=(),
        missing=(),
        unused=(),
        would_change=(),
        conclusion="Imaging reports no finding to explain. Decision support, not a diagnosis.",
        limitations=(),
        timeline=PatientTimeline(exams=(ImagingExam(source=CT_REPORT, started=None, reported=True),)),
        as_of=AS_OF,
        edition="2026.1",
        digest=DIGEST,
    )
