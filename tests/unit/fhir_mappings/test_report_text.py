import base64
import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlation.knowledge_base import load_knowledge
from correlation.timeline import BodySite, Certainty, FindingKind, ImagingExam, ResourceRef, Side
from fhir_mappings.report_text.read import ReportReading, read_report
from tests.unit.fhir_mappings.report_words import line_of

HERE = Path(__file__).parent
CASES = HERE.parents[1] / "examples" / "cases"
SOURCE = ResourceRef(type="DiagnosticReport", reference="DiagnosticReport/1")


def read(text: str, *, modality: str | None = None, language: str | None = None) -> ReportReading:
    study = ResourceRef(type="ImagingStudy", reference="ImagingStudy/1")
    exam = ImagingExam(source=study, started=None, modalities=frozenset({modality})) if modality else None
    return read_report(text, source=SOURCE, exam=exam, knowledge=load_knowledge(), language=language)


def lines(reading: ReportReading) -> list[str]:
    return [line_of(finding) for finding in reading.findings]


def table(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["report"]
    return rows


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_sentence_gives_what_a_careful_reader_expects(language: str) -> None:
    rows = table(f"report_sentences_{language}.toml")
    assert len(rows) >= 50
    wrong = {}
    for row in rows:
        reading = read(row["text"])
        if lines(reading) != row["says"] or reading.language != language:
            wrong[row["text"]] = (reading.language, lines(reading))
    assert wrong == {}


@pytest.mark.parametrize("path", sorted(CASES.glob("*.bundle.json")), ids=lambda path: path.name.split(".")[0])
def test_public_cases_give_the_findings_written_in_them(path: Path) -> None:
    expected = tomllib.loads((HERE / "report_cases.toml").read_text(encoding="utf-8"))[path.name.split(".")[0]]
    found = []
    for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "DiagnosticReport":
            texts = [resource["conclusion"]] if "conclusion" in resource else []
            texts += [base64.b64decode(form["data"]).decode() for form in resource.get("presentedForm", [])]
            for text in texts:
                found += lines(read(text))
    assert found == expected


def test_a_quote_is_the_verbatim_sentence_and_a_later_sentence_is_added_to_it() -> None:
    text = "CT face: Calcific plaques in both malar regions, 420 HU. No change in the sinuses. Not attached to bone."
    (finding,) = read(text, modality="CT").findings
    assert finding.quote == "Calcific plaques in both malar regions, 420 HU. … Not attached to bone."
    assert finding.on_bone is False
    assert finding.attenuation_hu == (Decimal(420), Decimal(420))
    assert finding.modalities == {"CT"}
    assert finding.source == SOURCE


def test_the_same_words_are_a_calcification_on_ct_and_a_deposit_on_mri() -> None:
    text = "Linear high-density material in the left cheek."
    assert lines(read(text, modality="CT")) == ["calcification cheek L | linear | high"]
    assert lines(read(text, modality="MR")) == ["deposit cheek L | linear | high"]


def test_an_opacity_on_a_radiograph_is_radiopaque_and_on_ct_it_is_not_known() -> None:
    text = "Hazy opacity in the left cheek."
    assert read(text, modality="DX").findings[0].kind is FindingKind.CALCIFICATION
    assert read(text, modality="CT").findings[0].kind is FindingKind.DEPOSIT


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("Calcification in the chin.", Certainty.STATED),
        ("No calcification in the chin.", Certainty.NEGATED),
        ("No evidence of soft tissue mass or of calcification in the chin.", Certainty.NEGATED),
        ("Possible calcification in the chin.", Certainty.POSSIBLE),
        ("Calcification in the chin is suspected.", Certainty.POSSIBLE),
        ("Calcification in the chin cannot be excluded.", Certainty.POSSIBLE),
        ("Known calcification in the chin.", Certainty.HISTORY),
        ("Known calcification in the chin, unchanged.", Certainty.STATED),
        ("Calcificación en el mentón.", Certainty.STATED),
        ("No hay calcificación en el mentón.", Certainty.NEGATED),
        ("Las calcificaciones del mentón no se observan.", Certainty.NEGATED),
        ("No se puede descartar calcificación en el mentón.", Certainty.POSSIBLE),
        ("Calcificación conocida en el mentón.", Certainty.HISTORY),
    ],
)
def test_negation_uncertainty_and_history_differ(text: str, certainty: Certainty) -> None:
    findings = [finding for finding in read(text).findings if finding.kind is FindingKind.CALCIFICATION]
    assert [finding.certainty for finding in findings] == [certainty]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("350-500 HU", "350-500 HU"),
        ("350 to 500 HU", "350-500 HU"),
        ("350–500 HU", "350-500 HU"),
        ("420 UH", "420-420 HU"),
        ("HU of 300", "300-300 HU"),
        ("HU: 300-450", "300-450 HU"),
        ("mean 300 Hounsfield units", "300-300 HU"),
        ("350 a 500 unidades Hounsfield", "350-500 HU"),
        ("attenuation of 280.5 HU", "280.5-280.5 HU"),
    ],
)
def test_hounsfield_units_in_their_spellings(text: str, says: str) -> None:
    (line,) = lines(read(f"Calcific deposits in the chin, {text}."))
    assert says in line


