"""Studies, reports and coded findings."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest

from correlation.timeline import Certainty, FindingKind, Side
from tests.unit.fhir_mappings.reading import SUBJECT, details, mapped, report, study

SNOMED = "http://snomed.info/sct"


def finding(**fields: Any) -> dict[str, Any]:
    base = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "category": [{"coding": [{"code": "imaging"}]}],
        "code": {"coding": [{"system": SNOMED, "code": "18115005"}], "text": "Soft tissue calcification"},
        "effectiveDateTime": "2019-10-15T12:00:00Z",
        "bodySite": {"text": "Malar region"},
        "derivedFrom": [{"reference": "ImagingStudy/s"}],
        "component": [
            {"code": {"text": "Morphology"}, "valueCodeableConcept": {"text": "plaque"}},
            {"code": {"text": "Depth"}, "valueCodeableConcept": {"text": "subcutaneous fat"}},
            {"code": {"text": "Laterality"}, "valueCodeableConcept": {"text": "Bilateral"}},
            {"code": {"text": "Attached to bone"}, "valueBoolean": False},
            {"code": {"text": "Attenuation"}, "valueQuantity": {"value": 420, "unit": "HU", "code": "[hnsf'U]"}},
            {"code": {"text": "Size"}, "valueQuantity": {"value": 1, "unit": "cm"}},
        ],
    }
    return {**base, **fields}


def test_a_coded_finding_is_read_with_its_parts() -> None:
    (found,) = mapped(study(), finding()).timeline.findings
    assert found.site is not None
    assert (found.kind, found.site.region, found.site.sides) == (
        FindingKind.CALCIFICATION,
        "malar",
        frozenset({Side.LEFT, Side.RIGHT}),
    )
    assert (found.tissue, found.morphology, found.on_bone) == ("subcutaneous_fat", frozenset({"plaque"}), False)
    assert (found.attenuation_hu, found.size_mm, found.modalities) == (
        (Decimal(420), Decimal(420)),
        Decimal(10),
        frozenset({"CT"}),
    )


@pytest.mark.parametrize("value", [{"coding": [{"system": SNOMED, "code": "2667000"}]}, {"text": "Absent"}])
def test_absent_is_negated(value: dict[str, Any]) -> None:
    (found,) = mapped(study(), finding(valueCodeableConcept=value)).timeline.findings
    assert found.certainty is Certainty.NEGATED


@pytest.mark.parametrize("link", ["partOf", "result"])
def test_a_finding_reaches_its_exam_in_several_ways(link: str) -> None:
    plain = finding()
    del plain["derivedFrom"]
    if link == "partOf":
        found = mapped(study(), {**plain, "partOf": [{"reference": "ImagingStudy/s"}]})
    else:
        found = mapped(study(), plain, report(conclusion="", result=[{"reference": "Observation/o"}]))
    assert found.timeline.findings[0].exam == found.timeline.exams[0].source
    assert found.timeline.exams[0].reported


def test_an_exam_without_report_is_not_reported() -> None:
    assert [exam.reported for exam in mapped(study()).timeline.exams] == [False]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "words",
    [
        {"conclusion": "Calcific plaques in the subcutaneous fat of the left cheek."},
        {"presentedForm": [{"contentType": "text/plain", "data": encoded("Calcific plaques in the left cheek.")}]},
        {
            "presentedForm": [
                {"contentType": "text/html", "data": encoded("<p>Calcific plaques in the <b>left cheek</b>.")}
            ]
        },
        {"text": {"status": "generated", "div": "<div>Calcific plaques in the left cheek.</div>"}},
    ],
)
def test_the_words_of_a_report_stand_in_several_places(words: dict[str, Any]) -> None:
    found = mapped(study(), report(**{"conclusion": "", **words}))
    assert found.timeline.exams[0].reported
    assert [one.kind for one in found.timeline.findings] == [FindingKind.CALCIFICATION]


def test_a_report_without_a_study_makes_its_own_exam() -> None:
    found = mapped(report(imagingStudy=[]))
    (exam,) = found.timeline.exams
    assert (exam.source.type, exam.modalities, exam.reported) == ("DiagnosticReport", frozenset({"CT"}), True)


def test_a_report_finds_the_only_study_of_its_day() -> None:
    assert len(mapped(study(), report(imagingStudy=[])).timeline.exams) == 1


def test_a_laboratory_report_is_not_imaging() -> None:
    category = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}]
    found = mapped(report(imagingStudy=[], category=category, code={"text": "CT of urine"}))
    assert found.timeline.exams == ()


def test_an_attachment_that_cannot_be_read_says_so() -> None:
    form = [{"contentType": "application/pdf", "data": "JVBERi0="}]
    found = mapped(study(), report(conclusion="", presentedForm=form))
    assert not found.timeline.exams[0].reported
    assert details(found)["report-not-available"]


@pytest.mark.requirement("IS-01")
def test_a_study_without_series_takes_its_modality_from_the_words() -> None:
    found = mapped(study(series=[], description="TC facial"))
    assert found.timeline.exams[0].modalities == {"CT"}
    assert details(found)["no-series"] == "Bundle.entry[1].resource.series"


def test_a_cancelled_study_never_took_place() -> None:
    assert mapped(study(status="cancelled")).timeline.exams == ()
