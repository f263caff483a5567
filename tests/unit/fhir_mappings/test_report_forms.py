"""A report's words out of RTF, results with remarks, and dates in prose."""

from __future__ import annotations

import base64

import pytest

from fhir_mappings.quantities import read_remarked
from fhir_mappings.rtf_text import words_of_rtf
from fhir_mappings.text_dates import date_in_words
from tests.unit.fhir_mappings.reading import SUBJECT, lab, mapped

RTF = (
    r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fswiss Arial;}}{\colortbl;\red255\green0\blue0;}{\*\generator Word;}"
    "\r\n\\f0\\fs22 T\\'e9cnica: TC sin contraste.\\par Placas c\\u225?lcicas en la grasa subcut\\'e1nea "
    "de ambas mejillas.\\par}"
)


def test_rtf_gives_its_words_and_nothing_of_its_fonts() -> None:
    assert words_of_rtf(RTF).splitlines() == [
        "Técnica: TC sin contraste.",
        "Placas cálcicas en la grasa subcutánea de ambas mejillas.",
    ]


def test_a_report_in_rtf_is_read() -> None:
    form = {"contentType": "application/rtf", "data": base64.b64encode(RTF.encode()).decode()}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": SUBJECT,
        "code": {"text": "TC facial"},
        "effectiveDateTime": "2022-02-02",
        "presentedForm": [form],
    }
    (found,) = mapped(report).timeline.findings
    assert found.site is not None
    assert (found.site.region, found.tissue, found.density) == ("cheek", "subcutaneous_fat", "calcific")


@pytest.mark.parametrize(
    ("text", "value", "unit", "limits"),
    [
        ("11.6 mg/dL (ref 8.6-10.2) H", "11.6", "mg/dL", "8.6-10.2"),
        ("H 11,6 mg/dL", "11.6", "mg/dL", ""),
        ("11.6 (8.6-10.2) mg/dL", "11.6", "mg/dL", "8.6-10.2"),
        ("2,9 mmol/L VN 2,15-2,55", "2.9", "mmol/L", "2,15-2,55"),
        ("45 mL/min/{1.73_m2} (>60)", "45", "mL/min/{1.73_m2}", ">60"),
    ],
)
def test_a_result_with_flag_and_range_in_one_text(text: str, value: str, unit: str, limits: str) -> None:
    found = read_remarked(text)
    assert found is not None
    assert (str(found[0].value), found[0].unit, found[1]) == (value, unit, limits)


@pytest.mark.parametrize("text", ["1.2 today, 3.4 before", "positive", "1:160", "", "9.4 to 9.8 mg/dL twice"])
def test_two_numbers_or_none_are_no_result(text: str) -> None:
    assert read_remarked(text) is None


def test_the_range_in_the_words_is_the_results_own() -> None:
    result = lab(valueString="2.60 mmol/L (2.10-2.50) H")
    del result["valueQuantity"]
    (found,) = mapped(result).timeline.labs
    assert (str(found.low), str(found.high), found.range_is_default) == ("2.10", "2.50", False)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("marzo de 2022", "2022-03"),
        ("Sept 2019", "2019-09"),
        ("2021-10-03", "2021-10-03"),
        ("03/04/2021", "2021-03-04 to 2021-04-03"),
        ("25/04/2021", "2021-04-25"),
        ("05/2021", "2021-05"),
        ("in 2018", "2018"),
        ("1970s", "1970-01-01 to 1979-12-31"),
        ("años 60", "1960-01-01 to 1969-12-31"),
        ("2019 and 2021", "None"),
        ("45/45/2021", "None"),
        ("lot 2021-05", "None"),
        ("hace dos años", "None"),
    ],
)
def test_dates_in_prose(text: str, when: str) -> None:
    assert str(date_in_words(text)) == when