@pytest.mark.parametrize(
    ("text", "millimetres"),
    [("7 mm", 7), ("1-3 mm", 3), ("1.2 cm", 12), ("1,5 cm", 15), ("15 x 8 x 20 mm", 20), ("3 x 2 cm", 30)],
)
def test_sizes_are_the_greatest_length_in_millimetres(text: str, millimetres: int) -> None:
    (finding,) = read(f"Calcified nodule of {text} in the chin.").findings
    assert finding.size_mm == millimetres


def test_slice_thickness_and_distance_are_no_size() -> None:
    assert read("Calcified nodule in the chin on 1 mm slices.").findings[0].size_mm is None
    assert read("Calcified nodule in the chin 4 mm from the bone.").findings[0].size_mm is None


def test_sections_technique_and_history_yield_no_findings() -> None:
    text = """CT FACE WITHOUT CONTRAST
CLINICAL HISTORY: Known calcifications of the cheeks. Rule out calcinosis.
TECHNIQUE: Axial images of 1 mm; dense material marks the skin.
COMPARISON: CT of 2019 with calcified nodules.

FINDINGS:
Linear calcific deposits in the subcutaneous fat of both
cheeks, separate from the bone. Paranasal sinuses are clear.
Dental amalgam artefact.

IMPRESSION: 1. Bilateral facial calcifications, likely related to dermal filler.
2. No adenopathy.
RECOMMENDATION: Correlate with possible metabolic calcification."""
    assert lines(read(text)) == [
        "calcification cheek LR | linear | subcutaneous_fat | calcific | off bone",
        "distractor tooth | organ",
    ]


def test_an_impression_that_repeats_a_finding_adds_none() -> None:
    text = (
        "FINDINGS: Calcific plaques in both malar regions. IMPRESSION: Calcific plaques in both malar regions, 400 HU."
    )
    assert lines(read(text)) == ["calcification malar LR | plaque | calcific | 400-400 HU"]


def test_html_is_read_as_its_text() -> None:
    head = "<head><style>p {color: red}</style></head>"
    text = f"<html>{head}<body><h3>CT face</h3><p>Calcific plaques in the chin.</p></body></html>"
    assert lines(read(text)) == ["calcification chin | plaque | calcific"]


def test_findings_elsewhere_are_noted_and_left() -> None:
    reading = read("9 mm left upper lobe ground-glass nodule.")
    assert reading.findings == ()
    assert reading.notes == ("outside-target",)


def test_a_finding_without_a_place_takes_the_exams_regions() -> None:
    exam = ImagingExam(
        source=ResourceRef(type="ImagingStudy", reference="ImagingStudy/1"),
        started=None,
        modalities=frozenset({"DX"}),
        regions=(BodySite(region="thigh", sides=frozenset({Side.LEFT})),),
    )
    reading = read_report("Nodular calcification.", source=SOURCE, exam=exam, knowledge=load_knowledge())
    assert lines(reading) == ["calcification thigh L | nodular | calcific"]
    assert "exam's name" in reading.findings[0].recognised_by


def test_the_language_can_be_given() -> None:
    assert read("Calcificación.", language="es-ES").language == "es"
    assert read("Calcificación en la mejilla.", language="fr").language == "es"


PIECES = [
    "no",
    "calcific",
    "plaques",
    "and",
    ",",
    ".",
    ";",
    "with",
    "in",
    "left",
    "chin",
    "(",
    "3",
    "mm",
    "HU",
    "<b>",
    "ñ",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES)))
def test_no_text_makes_the_reading_fail(words: list[str]) -> None:
    read(" ".join(words))
